#include <array>
#include <fstream>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/printable.hpp"
#include "tools/hypermesh/traces/csv_table.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::cli {

using namespace scheduler;

namespace {

/// Reads the fields of one table and keeps the errors: all missing columns, or the first error of each wrong row.
/// Memory: `errors_max` texts.
class field_reader {
 public:
  static constexpr auto missing = std::numeric_limits<std::size_t>::max();

  explicit field_reader(const csv_table& table) : table_(table) {}

  /// The index of a required column.
  std::size_t column(std::string_view name) {
    const auto found = table_.column(name);
    if (!found) {
      keep(found.error());
      return 0;
    }
    return *found;
  }

  /// The index of an optional column. If the column is missing, `text` is empty.
  std::size_t optional_column(std::string_view name) { return table_.find_column(name).value_or(missing); }

  void start(const csv_row& row) {
    row_ = &row;
    row_is_wrong_ = false;
  }
  /// Whether the row that was started last has an error.
  [[nodiscard]] bool row_is_wrong() const { return row_is_wrong_; }

  [[nodiscard]] const std::string& text(std::size_t column) const {
    static const std::string empty;
    return column == missing ? empty : row_->fields[column];
  }

  std::string required_text(std::size_t column) {
    if (text(column).empty()) complain(column, "is empty; write a value");
    return text(column);
  }

  /// Reads a whole number. A trailing ".0" is ignored, because some tools write it.
  template <class Number>
  std::optional<Number> optional_number(std::size_t column) {
    std::string_view digits = text(column);
    if (digits.empty()) return std::nullopt;
    const auto point = digits.find('.');
    if (point != std::string_view::npos && point > 0 && point + 1 < digits.size() &&
        digits.find_first_not_of('0', point + 1) == std::string_view::npos) {
      digits = digits.substr(0, point);
    }
    const auto value = parse_decimal<Number>(digits);
    if (!value) {
      complain(column, fmt::format("holds \"{}\"; write a whole number from 0 to {}", text(column),
                                   std::numeric_limits<Number>::max()));
    }
    return value;
  }

  template <class Number>
  Number required_number(std::size_t column) {
    if (text(column).empty()) complain(column, "is empty; write a whole number");
    return optional_number<Number>(column).value_or(Number{0});
  }

  service_class service(std::size_t column) {
    if (text(column).empty()) return service_class::best_effort;
    const auto value = parse_service_class(text(column));
    if (value) return *value;
    complain(column, fmt::format("is wrong: {}", value.error()));
    return service_class::best_effort;
  }

  /// Reports an error of the row as a whole.
  void complain_row(std::string_view what) {
    keep(fmt::format("{}:{}: {}; correct or remove the line", table_.file_name, row_->line, what));
  }

  /// The errors, one on each line.
  [[nodiscard]] or_reason<void> outcome() const {
    if (errors_.empty()) return {};
    auto text = fmt::format("{}", fmt::join(errors_, "\n"));
    if (more_ > 0) text += fmt::format("\nand {} more wrong rows in {}", more_, table_.file_name);
    return invalid(std::move(text));
  }

 private:
  void complain(std::size_t column, std::string_view what) {
    keep(fmt::format("{}:{}: column {} {}", table_.file_name, row_->line, table_.columns[column], what));
  }

  void keep(const std::string& what) {
    // The later errors of a row are often consequences of its first one.
    if (row_is_wrong_) return;
    row_is_wrong_ = row_ != nullptr;
    if (errors_.size() < errors_max) {
      // A quoted field may have line breaks, which would look like another error.
      errors_.push_back(visible_text(what));
    } else {
      ++more_;
    }
  }

  static constexpr std::size_t errors_max = 20;

  const csv_table& table_;
  const csv_row* row_ = nullptr;
  bool row_is_wrong_ = false;
  std::vector<std::string> errors_;
  std::size_t more_ = 0;
};

or_reason<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream file{path, std::ios::binary};
  if (!file) return invalid(fmt::format("{}: cannot open the file; check the path and the permissions", path.string()));
  std::error_code unknown;
  if (std::filesystem::is_directory(path, unknown)) {
    return invalid(fmt::format("{}: is a directory; name the file in it", path.string()));
  }
  std::string content;
  std::array<char, 65'536> piece{};
  // The program does not ask for the size, because a pipe or a device has none.
  while (file.read(piece.data(), piece.size()), file.gcount() > 0) {
    content.append(piece.data(), static_cast<std::size_t>(file.gcount()));
    if (content.size() <= trace_bytes_max) continue;
    return invalid(fmt::format("{}: the file is larger than {} bytes; shorten it", path.string(), trace_bytes_max));
  }
  if (file.bad()) return invalid(fmt::format("{}: cannot read the file; check the disk", path.string()));
  return content;
}

}  // namespace

