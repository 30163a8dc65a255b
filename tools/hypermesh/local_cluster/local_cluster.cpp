#include "tools/hypermesh/local_cluster/local_cluster.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <random>

#include <fmt/format.h>

#include "runtime/thread_limits.hpp"

namespace hypermesh::cli {

namespace {

/// Loading usually takes milliseconds, but on a machine under heavy load it takes seconds.
constexpr std::chrono::seconds ready_patience{20};
constexpr std::chrono::seconds stop_patience{5};
constexpr std::uint16_t lowest_port = 10'000;
constexpr int port_attempts = 2'000;

/// The first port that the system may use for outgoing connections.
std::uint16_t first_outgoing_port() {
  std::ifstream file{"/proc/sys/net/ipv4/ip_local_port_range"};
  unsigned first = 0;
  file >> first;
  // The kernel's default is also used if the system reserves nearly all ports, so that there is no room below the
  // range.
  return first > lowest_port + 1'000 && first <= 65'535 ? static_cast<std::uint16_t>(first) : std::uint16_t{32'768};
}

/// Returns a socket that is bound to the port, or -1.
int bind_to(std::uint16_t port) {
  const int bound = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bound < 0) return -1;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return bound;
  close(bound);
  return -1;
}

/// The size in bytes of the files below `folder`. Their owner creates and removes files meanwhile, so a missing file
/// counts as empty.
std::uint64_t bytes_in(const std::filesystem::path& folder) {
  std::uint64_t sum = 0;
  std::error_code gone;
  std::filesystem::recursive_directory_iterator each{folder, gone};
  while (!gone && each != std::filesystem::recursive_directory_iterator{}) {
    std::error_code ignored;
    const auto bytes = each->file_size(ignored);
    if (!ignored) sum += bytes;
    each.increment(gone);
  }
  return sum;
}

std::string text_of_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

/// Sets a key in a table of a generated configuration, in which each table has its line. Returns false if it has none.
bool set_key(std::string& text, const node_value& value) {
  const auto heading = fmt::format("\n[{}]\n", value.table);
  const auto line = fmt::format("{} = {}\n", value.key, value.literal);
  const auto at = text.find(heading);
  if (at == std::string::npos) return false;
  const auto begin = at + heading.size();
  const auto table_end = std::min(text.find("\n[", begin), text.size());
  const auto old = text.find(fmt::format("\n{} = ", value.key), begin - 1);
  if (old < table_end) {
    text.replace(old + 1, text.find('\n', old + 1) - old, line);
  } else {
    text.insert(begin, line);
  }
  return true;
}

}  // namespace

std::vector<std::uint16_t> free_ports(std::size_t count) {
  std::random_device random;
  std::uniform_int_distribution<unsigned> any{lowest_port, first_outgoing_port() - 1U};
  std::vector<std::uint16_t> ports;
  std::vector<int> bound;
  for (int attempt = 0; attempt < port_attempts && ports.size() < count; ++attempt) {
    const auto port = static_cast<std::uint16_t>(any(random));
    const int descriptor = bind_to(port);
    if (descriptor < 0) continue;
    // All sockets stay bound until the end, so that no port is found twice.
    bound.push_back(descriptor);
    ports.push_back(port);
  }
  for (const int each : bound)
    close(each);
  return ports;
}

or_error<std::unique_ptr<local_cluster>> local_cluster::prepare(cluster_plan plan) {
  auto made = temporary_directory::make();
  if (!made) return failure_of(made);
  std::unique_ptr<local_cluster> cluster{new local_cluster};
  cluster->directory_ = std::move(*made);
  cluster->layout_ = cluster_layout{cluster->directory_->path()};
  plan.host = "127.0.0.1";
  plan.ports = free_ports(plan.replicas);
  auto created = create_cluster(cluster->layout_.root, plan);
  if (!created) return failure_of(created);
  cluster->content_ = std::move(*created);
  cluster->programs_.resize(plan.replicas);
  cluster->plan_ = std::move(plan);
  return cluster;
}

local_cluster::~local_cluster() { stop(); }

or_error<void> local_cluster::configure(std::uint32_t number, const std::vector<node_value>& values) {
  const auto file = layout_.node_file(number);
  auto text = text_of_file(file);
  bool done = true;
  for (const auto& each : values)
    done = set_key(text, each) && done;
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text;
  out.close();
  if (done && out) return {};
  return tl::unexpected(world_error{fmt::format("cannot set values in {}", file.string()), "check free space"});
}

or_error<void> local_cluster::serve_http() {
  http_ports_ = free_ports(plan_.replicas);
  if (http_ports_.size() != plan_.replicas)
    return tl::unexpected(world_error{"no ports are free for the HTTP servers of the replicas", "end other programs"});
  for (std::uint32_t number = 0; number < plan_.replicas; ++number) {
    auto done = configure(number, {{"http", "enabled", "true"},
                                   {"http", "listen", fmt::format("\"127.0.0.1:{}\"", http_ports_[number])}});
    if (!done) return done;
  }
  return {};
}

or_error<void> local_cluster::keep_traces(std::uint32_t batches) {
  if (auto done = serve_http(); !done) return done;
  for (std::uint32_t number = 0; number < plan_.replicas; ++number) {
    if (auto done = configure(number, {{"trace", "batches", std::to_string(batches)}}); !done) return done;
  }
  return {};
}

or_error<void> local_cluster::save_logs(const std::filesystem::path& folder) const {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  for (std::uint32_t number = 0; number < plan_.replicas && !failed; ++number) {
    std::filesystem::copy_file(log_of(number), folder / fmt::format("replica-{}.log", number),
                               std::filesystem::copy_options::overwrite_existing, failed);
  }
  if (!failed) return {};
  return tl::unexpected(world_error{fmt::format("cannot save the logs in {}: {}", folder.string(), failed.message()),
                                    "check free space and permissions"});
}

std::filesystem::path local_cluster::log_of(std::uint32_t number) const {
  return layout_.replica_folder(number) / "log";
}

std::string local_cluster::last_words_of(std::uint32_t number) const {
  auto text = text_of_file(log_of(number));
  constexpr std::size_t words_max = 2'000;
  if (text.size() > words_max) text.erase(0, text.size() - words_max);
  text.erase(text.find_last_not_of('\n') + 1);
  return text;
}

or_error<void> local_cluster::launch(std::uint32_t number) {
  const auto& program = programs_[number];
  auto arguments = program.words;
  for (const auto& word :
       {std::string{"--config"}, layout_.node_file(number).string(), std::string{"--ready-fd"},
        std::to_string(child_process::ready_descriptor), std::string{"--stop-with-parent"}, std::to_string(getpid())})
    arguments.push_back(word);
  if (learners_.contains(number)) arguments.emplace_back("--learner");
  auto begun = child_process::start(program.binary, std::move(arguments), log_of(number));
  if (!begun) return failure_of(begun);
  replicas_[number] = std::move(*begun);
  return {};
}

or_error<void> local_cluster::await(std::uint32_t number, clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now());
  if (replicas_[number]->wait_until_ready(left)) return {};
  if (auto done = check_replicas(); !done) return done;
  return tl::unexpected(world_error{fmt::format("replica {} was not ready within {} s", number, ready_patience.count()),
                                    "run the command again with less load on this machine"});
}

