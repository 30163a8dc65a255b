#include <thread>

#include <fmt/format.h>

#include "actors/protocol/accusation.hpp"
#include "messages/codec.hpp"
#include "runtime/ed25519_authenticator.hpp"
#include "tools/hypermesh/cluster_reports.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/console.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

struct hand_over_options {
  client_options client;
  std::optional<std::uint32_t> replica;
  std::vector<std::uint32_t> operators;
  std::vector<std::string> node_files;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh hand-over --cluster mycluster                        to the next primary\n"
    "  hypermesh hand-over --cluster mycluster 2                      to replica 2\n"
    "  hypermesh hand-over --config client.toml --node replica-0/node.toml\n"
    "\n"
    "Before the machine of the primary is stopped. All replicas leave their view together at one point of the order,\n"
    "and the next primary takes over what waits; nobody is blamed and no request fails. The operator of the primary\n"
    "alone may have it step down, because a primary could as well be silent; who names another primary needs the\n"
    "operators of f + 1 replicas. Their keys are in --node, or in --cluster, of which --operator takes some.\n"
    "\n"
    "Exit codes: 0 another primary leads; 1 more operators have to ask; 2 wrong files; 3 no answer in time.";

struct asking_operator {
  replica_id self;
  std::shared_ptr<const ed25519_authenticator> keys;
};

std::vector<std::filesystem::path> node_files_of(const hand_over_options& options, const genesis& cluster) {
  std::vector<std::filesystem::path> files{options.node_files.begin(), options.node_files.end()};
  if (!files.empty() || options.client.cluster.empty()) return files;
  const cluster_layout layout{options.client.cluster};
  for (std::uint32_t number = 0; number < cluster.replicas.size(); ++number) {
    const bool asks = options.operators.empty() || std::ranges::count(options.operators, number) > 0;
    if (asks) files.push_back(layout.node_file(number));
  }
  return files;
}

or_error<asking_operator> operator_of(const std::filesystem::path& file, const genesis& cluster) {
  auto read = read_node_config(file);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& config = std::get<node_config>(read);
  if (config.cluster.id() != cluster.id()) {
    return world_error{fmt::format("{} is a node of another cluster", file.string()), "name a node of this cluster"};
  }
  auto key = read_secret_key(config.key_file);
  if (auto* error = std::get_if<world_error>(&key)) return std::move(*error);
  auto made =
      ed25519_authenticator::make(principal::of(config.self), std::move(std::get<secret_key>(key)), cluster.keys());
  if (auto* error = std::get_if<world_error>(&made)) return std::move(*error);
  return asking_operator{config.self, std::get<std::shared_ptr<const ed25519_authenticator>>(std::move(made))};
}

/// What is asked for in `view`: of the primary's operator alone that it steps down, of several a certain primary.
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

frame_ptr hand_over_from(const asking_operator& who, const wanted_move& wanted, const genesis& cluster) {
  const auto signing = cluster.parameters().signing;
  const auto content = hand_over_of(who.self, wanted.about, wanted.to, wanted.cause, signing.epoch);
  const auto by = who.keys->sign(signing_input(signing, message_kind::hand_over, statement_bytes(content)));
  return encode_vote(message_kind::hand_over, {content, by});
}

/// The cluster, as the one who asks sees it.
class hand_over_talk {
 public:
  hand_over_talk(cluster_session& session, double patience_seconds)
      : session_(&session),
        deadline_(clock::now() + std::chrono::milliseconds{static_cast<std::int64_t>(patience_seconds * 1'000)}) {}

  /// The latest view that a correct replica has reached; nothing when too few answer.
  [[nodiscard]] std::optional<view_number> view() const {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - clock::now());
    const auto cluster = session_->cluster().parameters();
    const auto patience = std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds{1}, look_patience);
    const auto reports = collect_reports(session_->client(), cluster.replicas, patience, [] { return true; });
    if (reachable_count(reports) < cluster.group().quorum()) return std::nullopt;
    return current_view(reports, cluster);
  }

  /// Asks until the group is where it is to go; the view then.
  [[nodiscard]] std::optional<view_number> ask(const std::vector<asking_operator>& operators,
                                               const wanted_move& wanted) const {
    while (clock::now() < deadline_) {
      for (const auto& each : operators)
        session_->client().tell_replicas(hand_over_from(each, wanted, session_->cluster()));
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
    return report_error({fmt::format("replica {} leads, and its operator did not ask", wanted.about.value),
                         fmt::format("name its node with --node, or name the next primary as operators of {} replicas",
                                     group.weak_quorum())},
                        exit_code::failed);
  }
  if (wanted.cause == hand_over_cause::operators && asked < group.weak_quorum()) {
    return report_error(
        {fmt::format("{} asked for replica {} as primary",
                     asked == 1 ? "one operator" : fmt::format("{} operators", asked), wanted.about.value),
         fmt::format("the operators of {} replicas have to ask: name their nodes with --node", group.weak_quorum())},
        exit_code::failed);
  }
  return report_error({fmt::format("the group did not come to view {} in time", wanted.to.value),
                       "see with 'hypermesh status' which replicas are reachable, then ask again"},
                      exit_code::no_quorum);
}

exit_code hand_over_through(cluster_session& session, const hand_over_options& options) {
  const auto group = session.cluster().parameters().group();
  if (options.replica && !group.contains(replica_id{*options.replica})) {
    return report_error({fmt::format("there is no replica {}", *options.replica),
                         fmt::format("replicas are 0 to {}", group.replicas() - 1)},
                        exit_code::usage);
  }
  const auto files = node_files_of(options, session.cluster());
  if (files.empty()) return report_error({"nobody asks", "name the files of your nodes with --node"}, exit_code::usage);
  std::vector<asking_operator> operators;
  for (const auto& file : files) {
    auto who = operator_of(file, session.cluster());
    if (const auto* error = std::get_if<world_error>(&who)) return report_error(*error, exit_code::usage);
    operators.push_back(std::get<asking_operator>(std::move(who)));
  }
  const hand_over_talk talk{session, options.client.timeout_seconds};
  const auto view = talk.view();
  if (!view) {
    return report_error({"too few replicas answer to say who leads", "see with 'hypermesh status' which are reachable"},
                        exit_code::no_quorum);
  }
  if (options.replica && group.primary_of(*view) == replica_id{*options.replica}) {
    say(fmt::format("replica {} leads already, in view {}", *options.replica, view->value));
    return exit_code::ok;
  }
  const auto wanted = move_from(*view, options, group);
  const bool alone = wanted.cause == hand_over_cause::step_down;
  if (alone) std::erase_if(operators, [&](const auto& each) { return each.self != wanted.about; });
  const std::size_t voters = alone ? 1 : group.weak_quorum();
  // What fewer ask is told as well: others may ask at a time of their own.
  const auto reached = operators.empty() ? std::nullopt : talk.ask(operators, wanted);
  if (!reached) return refuse(wanted, operators.size() < voters ? operators.size() : voters, group);
  say(fmt::format("replica {} leads, in view {}", group.primary_of(*reached).value, reached->value));
  return exit_code::ok;
}

exit_code run_hand_over(const hand_over_options& options) {
  auto config = read_client_of(options.client);
  if (const auto* error = std::get_if<world_error>(&config)) return report_error(*error, exit_code::usage);
  auto opened = cluster_session::open(std::move(std::get<client_config>(config)), {});
  if (const auto* error = std::get_if<world_error>(&opened)) return report_error(*error, exit_code::usage);
  return hand_over_through(*std::get<std::unique_ptr<cluster_session>>(opened), options);
}

}  // namespace

void add_hand_over(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("hand-over", "Have another replica lead, without a fault");
  auto options = std::make_shared<hand_over_options>();
  options->client.timeout_seconds = 5;
  command->footer(examples);
  add_client_options(*command, options->client);
  auto* of = command->add_option("--operator", options->operators, "Of the nodes in --cluster only these ask")
                 ->type_name("N")
                 ->delimiter(',');
  command->add_option("--node", options->node_files, "A node file whose operator asks; may be repeated")
      ->excludes(of)
      ->type_name("FILE");
  command->add_option("REPLICA", options->replica, "The replica that is to lead; the next one if there is none given")
      ->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_hand_over(*options); }; });
}

}  // namespace hypermesh::cli