or_reason<std::vector<node_spec>> parse_trace_nodes(std::string_view text, std::string_view file_name) {
  const auto table = csv_table::parse(text, file_name, trace_rows_max);
  if (!table) return invalid(visible_text(table.error()));
  field_reader fields{*table};
  const auto name = fields.column("sn");
  const auto cpu = fields.column("cpu_milli");
  const auto memory = fields.column("memory_mib");
  const auto gpus = fields.column("gpu");
  const auto model = fields.column("model");
  if (auto done = fields.outcome(); !done) return failure_of(done);

  std::vector<node_spec> nodes;
  std::set<std::string> names;
  for (const auto& row : table->rows) {
    fields.start(row);
    node_spec node;
    node.name = fields.required_text(name);
    node.cpu_milli = fields.required_number<std::uint32_t>(cpu);
    node.memory_mib = fields.required_number<std::uint32_t>(memory);
    node.gpus = fields.optional_number<std::uint8_t>(gpus).value_or(0);
    node.gpu_model = fields.text(model);
    if (const auto flaw = flaw_of(node); !flaw.empty()) fields.complain_row(flaw);
    if (!names.insert(node.name).second) fields.complain_row(fmt::format("duplicate node {}", node.name));
    if (!fields.row_is_wrong()) nodes.push_back(std::move(node));
  }
  if (auto done = fields.outcome(); !done) return failure_of(done);
  return nodes;
}

or_reason<std::vector<trace_task>> parse_trace_pods(std::string_view text, std::string_view file_name) {
  const auto table = csv_table::parse(text, file_name, trace_rows_max);
  if (!table) return invalid(visible_text(table.error()));
  field_reader fields{*table};
  const auto name = fields.column("name");
  const auto cpu = fields.column("cpu_milli");
  const auto memory = fields.column("memory_mib");
  const auto gpus = fields.column("num_gpu");
  const auto gpu_milli = fields.column("gpu_milli");
  const auto models = fields.optional_column("gpu_spec");
  const auto service = fields.optional_column("qos");
  const auto creation = fields.optional_column("creation_time");
  const auto deletion = fields.optional_column("deletion_time");
  const auto scheduled = fields.optional_column("scheduled_time");
  if (auto done = fields.outcome(); !done) return failure_of(done);

  std::vector<trace_task> tasks;
  std::set<std::string> names;
  for (const auto& row : table->rows) {
    fields.start(row);
    trace_task task;
    auto& needs = task.spec.needs;
    task.spec.name = fields.required_text(name);
    needs.cpu_milli = fields.required_number<std::uint32_t>(cpu);
    needs.memory_mib = fields.required_number<std::uint32_t>(memory);
    needs.gpus = fields.optional_number<std::uint8_t>(gpus).value_or(0);
    const auto whole = needs.gpus > 0 ? gpu_milli_whole : std::uint16_t{0};
    needs.gpu_milli = fields.optional_number<std::uint16_t>(gpu_milli).value_or(whole);
    needs.models = parse_models(fields.text(models));
    task.spec.service = fields.service(service);
    task.submit_time = creation == field_reader::missing ? std::uint64_t{tasks.size()}
                                                         : fields.required_number<std::uint64_t>(creation);
    task.release_time = fields.optional_number<std::uint64_t>(deletion);
    task.place_time = fields.optional_number<std::uint64_t>(scheduled);
    if (const auto flaw = flaw_of(task.spec); !flaw.empty()) fields.complain_row(flaw);
    if (!names.insert(task.spec.name).second) fields.complain_row(fmt::format("duplicate pod {}", task.spec.name));
    if (!fields.row_is_wrong()) tasks.push_back(std::move(task));
  }
  if (auto done = fields.outcome(); !done) return failure_of(done);
  return tasks;
}

or_reason<cluster_trace> read_trace(const std::filesystem::path& nodes_file, const std::filesystem::path& pods_file) {
  const auto nodes_text = read_file(nodes_file);
  if (!nodes_text) return failure_of(nodes_text);
  const auto pods_text = read_file(pods_file);
  if (!pods_text) return failure_of(pods_text);
  auto nodes = parse_trace_nodes(*nodes_text, nodes_file.string());
  auto tasks = parse_trace_pods(*pods_text, pods_file.string());
  // The errors of both files are reported at once.
  if (!nodes && !tasks) return invalid(nodes.error() + "\n" + tasks.error());
  if (!nodes) return invalid(nodes.error());
  if (!tasks) return invalid(tasks.error());
  return cluster_trace{std::move(*nodes), std::move(*tasks)};
}

}  // namespace hypermesh::cli