or_error<void> local_cluster::start() {
  // If the system allowed too few threads, one replica would fail while another replica starts, and its message would
  // explain less.
  if (auto done = check_threads(plan_.replicas * threads_of_node(0)); !done) return done;
  started_ = clock::now();
  replicas_.resize(plan_.replicas);
  for (std::uint32_t number = 0; number < plan_.replicas; ++number) {
    if (auto done = launch(number); !done) return done;
  }
  for (std::uint32_t number = 0; number < plan_.replicas; ++number) {
    if (auto done = await(number, started_ + ready_patience); !done) return done;
  }
  return {};
}

void local_cluster::send(std::uint32_t number, int signal) const {
  const auto& replica = replicas_.at(number);
  if (replica != nullptr) replica->send(signal);
}

void local_cluster::kill(std::uint32_t number) {
  auto& replica = replicas_.at(number);
  if (replica != nullptr) replica->wait_or_kill(std::chrono::milliseconds{0});
  replica = nullptr;
}

bool local_cluster::terminate(std::uint32_t number, std::chrono::milliseconds patience) {
  auto& replica = replicas_.at(number);
  if (replica == nullptr) return false;
  replica->send(SIGTERM);
  replica->wait_or_kill(patience);
  const bool is_clean = replica->end_reason() == "exit code 0";
  replica = nullptr;
  return is_clean;
}

