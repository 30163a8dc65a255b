#include "tools/hypermesh/commands/config_page.hpp"

#include <fmt/format.h>

#include "messages/layers.hpp"
#include "runtime/config_key.hpp"
#include "tools/hypermesh/terminal/manual_page.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto description =
    "A cluster has one genesis.toml, equal at every member. Each replica has a node.toml, and each client a "
    "client.toml. "
    "`hypermesh init` makes these files. They are TOML files. A path is relative to the file that holds it. An unknown "
    "key is an error, and so is a value outside of its bounds. A key that is not in the file has its default.";

constexpr auto members =
    "genesis.toml has one table [[replica]] for each replica, with number, address and key, and one table [[client]] "
    "for "
    "each client, with number and key. Numbers count from 0 in the order of the file. An address is HOST:PORT.";

constexpr auto commands =
    "  hypermesh config check FILE...                     every problem at once\n"
    "  hypermesh config explain links.client_links_max    one key\n"
    "  hypermesh config print-default                     node.toml with all defaults\n"
    "  hypermesh config print-effective FILE --show-origin\n"
    "                                                     the values in use, with their lines\n";

std::string facts_of(const documented_key& each) {
  return fmt::format("{} Unit: {}. Bounds: {}. Default: {}.", each.key.about, each.key.unit, bounds_text(each.key),
                     default_text(each));
}

}  // namespace

std::string config_page() {
  manual_page page{"node.toml", 5, "node.toml, client.toml, genesis.toml", "configuration files of HyperMesh"};
  page.section("DESCRIPTION");
  page.paragraph(description);
  page.paragraph(members);
  std::string_view file;
  for (const auto& section : config_sections()) {
    if (section.file != file) page.section(fmt::format("KEYS OF {}", section.file));
    file = section.file;
    page.subsection(section.table.empty() ? "Keys outside of tables" : fmt::format("[{}]", section.table));
    page.paragraph(section.about);
    for (const auto& each : documented_keys()) {
      if (each.file == section.file && each.key.table == section.table) page.entry(each.key.name, facts_of(each));
    }
  }
  page.section("OLD NAMES");
  page.paragraph("A file with an old name is refused, and the error names the new one.");
  for (const auto& each : renamed_keys())
    page.entry(each.before, fmt::format("Now {}.", each.now));
  page.section("COMMANDS");
  page.help_text(commands);
  page.section("SEE ALSO");
  page.paragraph("hypermesh(1)");
  return page.text();
}

}  // namespace hypermesh::cli
