#include "tools/hypermesh/bench/load_process.hpp"

#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/thread_limits.hpp"
#include "tools/hypermesh/bench/load_generator.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/local_cluster/child_process.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

/// Longer than its owner needs to start all load processes.
constexpr duration begin_patience = 120s;
constexpr duration look_interval = 2ms;

/// Streams, CAF's pipes and sockets, and a key file.
constexpr std::uint64_t files_besides_links = 32;

or_error<void> check_room(std::size_t clients, std::size_t replicas) {
  const auto files = files_besides_links + 2 * clients * replicas;
  if (const auto allowed = raise_descriptor_limit(files); allowed < files) return too_few_descriptors(files, allowed);
  return check_threads(threads_of_client(replicas));
}

or_error<std::vector<client_config>> configs_of(const load_shape& shape, const fs::path& cluster) {
  std::vector<client_config> all;
  for (std::uint32_t index = 0; index < shape.clients; ++index) {
    client_options options;
    options.cluster = cluster.string();
    options.client = shape.first_client + index;
    auto config = read_client_of(options);
    if (!config) return failure_of(config);
    all.push_back(std::move(*config));
  }
  return all;
}

client_settings settings_of(const load_shape& shape) {
  client_settings settings;
  settings.bundle_operations_max = shape.bundle;
  settings.deadline = shape.deadline;
  if (!shape.is_open()) {
    const auto of_client = (shape.in_flight + shape.clients - 1) / shape.clients;
    settings.requests_in_flight_max =
        std::clamp<std::size_t>((of_client + shape.bundle - 1) / shape.bundle, 1, settings.requests_in_flight_max);
  }
  return settings;
}

/// The moment that the owner wrote, or nothing before it did.
std::optional<moment> begin_in(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  duration::rep number = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return moment{duration{number}};
}

std::optional<moment> await_begin(const fs::path& file) {
  const auto deadline = base::steady_moment() + begin_patience;
  while (base::steady_moment() < deadline) {
    if (const auto begin = begin_in(file)) return begin;
    std::this_thread::sleep_for(look_interval);
  }
  return std::nullopt;
}

exit_code serve(load_generator& load, const load_shape& shape, const fs::path& exchange) {
  if (const auto failure = load.warm_links(); !failure.empty()) {
    return report_error({fmt::format("the first operation of a client failed: {}", failure),
                         "check which replicas are reachable: hypermesh status"},
                        exit_code::no_quorum);
  }
  (void)tell_ready(child_process::ready_descriptor, "ready\n");
  const auto begin = await_begin(begin_file(exchange, shape.first_client));
  if (!begin) return report_error({"the load was never begun", "use hypermesh bench"}, exit_code::usage);
  const auto result = load.run(*begin);
  if (auto done = exchange_text(result_file(exchange, shape.first_client), text_of(result)); !done)
    return report_error(done.error(), exit_code::failed);
  return exit_code::ok;
}

}  // namespace

fs::path begin_file(const fs::path& exchange, std::uint32_t first_client) {
  return exchange / fmt::format("begin-{}", first_client);
}

fs::path result_file(const fs::path& exchange, std::uint32_t first_client) {
  return exchange / fmt::format("result-{}", first_client);
}

or_error<void> exchange_text(const fs::path& file, const std::string& text) {
  auto incomplete = file;
  incomplete += ".part";
  std::ofstream out{incomplete, std::ios::binary | std::ios::trunc};
  out << text;
  out.close();
  std::error_code failed;
  if (out) fs::rename(incomplete, file, failed);
  if (out && !failed) return {};
  return tl::unexpected(world_error{fmt::format("cannot write {}", file.string()), "check free space in TMPDIR"});
}

exit_code run_load_process(const load_shape& shape, const fs::path& cluster, const fs::path& exchange, int parent) {
  if (!stop_with_parent(parent))
    return report_error({"the process that started this load has ended", "use hypermesh bench"}, exit_code::usage);
  auto configs = configs_of(shape, cluster);
  if (!configs) return report_error(configs.error(), exit_code::usage);
  if (auto done = check_room(shape.clients, configs->front().cluster.replicas.size()); !done)
    return report_error(done.error(), exit_code::failed);
  runtime_system_config system_config;
  caf::actor_system system{system_config};
  std::vector<std::unique_ptr<hosted_client>> clients;
  for (const auto& config : *configs) {
    auto client = hosted_client::connect(system, config, settings_of(shape));
    if (!client) return report_error(client.error(), exit_code::usage);
    clients.push_back(std::move(*client));
  }
  const auto load = std::make_shared<load_generator>(shape, std::move(clients));
  const auto code = serve(*load, shape, exchange);
  load->close();
  return code;
}

}  // namespace hypermesh::cli
