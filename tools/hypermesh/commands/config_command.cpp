#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/nearest_word.hpp"
#include "runtime/base/safe_text.hpp"
#include "runtime/config_check.hpp"
#include "runtime/config_text.hpp"
#include "runtime/effective_config.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr auto check_examples =
    "Examples:\n"
    "  hypermesh config check mycluster/genesis.toml\n"
    "  hypermesh config check mycluster/*/*.toml\n"
    "\n"
    "The content tells the kind of a file: '[[replica]]' tables mean a genesis, 'replica = N' a node's file,\n"
    "'client = N' a client's file. For a node and a client, the command also checks the genesis and the key that the\n"
    "file names: the key must have mode 0600 and belong to this member. For a node, it also checks that data\n"
    "directory and audit trail exist, are separate, writable and its own, and that the node listens where other\n"
    "members dial.\n"
    "All problems are reported at once, each with file and line.\n"
    "\n"
    "Exit codes: 0 all files are right; 2 at least one is wrong.";

constexpr auto explain_examples =
    "Examples:\n"
    "  hypermesh config explain links.client_links_max\n"
    "  hypermesh config explain retain_mib\n"
    "  hypermesh config explain views -o json\n"
    "\n"
    "KEY is a key with its table, a key alone, or a table, which means all of its keys.\n"
    "\n"
    "Exit codes: 0 explained; 2 there is no such key.";

constexpr auto default_examples =
    "Examples:\n"
    "  hypermesh config print-default\n"
    "  hypermesh config print-default -o json | jq '.keys[] | select(.unit == \"MiB\") | .key'\n"
    "\n"
    "Prints node.toml of replica 0 with every default. As JSON, all keys of all files, each with unit, bounds,\n"
    "default and purpose.";

constexpr auto effective_examples =
    "Examples:\n"
    "  hypermesh config print-effective mycluster/replica-0/node.toml\n"
    "  hypermesh config print-effective mycluster/replica-0/node.toml --show-origin\n"
    "  hypermesh config print-effective mycluster/replica-0/node.toml --show-origin -o json\n"
    "\n"
    "Prints the values that the program uses: the values of the file, defaults for missing keys, and the values of\n"
    "the genesis that the file names. The origin is a file and a line, or 'default'.\n"
    "\n"
    "Exit codes: 0 printed; 2 the file is wrong.";

constexpr auto reference_examples =
    "Examples:\n"
    "  hypermesh config print-reference > runtime/CONFIGURATION.md\n"
    "\n"
    "Prints every key of every file with unit, bounds, default and purpose, as Markdown.";

std::string_view name_of(config_kind kind) {
  switch (kind) {
    case config_kind::genesis:
      return "genesis";
    case config_kind::node:
      return "node";
    case config_kind::client:
      return "client";
  }
  return "file";
}

/// The kind of an unreadable file is unknown. Reading it as a genesis gives an error that says why it cannot be read.
config_kind kind_of(const std::string& file) { return kind_of_config(file).value_or(config_kind::genesis); }

/// A misspelled machine of the product looks like the machine of a host application, so a person has to check the name.
void note_host_machine(const std::string& file) {
  const auto cluster = read_genesis(file);
  if (!cluster || make_state_machine(cluster->state_machine)) return;
  say(fmt::format("{}: the state machine '{}' is none of this program ({}); a host application has to bring it",
                  visible_text(file), visible_text(cluster->state_machine), state_machine_names()));
}

/// Also adds the result of one file to `into`.
exit_code check_file(const std::string& file, const output_options& output, json& into) {
  const auto kind = kind_of(file);
  const auto problems = problems_of(file, kind);
  auto list = json::array();
  auto code = exit_code::ok;
  for (const auto& each : problems) {
    list.push_back({{"what", each.what}, {"fix", each.remedy}});
    code = report_error(each, exit_code::usage);
  }
  into.push_back({{"file", file}, {"kind", name_of(kind)}, {"ok", problems.empty()}, {"problems", list}});
  if (!problems.empty()) return code;
  if (!output.is_json()) print_report(fmt::format("{}: {} ok\n", file, name_of(kind)));
  if (kind == config_kind::genesis) note_host_machine(file);
  return code;
}

