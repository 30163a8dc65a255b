#include "tools/hypermesh/terminal/command_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/nearest_word.hpp"
#include "runtime/links/handshake.hpp"
#include "tools/hypermesh/terminal/command_tree.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  auto all = app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
  std::erase_if(all, [](const CLI::App* each) { return each->get_group().empty(); });
  return all;
}

std::vector<std::string> names_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* each : commands_of(app))
    names.push_back(each->get_name());
  return names;
}

/// The command of `app` with this name.
const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const auto* each : commands_of(app)) {
    if (each->get_name() == name) return each;
  }
  return nullptr;
}

void add_leaves(const CLI::App& app, const std::vector<std::string>& path, std::vector<leaf_command>& leaves) {
  for (const auto* each : commands_of(app)) {
    auto longer = path;
    longer.push_back(each->get_name());
    if (commands_of(*each).empty()) {
      leaves.push_back({std::move(longer), each});
    } else {
      add_leaves(*each, longer, leaves);
    }
  }
}

/// Whether the option's values are whole numbers, judged by the name of its type.
bool is_numeric(const CLI::Option& option) {
  const auto type = option.get_type_name();
  const auto name = type.substr(0, type.find(':'));
  return name == "N" || name == "K" || name == "S" || name == "MIB" || name == "PID";
}

/// The command that the words choose: each word that names a command leads to it.
const CLI::App& command_in(const CLI::App& app, std::span<const std::string> words) {
  const auto* at = &app;
  for (const auto& word : words) {
    if (word.starts_with('-')) break;
    const auto* const next = find_command(*at, word);
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

/// The long options of the command, with their dashes.
std::vector<std::string> long_options_of(const command_entry& command) {
  std::vector<std::string> names;
  for (const auto& option : command.options)
    std::ranges::copy_if(option.names, std::back_inserter(names), [](const auto& each) { return each.size() > 2; });
  return names;
}

/// Messages about all words that look like options and are none, for example "unknown option '--replcias'; did you mean
/// '--replicas'?". Empty if every option is known.
std::string unknown_options_text(const CLI::App& app, std::span<const std::string> words) {
  const auto known = long_options_of(tree_of(command_in(app, words)));
  std::string text;
  for (const auto& word : words) {
    if (word == "--") break;
    const auto name = word.substr(0, word.find('='));
    if (!name.starts_with("--") || std::ranges::find(known, name) != known.end()) continue;
    text += fmt::format("{}unknown option '{}'{}", text.empty() ? "" : "; ", shortened_word(name),
                        did_you_mean(name, known));
  }
  return text;
}

/// Refuses values that no option may have although the parser accepts them.
or_error<void> check_value(const CLI::Option& option, const std::string& value) {
  // An empty value usually comes from a shell variable that is not set. A positional word may be empty, because the
  // value of a key may be empty.
  if (value.empty() && !option.get_positional()) {
    return tl::unexpected(world_error{fmt::format("the value of {} is empty", option.get_name()),
                                      "write a value; if a shell variable holds it, check that the variable is set"});
  }
  // For a larger number, the parser would silently use the largest number that it can represent.
  std::uint64_t number = 0;
  const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (is_numeric(option) && wrong == std::errc::result_out_of_range) {
    return tl::unexpected(
        world_error{fmt::format("{}: the number '{}' is too large", option.get_name(), value),
                    fmt::format("write a number up to {}", std::numeric_limits<std::uint64_t>::max())});
  }
  return {};
}

/// Applies `check_value` to all values of a parsed command.
or_error<void> check_values(const CLI::App& app) {
  for (const auto* each : app.get_options()) {
    if (each->get_items_expected_max() == 0) continue;
    for (const auto& value : each->results()) {
      if (auto done = check_value(*each, value); !done) return done;
    }
  }
  const auto parts =
      app.get_subcommands([](const CLI::App* part) { return part->get_name().empty() || part->parsed(); });
  for (const auto* part : parts) {
    if (auto done = check_values(*part); !done) return done;
  }
  return {};
}

}  // namespace

or_error<void> check_command(const CLI::App& app, std::span<const std::string> words) {
  const auto* at = &app;
  auto path = app.get_name();
  for (const auto& word : words) {
    if (commands_of(*at).empty() || word.starts_with('-')) return {};
    const auto* const next = find_command(*at, word);
    if (next == nullptr) {
      return tl::unexpected(
          world_error{fmt::format("unknown command '{}'{}", shortened_word(word), did_you_mean(word, names_of(*at))),
                      fmt::format("use a command of '{}': {}", path, fmt::join(names_of(*at), ", "))});
    }
    at = next;
    path += " " + word;
  }
  if (commands_of(*at).empty()) return {};
  return tl::unexpected(world_error{fmt::format("'{}' needs a command", path),
                                    fmt::format("use one of {}", fmt::join(names_of(*at), ", "))});
}

void complete_footers(CLI::App& app) {
  const auto parts = app.get_subcommands([](CLI::App* each) { return !each->get_name().empty(); });
  for (auto* each : parts)
    complete_footers(*each);
  if (!parts.empty() || app.get_footer().find("Exit codes:") != std::string::npos) return;
  const auto space = app.get_footer().empty() ? "" : "\n\n";
  app.footer(app.get_footer() + space + "Exit codes: 0 done; 1 the command failed; 2 wrong usage or configuration.");
}

std::string command_path(const CLI::App& app) {
  auto path = app.get_name();
  const auto* at = &app;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    path += " " + at->get_name();
  }
  return path;
}

