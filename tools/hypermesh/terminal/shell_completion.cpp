#include "tools/hypermesh/terminal/shell_completion.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hypermesh::cli {

namespace {

using fmt::join;

/// The text as one word of a shell that gives no character a meaning. All three shells read this form, but fish also
/// reads a backslash in it.
std::string quoted(std::string_view text, shell_kind shell) {
  std::string out = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      out += "'\\''";
    } else if (letter == '\\' && shell == shell_kind::fish) {
      out += "\\\\";
    } else {
      out += letter;
    }
  }
  return out + "'";
}

/// The first line of a description, because a shell shows it beside the word.
std::string first_line(std::string_view about) { return std::string{about.substr(0, about.find('\n'))}; }

/// The name of a function of the script: letters, digits and '_'.
std::string function_name(std::string_view binary) {
  std::string name{binary};
  std::ranges::replace(name, '-', '_');
  return "_" + name;
}

/// All options with a value, with the command that they belong to.
template <class Visit>
void for_each_value(const command_entry& root, Visit visit) {
  for (const auto* command : all_entries(root)) {
    for (const auto& option : command->options) {
      if (option.takes_value) visit(*command, option);
    }
  }
}

bool wants_path(const command_entry& command) {
  return std::ranges::any_of(command.positionals, [](const option_entry& each) { return each.is_path(); });
}

std::vector<std::string> positional_words(const command_entry& command) {
  std::vector<std::string> words;
  for (const auto& each : command.positionals)
    words.insert(words.end(), each.words.begin(), each.words.end());
  return words;
}

/// The paths of all commands as patterns of a `case`: 'config'|'config check'. Without commands, a pattern that no word
/// has.
std::string path_patterns(const command_entry& root) {
  std::vector<std::string> patterns;
  for (const auto* each : all_entries(root)) {
    if (!each->path.empty()) patterns.push_back("'" + each->path_text() + "'");
  }
  return patterns.empty() ? "''" : fmt::format("{}", join(patterns, " | "));
}

/// 'start --config' | 'start -c': the command, a space, and each name of the option.
std::string value_patterns(const command_entry& command, const option_entry& option) {
  std::vector<std::string> patterns;
  for (const auto& name : option.names)
    patterns.push_back(fmt::format("'{} {}'", command.path_text(), name));
  return fmt::format("{}", join(patterns, " | "));
}

// --- bash ------------------------------------------------------------------------

constexpr std::string_view bash_text = R"(# bash completion for {binary}, printed by: {binary} completion bash
{function}() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
  local command='' longer index words='' paths=''
  COMPREPLY=()
  # bash splits --option=value into three words.
  if [ "$current" = '=' ]; then
    current=''
  elif [ "$previous" = '=' ] && [ "$COMP_CWORD" -ge 2 ]; then
    previous=${{COMP_WORDS[COMP_CWORD - 2]}}
  fi
  for ((index = 1; index < COMP_CWORD; index++)); do
    longer="${{command:+$command }}${{COMP_WORDS[index]}}"
    case "$longer" in
      {paths}) command=$longer ;;
    esac
  done
  case "$command $previous" in
{values}    *)
      case "$command" in
{commands}      esac
      ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [ -n "$paths" ] && [[ "$current" != -* ]]; then
    compopt -o filenames
    mapfile -t -O "${{#COMPREPLY[@]}}" COMPREPLY < <(compgen -f -- "$current")
  fi
}}
complete -F {function} {binary}
)";

std::string bash_script(std::string_view binary, const command_entry& root) {
  std::string values;
  for_each_value(root, [&values](const command_entry& command, const option_entry& option) {
    values += fmt::format("    {}) ", value_patterns(command, option));
    if (!option.words.empty()) values += fmt::format("words='{}' ", join(option.words, " "));
    if (option.is_path()) values += "paths=yes ";
    values += ";;\n";
  });
  std::string commands;
  for (const auto* each : all_entries(root)) {
    auto words = positional_words(*each);
    for (const auto& command : each->commands)
      words.push_back(command.path.back());
    for (const auto& option : each->options)
      words.insert(words.end(), option.names.begin(), option.names.end());
    commands += fmt::format("        '{}') words='{}'{} ;;\n", each->path_text(), join(words, " "),
                            wants_path(*each) ? " paths=yes" : "");
  }
  return fmt::format(fmt::runtime(bash_text), fmt::arg("binary", binary), fmt::arg("function", function_name(binary)),
                     fmt::arg("paths", path_patterns(root)), fmt::arg("values", values),
                     fmt::arg("commands", commands));
}

// --- zsh -------------------------------------------------------------------------

constexpr std::string_view zsh_text = R"(#compdef {binary}
# zsh completion for {binary}, printed by: {binary} completion zsh
{function}() {{
  local command='' longer='' previous=${{words[CURRENT - 1]}}
  local -i index
  local -a names options values
  # --option=value is one word.
  if [[ $PREFIX == --*=* ]]; then
    previous=${{PREFIX%%=*}}
    compset -P '*='
  fi
  for ((index = 2; index < CURRENT; index++)); do
    longer="${{command:+$command }}${{words[index]}}"
    case $longer in
      ({paths}) command=$longer ;;
    esac
  done
  case "$command $previous" in
{values}  esac
  case $command in
{commands}  esac
}}
if [[ $funcstack[1] == {function} ]]; then
  {function} "$@"
