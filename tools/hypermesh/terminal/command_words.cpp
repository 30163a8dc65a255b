#include "tools/hypermesh/terminal/command_words.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/nearest_word.hpp"
#include "runtime/links/handshake.hpp"
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
      const auto meant = nearest_word(word, names_of(*at));
      const auto hint = meant.empty() ? std::string{} : fmt::format("; did you mean {}?", meant);
      return tl::unexpected(
          world_error{fmt::format("unknown command '{}'{}", word, hint),
                      fmt::format("use a command of '{}': {}", path, fmt::join(names_of(*at), ", "))});
    }
    at = next;
    path += " " + word;
  }
  if (commands_of(*at).empty()) return {};
  return tl::unexpected(world_error{fmt::format("'{}' needs a command", path),
                                    fmt::format("use one of {}", fmt::join(names_of(*at), ", "))});
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
    return report_error({error.what(), fmt::format("list the commands and options: {} --help", command_path(app))},
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
