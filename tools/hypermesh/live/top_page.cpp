#include "tools/hypermesh/live/top_page.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

/// A number of a replica as a whole number, whatever the replica reported.
std::uint64_t whole(double value) {
  if (!(value > 0)) return 0;
  constexpr auto largest = static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  return value >= largest ? std::numeric_limits<std::uint64_t>::max() : static_cast<std::uint64_t>(std::llround(value));
}

std::string rate_cell(std::optional<double> value) { return value ? fitted(whole(*value), 6) : "-"; }

/// Milliseconds in at most six characters.
std::string latency_cell(std::optional<double> milliseconds) {
  if (!milliseconds) return "-";
  if (*milliseconds < 100) return fmt::format("{:.2f}", *milliseconds);
  return fitted(whole(*milliseconds), 6);
}

/// Bytes with a binary prefix in at most five characters: "1023", "12.3M".
std::string bytes_cell(std::optional<double> value) {
  if (!value) return "-";
  constexpr std::string_view prefixes = "KMGTPE";
  auto amount = static_cast<double>(whole(*value));
  if (amount < 1'000) return fmt::format("{:.0f}", amount);
  std::size_t prefix = 0;
  for (amount /= 1'024; amount >= 999.5 && prefix + 1 < prefixes.size(); amount /= 1'024)
    ++prefix;
  return amount < 99.95 ? fmt::format("{:.1f}{}", amount, prefixes[prefix])
                        : fmt::format("{:.0f}{}", amount, prefixes[prefix]);
}

std::optional<double> as_double(const std::optional<std::uint64_t>& value) {
  return value ? std::optional{static_cast<double>(*value)} : std::nullopt;
}

std::string words_of(std::string_view phase) {
  std::string out{phase};
  std::ranges::replace(out, '_', '-');
  return out;
}

/// The text in at most `width` bytes.
std::string shortened(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 1) + "~";
  return text;
}

/// The throughput and the latencies of the group. The last column is the sum of the phases.
std::string group_table_of(const cluster_view& view, const text_style& style) {
  std::vector<text_table::column> titles = {{"req/s", text_table::side::right}, {"batches/s", text_table::side::right}};
  std::vector<std::string> cells = {rate_cell(view.requests_per_second), rate_cell(view.batches_per_second)};
  std::optional<double> sum;
  for (std::size_t phase = 0; phase < trend_phases.size(); ++phase) {
    titles.push_back({words_of(trend_phases[phase]), text_table::side::right});
    cells.push_back(latency_cell(view.phase_ms[phase]));
    if (view.phase_ms[phase]) sum = sum.value_or(0) + *view.phase_ms[phase];
  }
  titles.push_back({"sum ms", text_table::side::right});
  cells.push_back(latency_cell(sum));
  text_table table{titles};
  table.add(std::move(cells));
  return table.text(style);
}

std::string head_of(const top_state& state, const text_style& style) {
  constexpr std::size_t name_width = 20;
  const auto& status = state.status;
  auto title = fmt::format("cluster '{}'  n = {}, f = {}  {}  every {:g} s",
                           shortened(visible_text(status.cluster.name), name_width), status.group().replicas(),
                           status.group().faulty_max(), state.seen_at, state.interval_seconds);
  if (state.is_paused) title += style.warning("  PAUSED");
  const auto sentence = lines_of(sentence_of(status.health), status_columns_max);
  auto text = title + "\n" + (status.health.degraded() ? style.warning(sentence) : style.good(sentence)) + "\n";
  if (status.has_quorum()) {
    text +=
        fmt::format("view {}  primary {}", fitted(current_view(status.reports, status.cluster.parameters()).value, 9),
                    status.primary().value);
  } else {
    text += style.bad("no quorum");
  }
  text += fmt::format("  executed {}  stable {}\n", fitted(state.view.executed, 11), fitted(state.view.stable, 11));
  return text + group_table_of(state.view, style);
}

/// One column of the table.
struct top_column {
  std::string title;
  text_table::side aligned = text_table::side::right;
  /// The column shows this key; `number` for columns that do not sort.
  sort_key key = sort_key::number;
  std::function<std::string(const replica_view&)> cell;
  bool is_wide = false;
};

std::string count_cell(const replica_view& each, std::uint64_t value, std::size_t width) {
  return each.is_reachable ? fitted(value, width) : "-";
}

