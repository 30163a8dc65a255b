#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "tests/style/style_rules.hpp"

namespace hypermesh::style {

namespace {

/// A folder or file, and the namespace of its sources.
struct scope {
  std::string_view path;
  std::string_view name;
};

/// The first entry that a path begins with decides.
constexpr std::array scopes = {
    // What hosts use stands directly in `hypermesh`, because hosts write its name.
    scope{"messages/layers.hpp", "hypermesh"},
    scope{"messages/types.", "hypermesh"},
    scope{"messages/time.", "hypermesh"},
    scope{"messages/expected.", "hypermesh"},
    scope{"messages/limits.hpp", "hypermesh::limits"},
    scope{"actors/ports.", "hypermesh"},
    scope{"actors/protocol/base/state_root.cpp", "hypermesh"},
    scope{"actors/protocol/receipts/receipt_names.cpp", "hypermesh"},
    // Contains the actors of hosts and the class that starts them.
    scope{"runtime/include/hypermesh/caf/", ""},
    scope{"runtime/include/", "hypermesh"},
    scope{"runtime/host_actors/module.cpp", "hypermesh"},
    scope{"runtime/host_actors/", "hypermesh::host"},
    scope{"runtime/consensus_client.", "hypermesh"},
    scope{"runtime/consensus_manager.", "hypermesh"},
    scope{"runtime/state_machines/small_state_machine.", "hypermesh"},
    scope{"runtime/state_machines/state_map.", "hypermesh"},
    scope{"runtime/cluster_creation.", "hypermesh"},
    scope{"runtime/genesis.", "hypermesh"},
    scope{"runtime/receipt.", "hypermesh"},
    scope{"runtime/node_config.", "hypermesh"},
    scope{"messages/", "hypermesh::messages"},
    scope{"actors/protocol/", "hypermesh::protocol"},
    scope{"actors/", "hypermesh::actors"},
    scope{"runtime/audit/", "hypermesh::audit"},
    scope{"runtime/base/", "hypermesh::base"},
    scope{"runtime/feed/", "hypermesh::feed"},
    scope{"runtime/http/", "hypermesh::http"},
    scope{"runtime/health/", "hypermesh::health"},
    scope{"runtime/links/", "hypermesh::links"},
    scope{"runtime/scheduling/", "hypermesh::scheduling"},
    scope{"runtime/metrics/", "hypermesh::metrics"},
    scope{"runtime/state_machines/", "hypermesh::machines"},
    scope{"runtime/storage/", "hypermesh::storage"},
    scope{"runtime/", "hypermesh::runtime"},
    scope{"tools/hypermesh-lab/", "hypermesh::lab"},
    scope{"tools/hypermesh/", "hypermesh::cli"},
    scope{"tests/style/", "hypermesh::style"},
    // Stands in for files of other folders, so it stands in their namespaces.
    scope{"tests/costs/counted/", ""},
    scope{"tests/", "hypermesh::testing"},
};

const scope* scope_of(std::string_view path) {
  const auto* found =
      std::find_if(scopes.begin(), scopes.end(), [&](const scope& each) { return path.starts_with(each.path); });
  return found == scopes.end() ? nullptr : found;
}

/// "hypermesh::links" of "namespace hypermesh::links {"; empty for another line, and for a namespace that stands inside
/// another one or belongs to a library.
std::string_view opened_in(std::string_view line) {
  constexpr std::string_view keyword = "namespace ";
  if (!line.starts_with(keyword) || !line.ends_with(" {")) return {};
  line.remove_prefix(keyword.size());
  line.remove_suffix(2);
  const bool is_ours = line == "hypermesh" || line.starts_with("hypermesh::");
  // Forward declarations of the generated code.
  return is_ours && line != "hypermesh::wire" ? line : std::string_view{};
}

/// A name below the one of the folder is the folder's own matter.
bool is_in(std::string_view name, std::string_view wanted) {
  return name == wanted || (wanted != "hypermesh" && name.starts_with(std::string(wanted) + "::"));
}

void check_file(const source_file& file, std::string_view wanted, violations& found) {
  std::string_view rest = file.text;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto opened = opened_in(rest.substr(0, end));
    if (!opened.empty() && !is_in(opened, wanted)) {
      found.push_back({file.path, line,
                       "opens namespace " + std::string(opened) + ", but the files here stand in " +
                           std::string(wanted) + " (namespace_rules.cpp)"});
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

}  // namespace

violations check_namespaces(const source_tree& tree) {
  violations found;
  for (const auto& file : tree) {
    if (!file.path.ends_with(".hpp") && !file.path.ends_with(".cpp")) continue;
    const auto* own = scope_of(file.path);
    if (own != nullptr && !own->name.empty()) check_file(file, own->name, found);
  }
  return found;
}

}  // namespace hypermesh::style
