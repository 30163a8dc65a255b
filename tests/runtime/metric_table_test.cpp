#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/protocol/base/quorum.hpp"
#include "runtime/base/wrapped_text.hpp"
#include "runtime/metrics/metric_documents.hpp"
#include "runtime/metrics/prometheus_text.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::metrics;
using storage_test::contains;
using storage_test::content_of;
using storage_test::replace_content;
using storage_test::scratch_folder;

namespace {

const std::filesystem::path top{HYPERMESH_SOURCE_DIR};

/// The words of PromQL that begin with "hypermesh_".
std::vector<std::string> metrics_in(std::string_view expression) {
  std::vector<std::string> found;
  for (auto at = expression.find("hypermesh_"); at != std::string_view::npos; at = expression.find("hypermesh_", at)) {
    const auto end = std::min(expression.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", at), expression.size());
    found.emplace_back(expression.substr(at, end - at));
    at = end;
  }
  return found;
}

bool is_metric(std::string name) {
  for (const std::string_view suffix : {"", "_bucket", "_sum", "_count"}) {
    if (!name.ends_with(suffix)) continue;
    const auto base = name.substr(0, name.size() - suffix.size());
    if (std::ranges::any_of(metric_table(), [&](const auto& row) {
          return row.name == base && (suffix.empty() || row.kind == metric_kind::histogram);
        }))
      return true;
  }
  return false;
}

bool has_promtool() { return std::system("command -v promtool >/dev/null 2>&1") == 0; }

/// Runs promtool with the text as its file or input. The exit code and what it printed.
std::pair<int, std::string> promtool(const std::string& arguments, const std::string& text) {
  const scratch_folder folder;
  const auto file = folder.path() / "text";
  const auto out = folder.path() / "out";
  replace_content(file, text);
  const auto command = "promtool " + arguments + (contains(arguments, "rules") ? " " + file.string() : "") + " < " +
                       file.string() + " > " + out.string() + " 2>&1";
  return {std::system(command.c_str()), content_of(out)};
}

}  // namespace

TEST_CASE("the name of a metric follows the conventions of Prometheus") {
  std::set<std::string_view> names;
  for (const auto& row : metric_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    CHECK(row.name.starts_with("hypermesh_"));
    CHECK((row.kind == metric_kind::counter) == row.name.ends_with("_total"));
    if (row.unit == "seconds") CHECK(contains(std::string{row.name}, "seconds"));
    if (row.unit == "bytes") CHECK(contains(std::string{row.name}, "bytes"));
    CHECK((row.kind == metric_kind::histogram) == !row.buckets.empty());
    CHECK(std::ranges::is_sorted(row.buckets));
    CHECK(row.help.ends_with('.'));
    if (row.labels[0] != label_set::none) CHECK(name_of(row.labels[0]) != name_of(row.labels[1]));
  }
}

TEST_CASE("the values of a label are distinct words, and their number is bounded") {
  for (unsigned number = 0; number <= static_cast<unsigned>(label_set_last); ++number) {
    const auto labels = static_cast<label_set>(number);
    std::set<std::string> words;
    for (std::size_t index = 0; index < count_of(labels, 100); ++index)
      CHECK(words.insert(value_of(labels, index)).second);
    CHECK(words.size() == count_of(labels, 100));
    CHECK(words.size() <= 101);
  }
  CHECK(value_of(label_set::message_kind, 1) == "pre_prepare");
  CHECK(value_of(label_set::sender, 0) == "clients");
  CHECK(value_of(label_set::sender, 3) == "replica-2");
}

TEST_CASE("the values of a node have a bounded number of cells and bytes") {
  const auto measure = [](std::uint32_t replicas) {
    std::pair<std::size_t, std::size_t> cells_and_bytes;
    for (const auto& row : metric_table()) {
      const auto cells = count_of(row.labels[0], replicas) * count_of(row.labels[1], replicas);
      const auto buckets = row.kind == metric_kind::histogram ? row.buckets.size() + 1 : 0;
      cells_and_bytes.first += cells;
      cells_and_bytes.second += cells * (sizeof(metric_cell) + buckets * sizeof(std::uint64_t));
    }
    return cells_and_bytes;
  };
  CHECK(sizeof(metric_cell) == 48);
  CHECK(measure(4).first <= 300);
  CHECK(measure(100).first <= 1'000);
  CHECK(measure(100).second <= std::size_t{64} * 1024);
}

TEST_CASE("an alert only uses metrics of the table, and says what to do") {
  std::set<std::string_view> names;
  for (const auto& row : alert_table()) {
    CAPTURE(row.name);
    CHECK(names.insert(row.name).second);
    for (const auto& each : metrics_in(row.expression)) {
      CAPTURE(each);
      CHECK(is_metric(each));
    }
    CHECK(row.remedy.ends_with('.'));
    CHECK((row.severity == "critical" || row.severity == "warning"));
  }
  CHECK_FALSE(is_metric("hypermesh_unknown"));
  CHECK_FALSE(is_metric("hypermesh_view_bucket"));
}

TEST_CASE("the reference, the dashboard and the alert rules equal the generated ones") {
  CHECK_MESSAGE(content_of(top / "runtime" / "METRICS.md") == metrics_reference_text(),
                "make it again: hypermesh metrics print-reference > runtime/METRICS.md");
  CHECK_MESSAGE(content_of(top / "tools" / "observability" / "dashboard.json") == dashboard_text(),
                "make it again: hypermesh metrics print-dashboard > tools/observability/dashboard.json");
  CHECK_MESSAGE(content_of(top / "tools" / "observability" / "alerts.yml") == alert_rules_text(),
                "make it again: hypermesh metrics print-alerts > tools/observability/alerts.yml");
}

TEST_CASE("the dashboard has a panel for each metric, and no two panels overlap") {
  const auto dashboard = nlohmann::json::parse(dashboard_text());
  std::set<std::string> titles;
  std::set<std::pair<int, int>> places;
  std::set<int> ids;
  for (const auto& panel : dashboard["panels"]) {
    CHECK(ids.insert(panel["id"].get<int>()).second);
    const auto& at = panel["gridPos"];
    for (int line = at["y"]; line < at["y"].get<int>() + at["h"].get<int>(); ++line)
      CHECK(places.insert({at["x"].get<int>(), line}).second);
    if (panel["type"] == "row") continue;
    titles.insert(panel["title"].get<std::string>());
    for (const auto& target : panel["targets"])
      CHECK_FALSE(metrics_in(target["expr"].get<std::string>()).empty());
  }
  CHECK(titles.size() == metric_table().size());
}

TEST_CASE("every line of the reference has at most 100 bytes, except the rows of tables") {
  const auto text = metrics_reference_text();
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    CAPTURE(line);
    CHECK((line.starts_with('|') || line.size() <= base::line_bytes_max));
    at = end + 1;
  }
}

TEST_CASE("the alert about a missing quorum fires when one replica fewer than a quorum answers, for every size") {
  if (!has_promtool()) {
    MESSAGE("skipped: promtool is missing; apt-get install prometheus");
    return;
  }
  const auto alert = std::ranges::find(alert_table(), std::string_view{"HypermeshNoQuorum"}, &alert_row::name);
  REQUIRE(alert != alert_table().end());
  std::string tests = "tests:\n";
  for (std::uint32_t replicas = 4; replicas <= 100; ++replicas) {
    const auto quorum = protocol::group_size{replicas}.quorum();
    tests += "  - interval: 1m\n    input_series:\n";
    // A quorum answers at first. A minute later its last replica does not.
    for (std::uint32_t number = 0; number < replicas; ++number) {
      tests += fmt::format("      - {{series: 'up{{job=\"hypermesh\",instance=\"{}\"}}', values: '{} {}'}}\n", number,
                           number < quorum ? 1 : 0, number + 1 < quorum ? 1 : 0);
    }
    tests += fmt::format(
        "    promql_expr_test:\n"
        "      - {{expr: '{0}', eval_time: 0s, exp_samples: []}}\n"
        "      - {{expr: '{0}', eval_time: 1m, exp_samples: [{{labels: '{{}}', value: {1}}}]}}\n",
        alert->expression, quorum - 1);
  }
  const auto [code, told] = promtool("test rules", tests);
  CAPTURE(told);
  CHECK(code == 0);
}

TEST_CASE("the alert about a lag ignores the order of the readings, and fires for a replica that stands still") {
  if (!has_promtool()) {
    MESSAGE("skipped: promtool is missing; apt-get install prometheus");
    return;
  }
  const auto alert = std::ranges::find(alert_table(), std::string_view{"HypermeshReplicaLags"}, &alert_row::name);
  REQUIRE(alert != alert_table().end());
  const auto series = [](int number, const std::string& values) {
    return fmt::format(
        "      - {{series: 'hypermesh_last_executed_sequence{{job=\"hypermesh\",instance=\"{}\"}}', values: '{}'}}\n",
        number, values);
  };
  // Five thousand batches a second. Prometheus reads replica 2 eight seconds before the others, and replica 3 stops
  // after ten minutes.
  const auto tests = "tests:\n  - interval: 1m\n    input_series:\n" + series(0, "50000+300000x20") +
                     series(1, "50000+300000x20") + series(2, "10000+300000x20") +
                     series(3, "50000+300000x10 3050000x10") +
                     fmt::format(
                         "    promql_expr_test:\n"
                         "      - {{expr: '{0}', eval_time: 10m, exp_samples: []}}\n"
                         "      - {{expr: '{0}', eval_time: 15m, "
                         "exp_samples: [{{labels: '{{job=\"hypermesh\",instance=\"3\"}}', value: {1}}}]}}\n",
                         alert->expression, 14 * 300'000 + 30'000 - 3'050'000);
  const auto [code, told] = promtool("test rules", tests);
  CAPTURE(told);
  CHECK(code == 0);
}

TEST_CASE("promtool accepts the alert rules and the page of metrics") {
  if (!has_promtool()) {
    MESSAGE("skipped: promtool is missing; apt-get install prometheus");
    return;
  }
  for (const auto hold : {alert_hold::usual, alert_hold::none}) {
    const auto [code, told] = promtool("check rules", alert_rules_text(hold));
    CAPTURE(told);
    CHECK(code == 0);
  }
  CHECK(promtool("check rules", "groups:\n  - name: x\n    rules:\n      - alert: A\n        expr: 'sum('\n").first !=
        0);
  metric_values values{4};
  for (const auto& row : metric_table()) {
    if (row.kind == metric_kind::gauge) values.set(row.id, 1);
    if (row.kind == metric_kind::histogram) values.observe(row.id, 0.3);
  }
  const auto [code, told] = promtool("check metrics", prometheus_text(values));
  CAPTURE(told);
  CHECK(code == 0);
  CHECK(told.empty());
}