exit_code run_check(const std::vector<std::string>& files, const output_options& output) {
  auto code = exit_code::ok;
  auto checked = json::array();
  for (const auto& file : files)
    code = std::max(code, check_file(file, output, checked));
  if (output.is_json()) print_json({{"ok", code == exit_code::ok}, {"files", checked}}, 2);
  return code;
}

// --- Keys ------------------------------------------------------------------------

json json_of(const config_value& value) {
  return std::visit([](const auto& held) { return json(held); }, value);
}

json json_of(const documented_key& each) {
  const auto& key = each.key;
  const bool is_number = key.kind == value_kind::number;
  json out = {{"key", full_name(key)},
              {"file", each.file},
              {"unit", key.unit},
              {"minimum", is_number ? json(key.low) : json(nullptr)},
              {"maximum", is_number ? json(key.high) : json(nullptr)},
              {"words", json::array()},
              {"bounded_by", nullptr},
              {"required", key.is_required},
              {"default", each.default_value ? json_of(*each.default_value) : json(nullptr)},
              {"default_rule", key.default_rule.empty() ? json(nullptr) : json(key.default_rule)},
              {"about", key.about}};
  for (const auto& word : key.words)
    out["words"].push_back(word);
  if (!key.larger.empty()) out["bounded_by"] = {{"key", key.larger}, {"divisor", key.larger_factor}};
  return out;
}

json json_of(const std::vector<documented_key>& keys) {
  json list = json::array();
  for (const auto& each : keys)
    list.push_back(json_of(each));
  return {{"keys", list}};
}

/// The keys that `word` selects: a key by its full name, the keys with this name in any table, or all keys of a table.
std::vector<documented_key> keys_meant_by(const std::string& word) {
  std::vector<documented_key> meant;
  const auto add_if = [&meant](auto holds) {
    if (!meant.empty()) return;
    std::ranges::copy_if(documented_keys(), std::back_inserter(meant), holds);
  };
  add_if([&word](const documented_key& each) { return full_name(each.key) == word; });
  add_if([&word](const documented_key& each) { return each.key.name == word; });
  add_if([&word](const documented_key& each) { return !word.empty() && each.key.table == word; });
  return meant;
}

/// Explains why there is no such key. The error suggests the nearest key, or the new name of an old key.
world_error no_such_key(const std::string& word) {
  const std::string remedy = "list all keys with their defaults: hypermesh config print-default";
  for (const auto& each : renamed_keys()) {
    const auto name = each.before.substr(each.before.find('.') + 1);
    if (each.before != word && name != word) continue;
    return {fmt::format("'{}' is now called '{}'", each.before, each.now),
            fmt::format("use the new name: hypermesh config explain {}", each.now), fault_origin::configuration};
  }
  // A name without a table is compared with names without tables.
  const bool has_table = word.find('.') != std::string::npos;
  std::vector<std::string> known;
  for (const auto& each : documented_keys())
    known.push_back(has_table ? full_name(each.key) : std::string{each.key.name});
  if (!has_table) {
    for (const auto& each : config_sections())
      known.emplace_back(each.table);
  }
  return {fmt::format("unknown key '{}'{}", shortened_word(word), did_you_mean(word, known)), remedy,
          fault_origin::configuration};
}

std::string explanation_of(const documented_key& each, const text_style& style) {
  text_table facts{{{""}, {""}, {""}}};
  facts.add({"", "file", std::string{each.file}});
  facts.add({"", "unit", std::string{each.key.unit}});
  facts.add({"", "bounds", bounds_text(each.key)});
  facts.add({"", "default", default_text(each)});
  return style.bold(full_name(each.key)) + "\n" + wrapped_text(each.key.about, "  ", "  ") + facts.text(style);
}

exit_code run_explain(const std::string& word, const output_options& output) {
  const auto keys = keys_meant_by(word);
  if (keys.empty()) return report_error(no_such_key(word), exit_code::usage);
  if (output.is_json()) {
    print_json(json_of(keys), 2);
    return exit_code::ok;
  }
  std::string text;
  for (const auto& each : keys)
    text += (text.empty() ? "" : "\n") + explanation_of(each, text_style::of(STDOUT_FILENO));
  print_report(text);
  return exit_code::ok;
}

exit_code run_print_default(const output_options& output) {
  if (output.is_json()) {
    print_json(json_of(documented_keys()), 2);
  } else {
    print_report(node_file_text(0, written_keys::all));
  }
  return exit_code::ok;
}