std::vector<top_column> columns_of(const top_state& state, const text_style& style) {
  using side = text_table::side;
  using row = const replica_view&;
  std::vector<top_column> all = {
      {"#", side::right, sort_key::number, [](row each) { return std::to_string(each.number); }},
      {"address", side::left, sort_key::number,
       [&state](row each) { return to_string(state.status.cluster.replicas.at(each.number).address); }, true},
      {"state", side::left, sort_key::number,
       [&state, style](row each) {
         return each.is_reachable ? role_of(state.status, each.number, style) : style.bad("silent");
       }},
      {"view", side::right, sort_key::number, [](row each) { return count_cell(each, each.view, 6); }},
      {"executed", side::right, sort_key::number, [](row each) { return count_cell(each, each.executed, 8); }},
      {"lag", side::right, sort_key::lag, [](row each) { return count_cell(each, each.lag, 6); }},
      {"req/s", side::right, sort_key::requests, [](row each) { return rate_cell(each.trend.requests_per_second); }},
      {"queue", side::right, sort_key::pending, [](row each) { return count_cell(each, each.requests_pending, 6); }},
      {"slots", side::right, sort_key::number, [](row each) { return count_cell(each, each.slots_in_use, 6); }, true},
      {"cpu%", side::right, sort_key::cpu, [](row each) { return rate_cell(each.trend.cpu_percent); }},
      {"mem", side::right, sort_key::memory, [](row each) { return bytes_cell(as_double(each.resident_bytes)); }},
      {"in/s", side::right, sort_key::number, [](row each) { return bytes_cell(each.trend.bytes_in_per_second); },
       true},
      {"out/s", side::right, sort_key::bytes_out, [](row each) { return bytes_cell(each.trend.bytes_out_per_second); }},
      {"rej/s", side::right, sort_key::number, [](row each) { return rate_cell(each.trend.rejected_per_second); },
       true},
      {"disk ms", side::right, sort_key::number, [](row each) { return latency_cell(each.trend.write_ms); }, true}};
  for (std::size_t phase = 0; phase < trend_phases.size(); ++phase) {
    all.push_back({words_of(trend_phases[phase]), side::right, sort_key::number,
                   [phase](row each) { return latency_cell(each.trend.phase_ms[phase]); }, true});
  }
  return all;
}

std::string table_of(const top_state& state, bool is_wide, std::size_t rows_max, const text_style& style) {
  auto columns = columns_of(state, style);
  std::erase_if(columns, [is_wide](const top_column& each) { return each.is_wide && !is_wide; });
  std::vector<text_table::column> titles;
  for (const auto& each : columns) {
    const bool is_order = each.key == state.order && (each.key != sort_key::number || each.title == "#");
    titles.push_back({is_order ? each.title + "*" : each.title, each.aligned});
  }
  text_table table{titles};
  auto replicas = state.view.replicas;
  sort_by(state.order, replicas);
  const auto shown = std::min(rows_max, replicas.size());
  for (std::size_t at = 0; at < shown; ++at) {
    std::vector<std::string> cells;
    for (const auto& each : columns)
      cells.push_back(each.cell(replicas[at]));
    table.add(std::move(cells));
  }
  auto text = table.text(style);
  if (shown < replicas.size()) text += style.dim(fmt::format("and {} more replicas", replicas.size() - shown)) + "\n";
  return text;
}

std::string help_text() {
  return "q, Ctrl-C   end\n"
         "p           pause: keep these numbers until p is pressed again\n"
         "s           sort by the next column; its title has a *\n"
         "?           this help\n"
         "\n"
         "lag         sequence numbers behind those that f + 1 replicas have executed\n"
         "queue       requests that wait at the replica\n"
         "cpu%        processor time of the process; 100 is one processor\n"
         "mem         resident memory\n"
         "in/s out/s  bytes on all links\n"
         "slots       sequence numbers that are under way\n"
         "rej/s       refused frames\n"
         "disk ms     mean time until a group of records is durable\n"
         "Each phase is measured from the end of the phase before it. Each row is that\n"
         "replica's own report, which nothing checks. At least one correct replica has\n"
         "reached the numbers of the head; its latencies are the primary's. '-' means\n"
         "that there was nothing to measure.\n";
}

}  // namespace

std::string top_page(const top_state& state, const screen_size& size, const text_style& style) {
  auto text = head_of(state, style) + "\n";
  const auto foot = state.has_keys ? style.dim("q quit  p pause  s sort  ? help") + "\n" : std::string{};
  if (state.shows_help) return text + help_text() + foot;
  constexpr std::size_t title_lines = 1;
  const auto used = static_cast<std::size_t>(std::ranges::count(text, '\n') + std::ranges::count(foot, '\n'));
  auto room = size.rows > used + title_lines ? size.rows - used - title_lines : 0;
  // The line about the replicas that are left out needs room too.
  if (state.view.replicas.size() > room) room = std::max<std::size_t>(room, 1) - 1;
  return text + table_of(state, size.columns >= top_wide_columns, room, style) + foot;
}

}  // namespace hypermesh::cli
