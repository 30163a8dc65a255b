#include "tools/hypermesh/client/asking_operator.hpp"

#include <fmt/format.h>

#include "runtime/member_identity.hpp"
#include "runtime/node_config.hpp"

namespace hypermesh::cli {

frame_ptr asking_operator::word(message_kind kind, const statement& content, const genesis& cluster) const {
  const auto by = keys->sign(signing_input(cluster.parameters().signing, kind, statement_bytes(content)));
  return encode_vote(kind, {content, by});
}

or_error<asking_operator> operator_of(const std::filesystem::path& file, const genesis& cluster) {
  auto read = read_node_config(file);
  std::error_code unknown;
  if (!read && !std::filesystem::exists(file, unknown) && !unknown) {
    return tl::unexpected(world_error{
        read.error().what,
        "name the operators whose files are on this machine with --operator N, or the node.toml of each with --node",
        fault_origin::configuration});
  }
  if (!read) return failure_of(read);
  const auto& config = *read;
  if (config.cluster.id() != cluster.id()) {
    return tl::unexpected(
        world_error{fmt::format("{} belongs to another cluster", file.string()), "name a node.toml of this cluster"});
  }
  auto keys = load_keys(config.key_file, principal::of(config.self), cluster);
  if (!keys) return failure_of(keys);
  return asking_operator{config.self, std::move(*keys)};
}

}  // namespace hypermesh::cli