// --- Effective values --------------------------------------------------------------

struct effective_options {
  std::string file;
  bool shows_origin = false;
  output_options output;
};

json json_of(const effective_value& each, bool shows_origin) {
  json out = {{"key", full_name(each.of.key)}, {"unit", each.of.key.unit}, {"value", json_of(each.value)}};
  if (!shows_origin) return out;
  const bool is_default = each.line == 0;
  out["origin"] = {{"kind", is_default ? "default" : "file"},
                   {"file", is_default ? json(nullptr) : json(each.file.string())},
                   {"line", is_default ? json(nullptr) : json(each.line)}};
  return out;
}

std::string table_of(const std::vector<effective_value>& values, bool shows_origin, const text_style& style) {
  std::vector<text_table::column> columns = {{"key"}, {"value"}, {"unit"}};
  if (shows_origin) columns.push_back({"origin"});
  text_table table{columns};
  for (const auto& each : values) {
    std::vector<std::string> cells = {full_name(each.of.key), toml_literal(each.value), std::string{each.of.key.unit}};
    if (shows_origin) {
      cells.push_back(each.line == 0 ? "default" : fmt::format("{}:{}", visible_text(each.file.string()), each.line));
    }
    table.add(std::move(cells));
  }
  return table.text(style);
}

exit_code run_print_effective(const effective_options& options) {
  const auto read = effective_values(options.file, kind_of(options.file));
  if (!read) return report_error(read.error(), exit_code::usage);
  const auto& values = *read;
  if (options.output.is_json()) {
    json list = json::array();
    for (const auto& each : values)
      list.push_back(json_of(each, options.shows_origin));
    print_json({{"keys", list}}, 2);
  } else {
    print_report(table_of(values, options.shows_origin, text_style::of(STDOUT_FILENO)));
  }
  return exit_code::ok;
}

void add_check(CLI::App& group, chosen_command& chosen) {
  auto* check = group.add_subcommand("check", "Report every error of configuration files");
  auto files = std::make_shared<std::vector<std::string>>();
  check->footer(check_examples);
  check->add_option("FILE", *files, "Genesis, node or client file")->required()->type_name("");
  auto output = std::make_shared<output_options>();
  add_output_option(*check, *output);
  check->callback([files, output, &chosen] { chosen = [files, output] { return run_check(*files, *output); }; });
}

void add_explain(CLI::App& group, chosen_command& chosen) {
  auto* explain = group.add_subcommand("explain", "Explain a key, with its unit, bounds and default");
  auto key = std::make_shared<std::string>();
  auto output = std::make_shared<output_options>();
  explain->footer(explain_examples);
  explain->add_option("KEY", *key, "Key or table")->required()->type_name("");
  add_output_option(*explain, *output);
  explain->callback([key, output, &chosen] { chosen = [key, output] { return run_explain(*key, *output); }; });
}

void add_printing(CLI::App& group, chosen_command& chosen) {
  auto* defaults = group.add_subcommand("print-default", "Print node.toml with every key at its default");
  auto output = std::make_shared<output_options>();
  defaults->footer(default_examples);
  add_output_option(*defaults, *output);
  defaults->callback([output, &chosen] { chosen = [output] { return run_print_default(*output); }; });

  auto* effective = group.add_subcommand("print-effective", "Print the effective values of a member");
  auto options = std::make_shared<effective_options>();
  effective->footer(effective_examples);
  effective->add_option("FILE", options->file, "Genesis, node or client file")->required()->type_name("");
  effective->add_flag("--show-origin", options->shows_origin, "Also print file and line of each value, or 'default'");
  add_output_option(*effective, options->output);
  effective->callback([options, &chosen] { chosen = [options] { return run_print_effective(*options); }; });

  auto* reference = group.add_subcommand("print-reference", "Print the reference of all keys as Markdown");
  reference->footer(reference_examples);
  reference->callback([&chosen] {
    chosen = [] {
      print_report(reference_text());
      return exit_code::ok;
    };
  });
}

}  // namespace

void add_config(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("config", "Check, explain and print configuration");
  command->require_subcommand(1);
  add_check(*command, chosen);
  add_explain(*command, chosen);
  add_printing(*command, chosen);
}

}  // namespace hypermesh::cli
