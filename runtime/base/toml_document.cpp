#include "runtime/base/toml_document.hpp"

#include <charconv>
#include <set>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "runtime/base/durable_file.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::base {

namespace {

std::uint32_t line_of(const toml::node* node) {
  return node == nullptr ? 0 : static_cast<std::uint32_t>(node->source().begin.line);
}

}  // namespace

std::string config_problem::text() const {
  // The text may quote the file, and it is printed on a terminal.
  const auto safe = visible_text(what);
  return line == 0 ? fmt::format("{}: {}", file.string(), safe) : fmt::format("{}:{}: {}", file.string(), line, safe);
}

world_error error_of(const std::vector<config_problem>& problems) {
  std::string text;
  for (const auto& problem : problems)
    text += (text.empty() ? "" : "\n") + problem.text();
  return {std::move(text), "correct the lines named above", fault_origin::configuration};
}

world_error joined(const world_error& first, const world_error& second) {
  auto remedy = first.remedy == second.remedy ? first.remedy : first.remedy + "; " + second.remedy;
  return {first.what + "\n" + second.what, std::move(remedy), first.origin};
}

struct toml_table::content {
  std::filesystem::path path;
  std::shared_ptr<std::vector<config_problem>> problems;
  /// Keeps the parsed file alive while a table refers to it.
  std::shared_ptr<void> owner;
  /// The table; null when it is missing.
  const toml::table* table = nullptr;
  std::set<std::string, std::less<>> asked;

  const toml::node* ask(std::string_view key) {
    asked.emplace(key);
    return table == nullptr ? nullptr : table->get(key);
  }

  void complain(const toml::node* at, std::string what) {
    // A value without a line is not in the file.
    if (at != nullptr && line_of(at) == 0) what += " (the host sets this value)";
    problems->push_back({path, at != nullptr ? line_of(at) : line_of(table), std::move(what)});
  }

  [[nodiscard]] std::shared_ptr<content> inner(const toml::table* of) const {
    return std::make_shared<content>(content{path, problems, owner, of, {}});
  }
};

bool toml_table::has(std::string_view key) { return content_->ask(key) != nullptr; }

std::uint32_t toml_table::line(std::string_view key) { return line_of(content_->ask(key)); }

std::optional<std::string> toml_table::find_text(std::string_view key) {
  const auto* node = content_->ask(key);
  if (node == nullptr) return std::nullopt;
  if (const auto value = node->value_exact<std::string>()) return *value;
  content_->complain(node, fmt::format("'{}' must be a text in quotes", key));
  return std::nullopt;
}

std::optional<std::uint64_t> toml_table::find_number(std::string_view key, std::uint64_t low, std::uint64_t high) {
  const auto* node = content_->ask(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= 0 && static_cast<std::uint64_t>(*value) >= low && static_cast<std::uint64_t>(*value) <= high) {
    return static_cast<std::uint64_t>(*value);
  }
  content_->complain(node, fmt::format("'{}' must be a whole number from {} to {}", key, low, high));
  return std::nullopt;
}

std::optional<bool> toml_table::find_flag(std::string_view key) {
  const auto* node = content_->ask(key);
  if (node == nullptr) return std::nullopt;
  if (const auto value = node->value_exact<bool>()) return *value;
  content_->complain(node, fmt::format("'{}' must be true or false", key));
  return std::nullopt;
}

std::string toml_table::text(std::string_view key, std::optional<std::string> fallback) {
  if (auto value = find_text(key)) return std::move(*value);
  if (!has(key) && !fallback) content_->complain(nullptr, fmt::format("'{}' is missing; add a text", key));
  return fallback.value_or("");
}

std::uint64_t toml_table::number(std::string_view key, std::uint64_t low, std::uint64_t high,
                                 std::optional<std::uint64_t> fallback) {
  if (const auto value = find_number(key, low, high)) return *value;
  if (!has(key) && !fallback) content_->complain(nullptr, fmt::format("'{}' is missing; add a number", key));
  return fallback.value_or(low);
}

toml_table toml_table::table(std::string_view key) {
  const auto* node = content_->ask(key);
  if (node != nullptr && !node->is_table())
    content_->complain(node, fmt::format("'{}' must be a table: [{}]", key, key));
  return toml_table{content_->inner(node == nullptr ? nullptr : node->as_table())};
}

std::vector<toml_table> toml_table::tables(std::string_view key) {
  std::vector<toml_table> all;
  const auto* node = content_->ask(key);
  if (node == nullptr) return all;
  const auto* array = node->as_array();
  if (array == nullptr || !(array->empty() || array->is_homogeneous(toml::node_type::table))) {
    content_->complain(node, fmt::format("'{}' must be a list of tables: [[{}]]", key, key));
    return all;
  }
  for (const auto& each : *array)
    all.push_back(toml_table{content_->inner(each.as_table())});
  return all;
}

void toml_table::complain(std::string_view key, std::string what) {
  content_->complain(content_->table == nullptr ? nullptr : content_->table->get(key), std::move(what));
}

void toml_table::expect_nothing_else(const unknown_key_hint& hint) {
  if (content_->table == nullptr) return;
  std::string known;
  for (const auto& key : content_->asked)
    known += (known.empty() ? "" : ", ") + key;
  for (const auto& [key, node] : *content_->table) {
    if (content_->asked.contains(key.str())) continue;
    auto what = hint ? hint(key.str()) : std::string{};
    if (what.empty()) what = fmt::format("unknown key '{}'; known keys of this table: {}", key.str(), known);
    content_->complain(&node, std::move(what));
  }
}

or_error<toml_document> toml_document::read(const std::filesystem::path& path) {
  auto content = read_small_file(path, config_bytes_max);
  if (!content) {
    std::error_code unknown;
    if (!std::filesystem::exists(path, unknown) && !unknown) {
      content.error().remedy = "check the path, or make a new cluster: hypermesh init DIRECTORY";
    }
    return failure_of(content);
  }
  return parse(path, *content);
}

or_error<toml_document> toml_document::parse(const std::filesystem::path& path, const std::string& content) {
  toml_document document;
  document.path_ = path;
  document.problems_ = std::make_shared<std::vector<config_problem>>();
  try {
    document.parsed_ = std::make_shared<toml::table>(toml::parse(content, path.string()));
  } catch (const toml::parse_error& error) {
    const auto line = static_cast<std::uint32_t>(error.source().begin.line);
    return tl::unexpected(error_of({{path, line, std::string{error.description()}}}));
  }
  return document;
}

void toml_document::set(std::string_view table, std::string_view key, std::string_view value, bool is_text) {
  auto* place = static_cast<toml::table*>(parsed_.get());
  if (!table.empty()) {
    if (place->get(table) == nullptr) place->insert(table, toml::table{});
    place = place->get(table)->as_table();
    // The file has another value under the name of the table, which its reader complains about.
    if (place == nullptr) return;
  }
  std::int64_t number = 0;
  const auto* end = value.data() + value.size();
  const auto parsed = std::from_chars(value.data(), end, number);
  if (!is_text && parsed.ec == std::errc{} && parsed.ptr == end) {
    place->insert_or_assign(key, number);
  } else if (!is_text && (value == "true" || value == "false")) {
    place->insert_or_assign(key, value == "true");
  } else {
    place->insert_or_assign(key, std::string{value});
  }
}

toml_table toml_document::root() const {
  const auto* table = static_cast<const toml::table*>(parsed_.get());
  return toml_table{std::make_shared<toml_table::content>(toml_table::content{path_, problems_, parsed_, table, {}})};
}

}  // namespace hypermesh::base