CLI::App* add_help(CLI::App& app, std::vector<std::string>& words) {
  auto* command = app.add_subcommand("help", "Show the options of a command, with examples");
  command->footer(fmt::format("Examples:\n  {0} help\n  {0} help {1}", app.get_name(),
                              commands_of(app).empty() ? "help" : commands_of(app).front()->get_name()));
  command->add_option("COMMAND", words, "Name of the command")->type_name("");
  app.set_version_flag("--version",
                       fmt::format("{} {} (links: version {})", app.get_name(), HYPERMESH_VERSION, link_version));
  return command;
}

exit_code print_help(const CLI::App& app, const std::vector<std::string>& words) {
  const auto* at = &app;
  auto path = app.get_name();
  for (std::size_t index = 0; index < words.size(); ++index) {
    const auto* const next = find_command(*at, words[index]);
    if (next == nullptr) {
      const auto known = check_command(*at, std::span{words}.subspan(index));
      if (!known) return report_error(known.error(), exit_code::usage);
      return report_error({fmt::format("'{}' has no command '{}'", path, words[index]),
                           fmt::format("list the commands and options: {} --help", path)},
                          exit_code::usage);
    }
    at = next;
    path += " " + words[index];
  }
  print(at->get_formatter()->make_help(at, path, CLI::AppFormatMode::Normal));
  return exit_code::ok;
}

std::optional<exit_code> parse(CLI::App& app, int count, const char* const* words) {
  const std::vector<std::string> typed(words + std::min(count, 1), words + count);
  if (auto done = check_command(app, typed); !done) return report_error(done.error(), exit_code::usage);
  try {
    app.parse(count, words);
  } catch (const CLI::CallForHelp&) {
    print(app.help());
    return exit_code::ok;
  } catch (const CLI::CallForVersion& version) {
    print(std::string{version.what()} + "\n");
    return exit_code::ok;
  } catch (const CLI::ParseError& error) {
    // A misspelt option is the cause of most other errors: its value looks like a word too many, and the option itself
    // looks as if it was missing.
    const auto unknown = unknown_options_text(app, typed);
    const std::string what = error.what();
    return report_error(
        {unknown.empty() ? what : unknown, fmt::format("list the commands and options: {} --help", command_path(app))},
        exit_code::usage);
  }
  if (auto done = check_values(app); !done) return report_error(done.error(), exit_code::usage);
  return std::nullopt;
}

std::vector<leaf_command> leaf_commands(const CLI::App& app) {
  std::vector<leaf_command> leaves;
  add_leaves(app, {}, leaves);
  return leaves;
}

}  // namespace hypermesh::cli
