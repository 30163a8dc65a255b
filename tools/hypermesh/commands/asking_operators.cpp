#include "tools/hypermesh/commands/asking_operators.hpp"

#include <algorithm>

#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"

namespace hypermesh::cli {

namespace {

std::vector<std::filesystem::path> node_files_of(const asking_options& options, const genesis& cluster,
                                                 std::optional<replica_id> left_out) {
  std::vector<std::filesystem::path> files{options.node_files.begin(), options.node_files.end()};
  if (!files.empty() || options.client.cluster.empty()) return files;
  const cluster_layout layout{options.client.cluster};
  for (std::uint32_t number = 0; number < cluster.replicas.size(); ++number) {
    const bool asks =
        options.operators.empty() ? replica_id{number} != left_out : std::ranges::count(options.operators, number) > 0;
    if (asks) files.push_back(layout.node_file(number));
  }
  return files;
}

}  // namespace

void add_asking_options(CLI::App& command, asking_options& into) {
  add_client_options(command, into.client);
  auto* of = command.add_option("--operator", into.operators, "Use only these operators of the nodes in --cluster")
                 ->type_name("N")
                 ->delimiter(',');
  command.add_option("--node", into.node_files, "The node.toml of an operator; may be repeated")
      ->excludes(of)
      ->type_name("FILE");
}

or_error<std::vector<asking_operator>> operators_of(const asking_options& options, const genesis& cluster,
                                                    std::optional<replica_id> left_out) {
  std::vector<asking_operator> operators;
  for (const auto& file : node_files_of(options, cluster, left_out)) {
    auto who = operator_of(file, cluster);
    if (!who) return failure_of(who);
    operators.push_back(std::move(who).value());
  }
  if (operators.empty())
    return tl::unexpected(world_error{"no operator given", "name the node.toml of each operator with --node"});
  return operators;
}

exit_code ask_cluster(const asking_options& options, const std::function<exit_code(cluster_session&)>& ask) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  // The deadline is one second after the time-out, because the commands read the operators' files after they have asked
  // the cluster for the last time.
  hard_deadline deadline{options.client.timeout_seconds + 1};
  auto opened = cluster_session::open(std::move(*config), {});
  if (!opened) return report_error(opened.error(), exit_code::usage);
  return deadline.settle(ask(**opened));
}

}  // namespace hypermesh::cli
