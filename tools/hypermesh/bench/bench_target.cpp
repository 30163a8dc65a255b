#include "tools/hypermesh/bench/bench_target.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"
#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/client/http_get.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::size_t metrics_bytes_max = std::size_t{4} << 20U;
constexpr duration metrics_patience = 2s;
constexpr std::chrono::milliseconds report_patience{2'000};

duration sum_of(const role_times& times) {
  duration sum{};
  for (const auto& [role, time] : times)
    sum += time;
  return sum;
}

target_facts facts_of(const genesis& content, const std::filesystem::path& root) {
  const auto group = content.parameters().group();
  target_facts facts{root, content.state_machine, group.replicas(), group.quorum(),
                     static_cast<std::uint32_t>(content.clients.size())};
  facts.requests_are_signed = content.requests_by == protocol::request_authentication::signature;
  facts.is_on_this_machine = std::ranges::all_of(content.replicas, [](const auto& each) {
    const auto& host = each.address.host;
    return host == "127.0.0.1" || host == "::1" || host == "localhost";
  });
  return facts;
}

std::optional<replica_counts> counts_at(const replica_address& server) {
  const auto text = http_get({server, "/metrics", "", metrics_patience, metrics_bytes_max});
  if (!text) return std::nullopt;
  const auto counts = read_metrics(*text);
  return counts ? std::optional{*counts} : std::nullopt;
}

/// The HTTP servers of the replicas whose files are in the folder of the cluster, by replica number. Empty unless every
/// replica has one that answers without a token and without TLS, because figures of some replicas would be no sum.
std::vector<replica_address> open_servers_of(const std::string& root, std::size_t replicas) {
  std::vector<replica_address> servers;
  for (std::uint32_t number = 0; number < replicas; ++number) {
    const auto node = read_node_config(cluster_layout{root}.node_file(number));
    const bool is_open = node && node->http.enabled && node->http.token_file.empty() && node->http.tls_key.empty();
    if (!is_open || !counts_at(node->http.listen)) return {};
    servers.push_back(node->http.listen);
  }
  return servers;
}

class own_cluster final : public bench_target {
 public:
  explicit own_cluster(std::unique_ptr<local_cluster> processes) : processes_(std::move(processes)) {}

  [[nodiscard]] target_facts facts() const override {
    return facts_of(processes_->content(), processes_->layout().root);
  }

  [[nodiscard]] target_sample sample(interruption&) override {
    target_sample sample;
    sample.when = base::steady_moment();
    // First the times, because reading the metrics takes the replicas some time.
    for (const auto id : processes_->process_ids()) {
      sample.roles.push_back(times_by_role(threads_of_process(id)));
      sample.processor.push_back(processor_time_of(id).value_or(sum_of(sample.roles.back())));
    }
    for (const auto port : processes_->http_ports())
      sample.counts.push_back(counts_at({"127.0.0.1", port}));
    return sample;
  }

  [[nodiscard]] or_error<void> check_health() override { return processes_->check_replicas(); }

  [[nodiscard]] std::filesystem::path data_folder() const override { return processes_->layout().data_folder(0); }

 private:
  std::unique_ptr<local_cluster> processes_;
};

class joined_cluster final : public bench_target {
 public:
  joined_cluster(std::unique_ptr<cluster_session> session, std::string root)
      : session_(std::move(session)),
        root_(std::move(root)),
        servers_(open_servers_of(root_, session_->cluster().replicas.size())) {}

  [[nodiscard]] target_facts facts() const override {
    auto facts = facts_of(session_->cluster(), root_);
    facts.tells_kinds = !servers_.empty();
    return facts;
  }

  [[nodiscard]] target_sample sample(interruption& stop) override {
    target_sample sample;
    sample.when = base::steady_moment();
    for (const auto& server : servers_)
      add(counts_at(server), sample);
    if (!servers_.empty()) return sample;
    const auto replicas = static_cast<std::uint32_t>(session_->cluster().replicas.size());
    const auto reports =
        collect_reports(session_->client(), replicas, report_patience, [&stop] { return !stop.requested(); });
    for (const auto& report : reports)
      add(report ? std::optional{counts_of(*report)} : std::nullopt, sample);
    return sample;
  }

  /// The load notices when too few replicas answer.
  [[nodiscard]] or_error<void> check_health() override { return {}; }

  [[nodiscard]] std::filesystem::path data_folder() const override { return {}; }

 private:
  static void add(std::optional<replica_counts> counts, target_sample& into) {
    // A replica may report any number. A difference of two bounded ones does not overflow.
    constexpr std::uint64_t us_max = 1ULL << 60U;
    const auto us = counts ? std::min(counts->processor_us, us_max) : 0;
    into.processor.emplace_back(static_cast<duration::rep>(us));
    into.counts.push_back(std::move(counts));
  }

  std::unique_ptr<cluster_session> session_;
  std::string root_;
  std::vector<replica_address> servers_;
};

tl::unexpected<run_failure> failed_with(const world_error& error, exit_code code = exit_code::failed) {
  return tl::unexpected(run_failure{code, error});
}

}  // namespace

or_run_failure<std::unique_ptr<bench_target>> start_own_cluster(const own_cluster_plan& plan, run_narrator& narrator) {
  cluster_plan wanted;
  wanted.name = "bench";
  wanted.state_machine = plan.machine;
  wanted.replicas = plan.replicas;
  wanted.clients = plan.clients;
  wanted.requests_by = plan.requests_by;
  auto prepared = local_cluster::prepare(wanted);
  if (!prepared) return failed_with(prepared.error());
  auto& processes = **prepared;
  if (auto done = processes.serve_http(); !done) return failed_with(done.error());
  for (std::uint32_t number = 0; number < plan.replicas; ++number) {
    auto done = processes.configure(number, {{"storage", "mode", fmt::format("\"{}\"", plan.durability)}});
    if (!done) return failed_with(done.error());
  }
  const auto before = base::steady_moment();
  if (auto done = processes.start(); !done) return failed_with(done.error());
  narrator.step(fmt::format("{} replica processes are listening", plan.replicas),
                std::chrono::duration<double>(base::steady_moment() - before).count());
  return std::make_unique<own_cluster>(std::move(*prepared));
}

or_run_failure<std::unique_ptr<bench_target>> join_cluster(const std::string& root, std::uint32_t self) {
  client_options options;
  options.cluster = root;
  options.client = self;
  auto config = read_client_of(options);
  if (!config) return failed_with(config.error(), exit_code::usage);
  auto session = cluster_session::open(std::move(*config), {});
  if (!session) return failed_with(session.error(), exit_code::usage);
  return std::make_unique<joined_cluster>(std::move(*session), root);
}

}  // namespace hypermesh::cli
