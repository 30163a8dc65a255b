#include <thread>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/protocol/reputation/system_request.hpp"
#include "tools/hypermesh/client/cluster_reports.hpp"
#include "tools/hypermesh/commands/asking_operators.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

struct release_options {
  asking_options asking;
  std::uint32_t replica = 0;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh release --cluster mycluster 2                        as the operator of all replicas\n"
    "  hypermesh release --cluster mycluster --operator 0 2           as the operator of replica 0 alone\n"
    "  hypermesh release --config client.toml --node replica-0/node.toml 2\n"
    "\n"
    "A quarantine ends early if the operators of f + 1 replicas request it, each with the key of its own replica.\n"
    "They need not run the command at the same time. The conviction stays in the ledger. 'hypermesh status' lists\n"
    "the replicas in quarantine, and the audit trail has the reason.\n"
    "\n"
    "Exit codes: 0 released; 1 not in quarantine, or too few operators; 2 wrong files; 3 no answer in time.";

/// The cluster as the client sees it that sends the requests.
class release_talk {
 public:
  release_talk(cluster_session& session, replica_id replica, double patience_seconds)
      : session_(&session),
        replica_(replica),
        deadline_(clock::now() + std::chrono::milliseconds{static_cast<std::int64_t>(patience_seconds * 1'000)}) {}

  [[nodiscard]] std::optional<agreed_standing> standing() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock::now());
    const auto replicas = static_cast<std::uint32_t>(session_->cluster().replicas.size());
    const auto patience = std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds{1}, look_patience);
    const auto reports = collect_reports(session_->client(), replicas, patience, [] { return true; });
    return standing_of(replica_, reports, session_->cluster().parameters());
  }
  /// Sends the operators' RELEASEs until the replica is released or the time is over. Returns whether the replica is
  /// released.
  [[nodiscard]] bool ask(const std::vector<asking_operator>& operators, agreed_standing convicted) const {
    while (clock::now() < deadline_) {
      for (const auto& each : operators) {
        const auto epoch = session_->cluster().parameters().signing.epoch;
        const auto content = release_of(each.self, replica_, convicted.convicted_at, epoch);
        session_->client().tell_replicas(each.word(message_kind::release, content, session_->cluster()));
      }
      std::this_thread::sleep_for(look_interval);
      const auto now = standing();
      if (!now) continue;
      // The number of convictions never falls. A lower number comes from a replica that does not know the conviction
      // yet.
      if (!now->is_convicted() && now->convictions >= convicted.convictions) return true;
      if (now->is_convicted()) convicted = *now;
    }
    return false;
  }

 private:
  static constexpr std::chrono::milliseconds look_interval{200};
  static constexpr std::chrono::milliseconds look_patience{1'000};

  cluster_session* session_;
  replica_id replica_;
  clock::time_point deadline_;
};

void print_outcome(const release_options& options, std::size_t operators, bool released) {
  if (!options.output.is_json()) return;
  print_json({{"replica", options.replica}, {"operators", operators}, {"released", released}}, 2);
}

exit_code release_through(cluster_session& session, const release_options& options) {
  const auto group = session.cluster().parameters().group();
  const replica_id replica{options.replica};
  if (!group.contains(replica)) {
    return report_error(
        {fmt::format("there is no replica {}", options.replica), fmt::format("use 0 to {}", group.replicas() - 1)},
        exit_code::usage);
  }
  const release_talk talk{session, replica, options.asking.client.timeout_seconds};
  const auto agreed = talk.standing();
  if (!agreed) {
    return report_error({"too few replicas answered to determine the replica's quarantine",
                         "check which replicas are reachable: hypermesh status"},
                        exit_code::no_quorum);
  }
  if (!agreed->is_convicted()) {
    return report_error({fmt::format("replica {} is not in quarantine", options.replica), ""}, exit_code::failed);
  }
  const auto asking = operators_of(options.asking, session.cluster(), replica);
  if (!asking) return report_error(asking.error(), exit_code::usage);
  const auto& operators = *asking;
  if (talk.ask(operators, *agreed)) {
    print_outcome(options, operators.size(), true);
    say(fmt::format("replica {} is released", options.replica));
    return exit_code::ok;
  }
  print_outcome(options, operators.size(), false);
  return report_error(
      {fmt::format("{} requested the release, but replica {} is still in quarantine",
                   operators.size() == 1 ? "one operator" : fmt::format("{} operators", operators.size()),
                   options.replica),
       fmt::format("run the command as the operators of {} replicas; requests so far are remembered while "
                   "the replicas run",
                   group.weak_quorum())},
      exit_code::failed);
}

}  // namespace

void add_release(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("release", "Release a replica from its quarantine");
  auto options = std::make_shared<release_options>();
  options->asking.client.timeout_seconds = 5;
  command->footer(examples);
  add_asking_options(*command, options->asking);
  command->add_option("REPLICA", options->replica, "Number of the replica")->required()->type_name("");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] {
    chosen = [options] {
      return ask_cluster(options->asking, [&](auto& session) { return release_through(session, *options); });
    };
  });
}

}  // namespace hypermesh::cli
