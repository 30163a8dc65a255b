#include <thread>

#include <fmt/format.h>

#include "actors/protocol/accusation.hpp"
#include "messages/codec.hpp"
#include "runtime/ed25519_authenticator.hpp"
#include "tools/hypermesh/cluster_reports.hpp"
#include "tools/hypermesh/cluster_session.hpp"
#include "tools/hypermesh/console.hpp"
#include "tools/hypermesh/hard_deadline.hpp"

namespace hypermesh::cli {

namespace {

using clock = std::chrono::steady_clock;

struct release_options {
  client_options client;
  std::uint32_t replica = 0;
  std::vector<std::uint32_t> operators;
  std::vector<std::string> node_files;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh release --cluster mycluster 2                        as the operator of all replicas\n"
    "  hypermesh release --cluster mycluster --operator 0 2           as the operator of replica 0 alone\n"
    "  hypermesh release --config client.toml --node replica-0/node.toml 2\n"
    "\n"
    "A replica leaves its quarantine early when the operators of f + 1 replicas ask for it, each with the key of "
    "their\n"
    "own replica; each may ask at a time of their own. What it did stays in the ledger. See 'hypermesh status' for "
    "who\n"
    "is in quarantine, and the audit trail for why.\n"
    "\n"
    "Exit codes: 0 released; 1 not in quarantine, or more operators have to ask; 2 wrong files; 3 no answer in time.";

/// The node files of those who ask.
std::vector<std::filesystem::path> node_files_of(const release_options& options, const genesis& cluster) {
  std::vector<std::filesystem::path> files{options.node_files.begin(), options.node_files.end()};
  if (!files.empty() || options.client.cluster.empty()) return files;
  const cluster_layout layout{options.client.cluster};
  for (std::uint32_t number = 0; number < cluster.replicas.size(); ++number) {
    const bool asks =
        options.operators.empty() ? number != options.replica : std::ranges::count(options.operators, number) > 0;
    if (asks) files.push_back(layout.node_file(number));
  }
  return files;
}

/// The PARDON of the operator whose node file this is.
or_error<frame_ptr> pardon_from(const std::filesystem::path& file, const genesis& cluster, replica_id replica,
                                sequence_number convicted_at) {
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
  const auto& keys = *std::get<std::shared_ptr<const ed25519_authenticator>>(made);
  const auto signing = cluster.parameters().signing;
  const auto content = pardon_of(config.self, replica, convicted_at, signing.epoch);
  const auto by = keys.sign(signing_input(signing, message_kind::pardon, statement_bytes(content)));
  return encode_vote(message_kind::pardon, {content, by});
}

or_error<std::vector<frame_ptr>> pardons_from(const std::vector<std::filesystem::path>& files, const genesis& cluster,
                                              replica_id replica, sequence_number convicted_at) {
  std::vector<frame_ptr> pardons;
  for (const auto& file : files) {
    auto pardon = pardon_from(file, cluster, replica, convicted_at);
    if (auto* error = std::get_if<world_error>(&pardon)) return std::move(*error);
    pardons.push_back(std::get<frame_ptr>(pardon));
  }
  return pardons;
}

/// The cluster, as the one who asks sees it.
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
  /// Tells what `pardons_for` its conviction gives until the replica is free or patience is over; whether it is free.
  template <class Pardons>
  [[nodiscard]] or_error<bool> tell(agreed_standing convicted, const Pardons& pardons_for) const {
    while (clock::now() < deadline_) {
      auto pardons = pardons_for(convicted.convicted_at);
      if (auto* error = std::get_if<world_error>(&pardons)) return std::move(*error);
      for (const auto& each : std::get<std::vector<frame_ptr>>(pardons))
        session_->client().tell_replicas(each);
      std::this_thread::sleep_for(look_interval);
      const auto now = standing();
      if (!now) continue;
      // Its conviction is not forgotten, so that is no word of one who never heard of it.
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

exit_code release_through(cluster_session& session, const release_options& options) {
  const auto group = session.cluster().parameters().group();
  const replica_id replica{options.replica};
  if (!group.contains(replica)) {
    return report_error({fmt::format("there is no replica {}", options.replica),
                         fmt::format("replicas are 0 to {}", group.replicas() - 1)},
                        exit_code::usage);
  }
  const release_talk talk{session, replica, options.client.timeout_seconds};
  const auto agreed = talk.standing();
  if (!agreed) {
    return report_error({"too few replicas answer to say whether it is in quarantine",
                         "see with 'hypermesh status' which replicas are reachable"},
                        exit_code::no_quorum);
  }
  if (!agreed->is_convicted()) {
    return report_error({fmt::format("replica {} is not in quarantine", options.replica), ""}, exit_code::failed);
  }
  const auto files = node_files_of(options, session.cluster());
  if (files.empty()) return report_error({"nobody asks", "name the files of your nodes with --node"}, exit_code::usage);
  const auto released = talk.tell(*agreed, [&](sequence_number convicted_at) {
    return pardons_from(files, session.cluster(), replica, convicted_at);
  });
  if (const auto* error = std::get_if<world_error>(&released)) return report_error(*error, exit_code::usage);
  if (std::get<bool>(released)) {
    say(fmt::format("replica {} is released", options.replica));
    return exit_code::ok;
  }
  return report_error(
      {fmt::format("{} asked, and replica {} is still in quarantine",
                   files.size() == 1 ? "one operator" : fmt::format("{} operators", files.size()), options.replica),
       fmt::format("the operators of {} replicas have to ask; what was asked is not forgotten while "
                   "the replicas run",
                   group.weak_quorum())},
      exit_code::failed);
}

exit_code run_release(const release_options& options) {
  auto config = read_client_of(options.client);
  if (const auto* error = std::get_if<world_error>(&config)) return report_error(*error, exit_code::usage);
  if (const auto error = objection_to_limits(std::get<client_config>(config).cluster)) {
    return report_error(*error, exit_code::failed);
  }
  // After the last look the files of the operators are read.
  hard_deadline deadline{options.client.timeout_seconds + 1};
  auto opened = cluster_session::open(std::move(std::get<client_config>(config)), {});
  if (const auto* error = std::get_if<world_error>(&opened)) return report_error(*error, exit_code::usage);
  return deadline.settle(release_through(*std::get<std::unique_ptr<cluster_session>>(opened), options));
}

}  // namespace

void add_release(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("release", "Release a replica from its quarantine");
  auto options = std::make_shared<release_options>();
  options->client.timeout_seconds = 5;
  command->footer(examples);
  add_client_options(*command, options->client);
  auto* of = command->add_option("--operator", options->operators, "Of the nodes in --cluster only these ask")
                 ->type_name("N")
                 ->delimiter(',');
  command->add_option("--node", options->node_files, "A node file whose operator asks; may be repeated")
      ->excludes(of)
      ->type_name("FILE");
  command->add_option("REPLICA", options->replica, "The number of the replica")->required()->type_name("");
  command->callback([options, &chosen] { chosen = [options] { return run_release(*options); }; });
}

}  // namespace hypermesh::cli
