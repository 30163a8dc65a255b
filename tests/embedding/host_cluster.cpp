#include "tests/embedding/host_cluster.hpp"

#include <charconv>
#include <stdexcept>
#include <thread>

#include <unistd.h>

#include "runtime/node_config.hpp"
#include "tests/integration/free_ports.hpp"

namespace hypermesh::testing {

namespace {

[[noreturn]] void fail(const world_error& error) { throw std::runtime_error(error.what + "; fix: " + error.remedy); }

}  // namespace

cluster_files::cluster_files(const std::string& state_machine, std::uint32_t checkpoint_period) {
  auto pattern = (std::filesystem::temp_directory_path() / "hypermesh-embedding-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + pattern);
  folder_ = pattern;
  cluster_plan plan;
  plan.state_machine = state_machine;
  plan.checkpoint_period = checkpoint_period;
  plan.first_port = free_port_row(static_cast<std::uint16_t>(plan.replicas));
  if (const auto made = create_cluster(folder_ / "cluster", plan); !made) fail(made.error());
}

cluster_files::~cluster_files() { std::filesystem::remove_all(folder_); }

configuration cluster_files::replica(std::uint32_t number) const {
  return {cluster_layout{folder_ / "cluster"}.node_file(number).string(), {{"storage.mode", "async"}}};
}

configuration cluster_files::client(std::uint32_t number) const {
  return {cluster_layout{folder_ / "cluster"}.client_file(number).string()};
}

host_cluster::host_cluster(const std::string& state_machine, machine_maker make)
    : files_(state_machine), make_(std::move(make)), replicas_(4) {
  for (std::uint32_t number = 0; number < replicas_.size(); ++number)
    start(number);
}

host_cluster::~host_cluster() = default;

void host_cluster::start(std::uint32_t number) {
  auto started = consensus_manager::start(files_.replica(number), make_(number));
  if (!started) fail(started.error());
  replicas_.at(number) = std::move(*started);
}

std::unique_ptr<consensus_client> host_cluster::connect(std::uint32_t number, const client_settings& settings) {
  auto connected = consensus_client::connect(files_.client(number), settings);
  if (!connected) fail(connected.error());
  return std::move(*connected);
}

operation_result adding_machine::apply(const operation_context&, byte_span operation) {
  const auto text = as_text(operation);
  if (text == "read") return query(operation);
  std::uint64_t more = 0;
  const auto number = text.starts_with("add ") ? text.substr(4) : std::string_view{};
  const auto parsed = std::from_chars(number.data(), number.data() + number.size(), more);
  if (!number.empty() && parsed.ec == std::errc{}) {
    sum_ += more;
    return {operation_status::applied, to_byte_vector(std::to_string(sum_))};
  }
  if (otherwise_) return otherwise_(sum_, operation);
  return {operation_status::malformed, to_byte_vector("write add N or read")};
}

operation_result adding_machine::query(byte_span operation) const {
  if (as_text(operation) == "throw") throw std::runtime_error("this query throws");
  if (as_text(operation) != "read") return {operation_status::refused, to_byte_vector("only read")};
  return {operation_status::applied, to_byte_vector(std::to_string(sum_))};
}

or_reason<void> adding_machine::load(byte_span saved) {
  const auto text = as_text(saved);
  std::uint64_t sum = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), sum);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) return invalid("the sum is no number");
  sum_ = sum;
  return {};
}

std::string text_of(std::future<submit_outcome> future) {
  if (future.wait_for(embedding_patience) != std::future_status::ready) return "error: no outcome";
  const auto outcome = future.get();
  if (const auto* error = std::get_if<client_error>(&outcome)) return "error: " + std::string{to_string(*error)};
  return std::string{as_text(std::get<operation_result>(outcome).payload)};
}

bool becomes_true(const std::function<bool()>& holds, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    usleep(20'000);
  }
  return true;
}

}  // namespace hypermesh::testing