or_error<void> local_cluster::restart(std::uint32_t number) {
  if (auto done = launch(number); !done) return done;
  return await(number, clock::now() + ready_patience);
}

or_error<void> local_cluster::lose_disk(std::uint32_t number) {
  const auto folder = layout_.data_folder(number);
  auto away = folder;
  away += "-lost";
  std::error_code failed;
  // A replica may lose its disk again.
  std::filesystem::remove_all(away, failed);
  std::filesystem::rename(folder, away, failed);
  if (failed) {
    return tl::unexpected(world_error{fmt::format("cannot move {} away: {}", folder.string(), failed.message()),
                                      "check free space and permissions"});
  }
  learners_.insert(number);
  return {};
}

std::vector<process_usage> local_cluster::usage() const {
  std::vector<process_usage> all;
  for (const auto& each : replicas_)
    all.push_back(each == nullptr ? process_usage{} : each->usage().value_or(process_usage{}));
  return all;
}

std::vector<pid_t> local_cluster::process_ids() const {
  std::vector<pid_t> all;
  for (const auto& each : replicas_)
    all.push_back(each == nullptr ? 0 : each->id());
  return all;
}

std::vector<std::uint64_t> local_cluster::disk_bytes() const {
  std::vector<std::uint64_t> all;
  for (std::uint32_t number = 0; number < plan_.replicas; ++number)
    all.push_back(bytes_in(layout_.data_folder(number)));
  return all;
}

std::vector<std::uint64_t> local_cluster::audit_bytes() const {
  std::vector<std::uint64_t> all;
  for (std::uint32_t number = 0; number < plan_.replicas; ++number)
    all.push_back(bytes_in(layout_.audit_folder(number)));
  return all;
}

or_error<void> local_cluster::check_replicas() {
  std::string text;
  for (std::uint32_t number = 0; number < replicas_.size(); ++number) {
    // A child that has closed its pipe may need a moment to end.
    if (replicas_[number] == nullptr || replicas_[number]->is_running()) continue;
    text += fmt::format("{}replica {} ended: {}", text.empty() ? "" : "; ", number, replicas_[number]->end_reason());
    const auto words = last_words_of(number);
    if (!words.empty()) text += "\n" + words;
  }
  if (text.empty()) return {};
  return tl::unexpected(world_error{text, "read the messages of the replica above"});
}

bool local_cluster::stop() {
  std::erase(replicas_, nullptr);
  bool clean = true;
  for (const auto& each : replicas_) {
    clean = each->is_running() && clean;
    each->ask_to_stop();
  }
  const auto deadline = clock::now() + stop_patience;
  for (const auto& each : replicas_) {
    each->wait_or_kill(std::max(std::chrono::milliseconds{0},
                                std::chrono::duration_cast<std::chrono::milliseconds>(deadline - clock::now())));
    clean = each->end_reason() == "exit code 0" && clean;
  }
  replicas_.clear();
  return clean;
}

}  // namespace hypermesh::cli
