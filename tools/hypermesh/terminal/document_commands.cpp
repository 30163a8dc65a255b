#include "tools/hypermesh/terminal/document_commands.hpp"

#include <fmt/format.h>

#include "messages/require.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/shell_completion.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

CLI::App* add_completion(CLI::App& app, std::string& shell) {
  auto* command = app.add_subcommand("completion", "Print the completion of all commands for a shell");
  command->footer(
      fmt::format("Examples:\n"
                  "  source <({0} completion bash)\n"
                  "  {0} completion zsh > ~/.zfunc/_{0}                  in a folder of $fpath\n"
                  "  {0} completion fish > ~/.config/fish/completions/{0}.fish\n"
                  "\n"
                  "The Debian package installs these scripts.",
                  app.get_name()));
  command->add_option("SHELL", shell, "Name of the shell")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}))
      ->type_name("");
  return command;
}

exit_code print_completion(const CLI::App& app, const std::string& shell) {
  const auto kind = shell_of(shell);
  require(kind.has_value(), "the parser accepts only shells with a script");
  print(completion_for(*kind, app.get_name(), tree_of(app)));
  return exit_code::ok;
}

CLI::App* add_man(CLI::App& app, std::string& page, const std::vector<std::string>& pages) {
  auto* command = app.add_subcommand("man", "Print a manual page");
  command->footer(
      fmt::format("Examples:\n"
                  "  {0} man {1} | man -l -\n"
                  "\n"
                  "The page is made from the same texts as the help. The Debian package installs it.",
                  app.get_name(), pages.front()));
  command->add_option("PAGE", page, "Name of the page")->required()->check(one_of(pages))->type_name("");
  return command;
}

}  // namespace hypermesh::cli
