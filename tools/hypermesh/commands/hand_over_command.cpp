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

struct hand_over_options {
  asking_options asking;
  std::optional<std::uint32_t> replica;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh hand-over --cluster mycluster                        to the next primary\n"
    "  hypermesh hand-over --cluster mycluster 2                      to replica 2\n"
    "  hypermesh hand-over --config client.toml --node replica-0/node.toml\n"
    "\n"
    "Use it before you stop the machine of the primary. All replicas leave their view at the same sequence number,\n"
    "and the next primary orders the pending requests. No replica loses reputation and no request fails. The\n"
    "operator of the primary can make it step down alone. The choice of another primary needs the operators of\n"
    "f + 1 replicas. --node or --cluster names their keys; --operator selects some of those in --cluster.\n"
    "\n"
    "Exit codes: 0 another primary leads; 1 too few operators; 2 wrong files; 3 no answer in time.";

/// The requested change. A step-down is requested by the primary's operator alone. A particular next primary is
/// requested by several operators.
struct wanted_move {
  view_number to;
  replica_id about;
  hand_over_cause cause = hand_over_cause::step_down;
};

wanted_move move_from(view_number view, const hand_over_options& options, group_size group) {
  const auto leads = group.primary_of(view);
  if (!options.replica) return {view.next(), leads, hand_over_cause::step_down};
  auto to = view.next();
  while (group.primary_of(to) != replica_id{*options.replica})
    to = to.next();
  return {to, replica_id{*options.replica}, hand_over_cause::operators};
}

/// The cluster as the client sees it that sends the requests.
class hand_over_talk {
 public:
  hand_over_talk(cluster_session& session, double patience_seconds)
      : session_(&session),
        deadline_(clock::now() + std::chrono::milliseconds{static_cast<std::int64_t>(patience_seconds * 1'000)}) {}

  /// The latest view that a correct replica has reached; nothing if too few replicas answer.
  [[nodiscard]] std::optional<view_number> view() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock::now());
    const auto cluster = session_->cluster().parameters();
    const auto patience = std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds{1}, look_patience);
    const auto reports = collect_reports(session_->client(), cluster.replicas, patience, [] { return true; });
    if (reachable_count(reports) < cluster.group().quorum()) return std::nullopt;
    return current_view(reports, cluster);
  }

  /// Sends the requests until the group has reached the wanted view. Returns the view at that time.
  [[nodiscard]] std::optional<view_number> ask(const std::vector<asking_operator>& operators,
                                               const wanted_move& wanted) const {
    while (clock::now() < deadline_) {
      for (const auto& each : operators) {
        const auto epoch = session_->cluster().parameters().signing.epoch;
        const auto content = hand_over_of(each.self, wanted.about, wanted.to, wanted.cause, epoch);
        session_->client().tell_replicas(each.word(message_kind::hand_over, content, session_->cluster()));
      }
      std::this_thread::sleep_for(look_interval);
      const auto now = view();
      if (now && *now >= wanted.to) return now;
    }
    return std::nullopt;
  }

 private:
  static constexpr std::chrono::milliseconds look_interval{100};
  static constexpr std::chrono::milliseconds look_patience{1'000};

  cluster_session* session_;
  clock::time_point deadline_;
};

exit_code refuse(const wanted_move& wanted, std::size_t asked, group_size group) {
  if (wanted.cause == hand_over_cause::step_down && asked == 0) {
    return report_error(
        {fmt::format("replica {} is the primary, but its operator was not given", wanted.about.value),
         fmt::format("name its node.toml with --node, or name REPLICA and the node.toml files of {} replicas",
                     group.weak_quorum())},
        exit_code::failed);
  }
  if (wanted.cause == hand_over_cause::operators && asked < group.weak_quorum()) {
    return report_error(
        {fmt::format("{} requested replica {} as primary, which is not enough",
                     asked == 1 ? "one operator" : fmt::format("{} operators", asked), wanted.about.value),
         fmt::format("name the node.toml files of {} replicas with --node", group.weak_quorum())},
        exit_code::failed);
  }
  return report_error({fmt::format("the replicas did not enter view {} in time", wanted.to.value),
                       "check which replicas are reachable: hypermesh status; then run the command again"},
                      exit_code::no_quorum);
}

void print_outcome(const hand_over_options& options, replica_id primary, view_number view, bool moved) {
  if (!options.output.is_json()) return;
  print_json({{"primary", primary.value}, {"view", view.value}, {"moved", moved}}, 2);
}

exit_code hand_over_through(cluster_session& session, const hand_over_options& options) {
  const auto group = session.cluster().parameters().group();
  if (options.replica && !group.contains(replica_id{*options.replica})) {
    return report_error(
        {fmt::format("there is no replica {}", *options.replica), fmt::format("use 0 to {}", group.replicas() - 1)},
        exit_code::usage);
  }
  auto asking = operators_of(options.asking, session.cluster());
  if (!asking) return report_error(asking.error(), exit_code::usage);
  auto& operators = *asking;
  const hand_over_talk talk{session, options.asking.client.timeout_seconds};
  const auto view = talk.view();
  if (!view) {
    return report_error(
        {"too few replicas answered to determine the primary", "check which replicas are reachable: hypermesh status"},
        exit_code::no_quorum);
  }
  if (options.replica && group.primary_of(*view) == replica_id{*options.replica}) {
    print_outcome(options, replica_id{*options.replica}, *view, false);
    say(fmt::format("replica {} is already the primary, in view {}", *options.replica, view->value));
    return exit_code::ok;
  }
  const auto wanted = move_from(*view, options, group);
  const bool alone = wanted.cause == hand_over_cause::step_down;
  if (alone) std::erase_if(operators, [&](const auto& each) { return each.self != wanted.about; });
  const std::size_t voters = alone ? 1 : group.weak_quorum();
  // The requests are sent even if too few operators ask, because the others may ask at another time.
  const auto reached = operators.empty() ? std::nullopt : talk.ask(operators, wanted);
  if (!reached) return refuse(wanted, operators.size() < voters ? operators.size() : voters, group);
  print_outcome(options, group.primary_of(*reached), *reached, true);
  say(fmt::format("replica {} is the primary, in view {}", group.primary_of(*reached).value, reached->value));
  return exit_code::ok;
}

}  // namespace

void add_hand_over(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("hand-over", "Move the primary to another replica, without a fault");
  auto options = std::make_shared<hand_over_options>();
  options->asking.client.timeout_seconds = 5;
  command->footer(examples);
  add_asking_options(*command, options->asking);
  command->add_option("REPLICA", options->replica, "The next primary; by default the next replica in order")
      ->type_name("");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] {
    chosen = [options] {
      return ask_cluster(options->asking, [&](auto& session) { return hand_over_through(session, *options); });
    };
  });
}

}  // namespace hypermesh::cli
