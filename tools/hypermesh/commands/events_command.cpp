#include "runtime/events/event_documents.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto reference_examples =
    "Examples:\n"
    "  hypermesh events print-reference > runtime/EVENTS.md\n"
    "\n"
    "Prints every event that a node logs with level, sentence and fields, as Markdown.";

}  // namespace

void add_events(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("events", "Print the reference of all events that a node logs");
  command->require_subcommand(1);
  auto* reference = command->add_subcommand("print-reference", "Print the reference of all events as Markdown");
  reference->footer(reference_examples);
  reference->callback([&chosen] {
    chosen = [] {
      print_report(events_reference_text());
      return exit_code::ok;
    };
  });
}

}  // namespace hypermesh::cli
