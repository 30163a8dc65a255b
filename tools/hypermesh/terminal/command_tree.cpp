#include "tools/hypermesh/terminal/command_tree.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hypermesh::cli {

namespace {

/// The words of "FORMAT:{table,json}", which is how the parser describes an option that has one of some words.
std::vector<std::string> words_in(const std::string& type) {
  const auto begin = type.find('{');
  const auto end = type.find('}', begin == std::string::npos ? 0 : begin);
  std::vector<std::string> words;
  if (begin == std::string::npos || end == std::string::npos) return words;
  auto rest = type.substr(begin + 1, end - begin - 1);
  while (!rest.empty()) {
    const auto comma = rest.find(',');
    words.push_back(rest.substr(0, comma));
    rest = comma == std::string::npos ? std::string{} : rest.substr(comma + 1);
  }
  return words;
}

option_entry entry_of(const CLI::Option& option) {
  option_entry entry;
  const auto type = option.get_type_name();
  entry.about = option.get_description();
  entry.default_value = option.get_default_str();
  entry.takes_value = option.get_items_expected_max() > 0;
  entry.is_required = option.get_required();
  entry.is_repeated = option.get_items_expected_max() > 1;
  if (entry.takes_value) entry.words = words_in(type);
  if (option.get_positional()) {
    entry.names = {option.get_name(true, false)};
    return entry;
  }
  for (const auto& name : option.get_snames())
    entry.names.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    entry.names.push_back("--" + name);
  if (entry.takes_value) entry.value = type.substr(0, type.find(':'));
  return entry;
}

/// Adds the options of the app and of its groups of options, which the parser keeps as commands without a name.
void add_options(const CLI::App& app, command_entry& into) {
  for (const auto* each : app.get_options()) {
    if (each->get_group().empty()) continue;
    (each->get_positional() ? into.positionals : into.options).push_back(entry_of(*each));
  }
  for (const auto* each : app.get_subcommands([](const CLI::App* part) { return part->get_name().empty(); }))
    add_options(*each, into);
}

command_entry entry_of(const CLI::App& app, std::vector<std::string> path) {
  command_entry entry{std::move(path), app.get_description(), app.get_footer(), {}, {}, {}};
  add_options(app, entry);
  const auto is_shown = [](const CLI::App* part) { return !part->get_name().empty() && !part->get_group().empty(); };
  for (const auto* each : app.get_subcommands(is_shown)) {
    auto longer = entry.path;
    longer.push_back(each->get_name());
    entry.commands.push_back(entry_of(*each, std::move(longer)));
  }
  return entry;
}

void add_entries(const command_entry& from, std::vector<const command_entry*>& into) {
  into.push_back(&from);
  for (const auto& each : from.commands)
    add_entries(each, into);
}

}  // namespace

bool option_entry::is_path() const {
  const auto& kind = value.empty() && !names.empty() ? names.front() : value;
  return takes_value && (kind == "FILE" || kind == "DIR" || kind == "DIRECTORY");
}

std::string command_entry::path_text() const { return fmt::format("{}", fmt::join(path, " ")); }

command_entry tree_of(const CLI::App& app) { return entry_of(app, {}); }

std::vector<const command_entry*> all_entries(const command_entry& root) {
  std::vector<const command_entry*> all;
  add_entries(root, all);
  return all;
}

}  // namespace hypermesh::cli