else
  compdef {function} {binary}
fi
)";

/// A word with its description, as _describe reads it: a colon in the word has a backslash.
std::string described(std::string_view word, std::string_view about) {
  std::string out;
  for (const char letter : word)
    out += letter == ':' ? std::string{"\\:"} : std::string{letter};
  return quoted(out + ":" + first_line(about), shell_kind::zsh);
}

std::string zsh_command(const command_entry& command) {
  std::vector<std::string> names;
  for (const auto& each : command.commands)
    names.push_back(described(each.path.back(), each.about));
  for (const auto& each : positional_words(command))
    names.push_back(described(each, ""));
  std::vector<std::string> options;
  for (const auto& option : command.options) {
    for (const auto& name : option.names)
      options.push_back(described(name, option.about));
  }
  auto text = fmt::format("    ('{}')\n", command.path_text());
  if (!names.empty()) {
    text += fmt::format("      names=({})\n      _describe -t commands command names\n", join(names, " "));
  }
  if (!options.empty()) {
    text += fmt::format("      options=({})\n      _describe -o -t options option options\n", join(options, " "));
  }
  if (wants_path(command)) text += "      _files\n";
  return text + "      ;;\n";
}

std::string zsh_script(std::string_view binary, const command_entry& root) {
  std::string values;
  for_each_value(root, [&values](const command_entry& command, const option_entry& option) {
    values += fmt::format("    ({})", value_patterns(command, option));
    if (!option.words.empty()) values += fmt::format(" values=({}); compadd -a values;", join(option.words, " "));
    if (option.is_path()) values += " _files;";
    values += " return ;;\n";
  });
  std::string commands;
  for (const auto* each : all_entries(root))
    commands += zsh_command(*each);
  return fmt::format(fmt::runtime(zsh_text), fmt::arg("binary", binary), fmt::arg("function", function_name(binary)),
                     fmt::arg("paths", path_patterns(root)), fmt::arg("values", values),
                     fmt::arg("commands", commands));
}

// --- fish ------------------------------------------------------------------------

constexpr std::string_view fish_text = R"(# fish completion for {binary}, printed by: {binary} completion fish
function _{function}_at --description 'Whether the typed words name this command'
  set -l command
  set -l typed (commandline -opc)
  for word in $typed[2..-1]
    set -l longer (string join ' ' -- $command $word)
    switch $longer
      case {paths}
        set command $longer
    end
  end
  test "$command" = "$argv[1]"
end
complete -c {binary} -f
)";

/// The options of `complete` for one option, or nothing for none.
std::string fish_names(const option_entry& option) {
  std::string text;
  for (const auto& name : option.names)
    text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  return text;
}

std::string fish_script(std::string_view binary, const command_entry& root) {
  const auto function = function_name(binary);
  std::vector<std::string> paths;
  for (const auto* each : all_entries(root)) {
    if (!each->path.empty()) paths.push_back(quoted(each->path_text(), shell_kind::fish));
  }
  auto text = fmt::format(fmt::runtime(fish_text), fmt::arg("binary", binary), fmt::arg("function", function),
                          fmt::arg("paths", join(paths, " ")));
  const auto about = [](std::string_view words) { return quoted(first_line(words), shell_kind::fish); };
  for (const auto* each : all_entries(root)) {
    const auto begin = fmt::format("complete -c {} -n \"_{}_at '{}'\"", binary, function, each->path_text());
    for (const auto& command : each->commands)
      text += fmt::format("{} -a {} -d {}\n", begin, command.path.back(), about(command.about));
    for (const auto& word : positional_words(*each))
      text += fmt::format("{} -a {}\n", begin, word);
    if (wants_path(*each)) text += begin + " -F\n";
    for (const auto& option : each->options) {
      text += begin + fish_names(option);
      if (option.takes_value) text += option.is_path() ? " -r -F" : " -x";
      if (!option.words.empty()) text += fmt::format(" -a '{}'", join(option.words, " "));
      text += fmt::format(" -d {}\n", about(option.about));
    }
  }
  return text;
}

}  // namespace

std::optional<shell_kind> shell_of(std::string_view name) {
  if (name == "bash") return shell_kind::bash;
  if (name == "zsh") return shell_kind::zsh;
  if (name == "fish") return shell_kind::fish;
  return std::nullopt;
}

std::string completion_for(shell_kind shell, std::string_view binary, const command_entry& root) {
  switch (shell) {
    case shell_kind::bash:
      return bash_script(binary, root);
    case shell_kind::zsh:
      return zsh_script(binary, root);
    case shell_kind::fish:
      return fish_script(binary, root);
  }
  return {};
}

}  // namespace hypermesh::cli
