#include "runtime/metrics/metric_documents.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto reference_examples =
    "Examples:\n"
    "  hypermesh metrics print-reference > runtime/METRICS.md\n"
    "\n"
    "Prints every metric with type, unit, labels and purpose, and every alert, as Markdown.";

constexpr auto dashboard_examples =
    "Examples:\n"
    "  hypermesh metrics print-dashboard > tools/observability/dashboard.json\n"
    "\n"
    "Import the file in Grafana: Dashboards, New, Import.";

constexpr auto alert_examples =
    "Examples:\n"
    "  hypermesh metrics print-alerts > /etc/prometheus/hypermesh.yml\n"
    "  promtool check rules hypermesh.yml\n"
    "\n"
    "The rules expect that the scrape job of the cluster is named 'hypermesh'.";

void add_document(CLI::App& group, chosen_command& chosen, const char* name, const char* about, const char* examples,
                  std::string (*text)()) {
  auto* command = group.add_subcommand(name, about);
  command->footer(examples);
  command->callback([text, &chosen] {
    chosen = [text] {
      print_report(text());
      return exit_code::ok;
    };
  });
}

}  // namespace

void add_metrics(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("metrics", "Print the reference, dashboard and alert rules of the metrics");
  command->require_subcommand(1);
  add_document(*command, chosen, "print-reference", "Print the reference of all metrics as Markdown",
               reference_examples, metrics::metrics_reference_text);
  add_document(*command, chosen, "print-dashboard", "Print a dashboard for Grafana", dashboard_examples,
               metrics::dashboard_text);
  add_document(*command, chosen, "print-alerts", "Print alert rules for Prometheus", alert_examples,
               [] { return metrics::alert_rules_text(); });
}

}  // namespace hypermesh::cli
