#include "runtime/config_text.hpp"

#include <map>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/config_rows.hpp"

namespace hypermesh::runtime {

namespace {

using given_values = std::map<std::string, config_value, std::less<>>;

/// The comment of a key and its line. If `given` has a value for the full name, that value replaces the default.
std::string key_text(const documented_key& each, const given_values& given, written_keys which) {
  const auto& key = each.key;
  auto about = std::string{key.about};
  if (key.kind == value_kind::number && !key.is_required) {
    about += fmt::format(" ({}: {})", key.unit, bounds_text(key));
  }
  const auto own = given.find(full_name(key));
  const auto value = own != given.end() ? std::optional{own->second} : each.default_value;
  require(value || !key.is_required, "a new file has all required keys");
  const bool is_written = value && (which == written_keys::all || key.is_written || own != given.end());
  const auto literal = toml_literal(value.value_or(std::string{key.example}));
  return wrapped_text(about, "# ", "# ") + fmt::format("{}{} = {}\n", is_written ? "" : "# ", key.name, literal);
}

/// The text of all keys of a file, section by section.
std::string keys_text(std::string_view file, const given_values& given, written_keys which) {
  std::string text;
  for (const auto& section : config_sections()) {
    if (section.file != file) continue;
    text += "\n";
    // The keys before the first table follow the heading of the file directly.
    if (!section.table.empty()) {
      text += wrapped_text(section.about, "# ", "# ") + fmt::format("[{}]\n", section.table);
    }
    for (const auto& each : documented_keys()) {
      if (each.file == file && each.key.table == section.table) text += key_text(each, given, which);
    }
  }
  return text;
}

std::string heading(std::string_view text) { return wrapped_text(text, "# ", "# "); }

constexpr std::string_view genesis_path = "../genesis.toml";
constexpr std::string_view key_path = "secret.key";

// --- The reference -----------------------------------------------------------------

constexpr std::string_view reference_head = R"(# Configuration

Every key of `node.toml`, `client.toml` and the table `[cluster]` of `genesis.toml`. This file is
generated from the table of keys (`node_rows.cpp`, `link_rows.cpp`, `http_rows.cpp`,
`log_rows.cpp`, `config_rows.cpp`), which also drives the reader, the files of `hypermesh init`, and
`hypermesh config`:

```
hypermesh config explain links.client_links_max            # one key
hypermesh config print-default                             # node.toml with all defaults
hypermesh config print-effective FILE --show-origin        # the values of a file, and their lines
hypermesh config check FILE...                             # every problem at once
hypermesh config print-reference > runtime/CONFIGURATION.md
```

A path is relative to the file that holds it. An unknown key is an error, and so is a value outside
of its bounds. Where a key is bounded by another one, a value that is not in the file follows a
lower bound by itself.
)";

constexpr std::string_view genesis_note = R"(
`genesis.toml` has one table `[[replica]]` for each replica, with `number`, `address` and `key`, and
one table `[[client]]` for each client, with `number` and `key`. Numbers count from 0 in the order
of the file. An address is `HOST:PORT`, and may change without making another cluster.
)";

/// The bounds, with the name of the other key as code. The name has no table if the other key is in the same table.
std::string marked_bounds(const config_key& key) {
  const auto text = bounds_text(key);
  const auto at = key.larger.empty() ? std::string::npos : text.find(key.larger);
  if (at == std::string::npos) return text;
  const auto own_table = std::string{key.table} + ".";
  const auto shown = key.larger.starts_with(own_table) ? key.larger.substr(own_table.size()) : key.larger;
  return text.substr(0, at) + fmt::format("`{}`", shown);
}

std::string section_reference(const config_section& section) {
  auto text = fmt::format("\n## `{}`", section.file);
  if (!section.table.empty()) text += fmt::format(", `[{}]`", section.table);
  text += "\n\n" + wrapped_text(section.about, "", "") + "\n| key | unit | bounds | default |\n|---|---|---|---|\n";
  std::string sentences;
  for (const auto& each : documented_keys()) {
    const auto& key = each.key;
    if (each.file != section.file || key.table != section.table) continue;
    text += fmt::format("| `{}` | {} | {} | {} |\n", key.name, key.unit, marked_bounds(key), default_text(each));
    sentences += wrapped_text(fmt::format("`{}`: {}", key.name, key.about), "- ", "  ");
  }
  return text + "\n" + sentences;
}

std::string old_names_reference() {
  std::string text =
      "\n## Old names\n\nA file with an old name is refused, and the error names the new one.\n\n"
      "| before | now |\n|---|---|\n";
  for (const auto& each : renamed_keys())
    text += fmt::format("| `{}` | `{}` |\n", each.before, each.now);
  return text;
}

}  // namespace

std::string node_file_text(std::uint32_t replica, written_keys which) {
  const auto top = heading(
      fmt::format("Replica {} of the cluster. Paths are relative to this file. A line that is a comment shows the "
                  "default. For an explanation, run: hypermesh config explain KEY",
                  replica));
  return top + keys_text("node.toml",
                         {{"genesis", std::string{genesis_path}},
                          {"replica", std::uint64_t{replica}},
                          {"key_file", std::string{key_path}}},
                         which);
}

std::string client_file_text(std::uint32_t client) {
  return heading(fmt::format("Client {} of the cluster. Paths are relative to this file.", client)) +
         keys_text("client.toml",
                   {{"genesis", std::string{genesis_path}},
                    {"client", std::uint64_t{client}},
                    {"key_file", std::string{key_path}}},
                   written_keys::chosen);
}

std::string genesis_head_text(const genesis& content) {
  given_values values;
  for (const auto& row : cluster_rows())
    values.emplace(full_name(row.key), row.get(content));
  return heading(
             "Genesis of a HyperMesh cluster, equal at every member. Its content without the addresses is the "
             "identity of the cluster.") +
         keys_text("genesis.toml", values, written_keys::chosen);
}

std::string reference_text() {
  std::string text{reference_head};
  for (const auto& section : config_sections())
    text += section_reference(section);
  return text + std::string{genesis_note} + old_names_reference();
}

}  // namespace hypermesh::runtime
