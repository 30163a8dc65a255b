#include "tests/simulation/item_text.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "runtime/state_machines/printable.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tests/simulation/event_log.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::array<std::string_view, node_parts_count> part_names = {
    "ingress",      "client-ingress", "batcher", "replica",    "executor",
    "checkpointer", "state-transfer", "journal", "coordinator"};
constexpr std::array<std::string_view, 3> fate_names = {"lost", "kept", "torn"};
constexpr std::array<std::string_view, 4> trouble_names = {"none", "write-errors", "sync-errors", "full"};
constexpr std::array<std::string_view, 2> disk_names = {"empty", "same"};
constexpr std::array<std::string_view, 3> leaving_names = {"none", "first", "second"};
constexpr std::array<std::string_view, 2> adversary_end_names = {"leaves", "stays"};
constexpr std::array<std::string_view, 3> cut_names = {"both", "outbound", "inbound"};

template <class Enum, std::size_t Size>
bool read_name(std::string_view text, const std::array<std::string_view, Size>& names, Enum& value) {
  const auto found = std::ranges::find(names, text);
  value = static_cast<Enum>(found - names.begin());
  return found != names.end();
}

template <class Number>
bool read_number(std::string_view text, Number& value) {
  const auto parsed = parse_decimal<Number>(text);
  value = parsed.value_or(0);
  // Each number has only one text, because leading zeros are not allowed.
  return parsed && fmt::to_string(*parsed) == text;
}

}  // namespace

std::string text_of(std::uint32_t number) { return fmt::to_string(number); }
std::string text_of(duration time) { return fmt::format("{}.{:03}ms", time / 1ms, (time % 1ms).count()); }
std::string text_of(moment time) { return text_of(time.time_since_epoch()); }
std::string text_of(replica_id id) { return fmt::to_string(id.value); }
std::string text_of(node_part part) { return std::string{part_names.at(static_cast<std::size_t>(part))}; }
std::string text_of(write_fate fate) { return std::string{fate_names.at(static_cast<std::size_t>(fate))}; }
std::string text_of(link_cut cut) { return std::string{cut_names.at(static_cast<std::size_t>(cut))}; }

std::string text_of(disk_trouble trouble) { return std::string{trouble_names.at(static_cast<std::size_t>(trouble))}; }
std::string text_of(copied_disk disk) { return std::string{disk_names.at(static_cast<std::size_t>(disk))}; }

std::string text_of(leaving_machine machine) {
  return std::string{leaving_names.at(static_cast<std::size_t>(machine))};
}

std::string text_of(adversary_end end) { return std::string{adversary_end_names.at(static_cast<std::size_t>(end))}; }

std::string text_of(const strategy_names& names) { return names.text; }

std::string text_of(principal who) { return short_name(who); }

std::string text_of(const std::set<endpoint>& members) {
  std::string text;
  for (const auto& each : members)
    text += (text.empty() ? "" : ",") + short_name(each);
  return text;
}

bool read(std::string_view text, std::uint32_t& value) { return read_number(text, value); }

bool read(std::string_view text, duration& value) {
  const auto point = text.find('.');
  if (point == std::string_view::npos || !text.ends_with("ms") || text.size() != point + 6) return false;
  // 10¹² ms are thirty years, so no product below exceeds 64 bits.
  std::uint64_t whole = 0;
  const auto part = parse_decimal<std::uint32_t>(text.substr(point + 1, 3));
  if (!read_number(text.substr(0, point), whole) || whole > 1'000'000'000'000 || !part) return false;
  value = duration{whole * 1'000 + *part};
  return true;
}

bool read(std::string_view text, moment& value) {
  duration since{};
  const bool is_time = read(text, since);
  value = moment{since};
  return is_time;
}

bool read(std::string_view text, replica_id& value) { return read_number(text, value.value); }

bool read(std::string_view text, client_id& value) {
  return text.starts_with('c') && read_number(text.substr(1), value.value);
}

bool read(std::string_view text, node_part& value) { return read_name(text, part_names, value); }
bool read(std::string_view text, link_cut& value) { return read_name(text, cut_names, value); }

bool read(std::string_view text, disk_trouble& value) { return read_name(text, trouble_names, value); }
bool read(std::string_view text, write_fate& value) { return read_name(text, fate_names, value); }

bool read(std::string_view text, copied_disk& value) { return read_name(text, disk_names, value); }

bool read(std::string_view text, leaving_machine& value) { return read_name(text, leaving_names, value); }

bool read(std::string_view text, adversary_end& value) { return read_name(text, adversary_end_names, value); }

bool read(std::string_view text, strategy_names& value) {
  value.text = text;
  return make_adversary(text) != nullptr;
}

bool read(std::string_view text, principal& value) {
  client_id client;
  replica_id replica;
  const bool is_client = read(text, client);
  if (!is_client && !read(text, replica)) return false;
  value = is_client ? principal::of(client) : principal::of(replica);
  return true;
}

bool read(std::string_view text, std::set<endpoint>& value) {
  value.clear();
  for (bool more = true; more;) {
    const auto comma = text.find(',');
    auto name = text.substr(0, comma);
    more = comma != std::string_view::npos;
    text.remove_prefix(more ? comma + 1 : text.size());
    client_id client;
    replica_id replica;
    const bool is_client = read(name, client);
    const bool is_copy = !is_client && name.ends_with('b');
    if (is_copy) name.remove_suffix(1);
    if (!is_client && !read(name, replica)) return false;
    value.insert(is_client ? endpoint{principal::of(client)} : endpoint{principal::of(replica), is_copy});
  }
  return true;
}

field_reader::field_reader(std::span<const std::string> words) {
  for (const auto& each : words) {
    const auto sign = each.find('=');
    if (sign == std::string::npos || !values_.emplace(each.substr(0, sign), each.substr(sign + 1)).second) {
      complain("has a field that is not name=value, or has it twice: " + each);
    }
  }
}

void field_reader::complain(std::string what) {
  if (error_.empty()) error_ = std::move(what);
}

or_reason<void> field_reader::outcome() const {
  if (!error_.empty()) return invalid(error_);
  if (!values_.empty()) return invalid("has a field that it should not have: " + values_.begin()->first);
  return {};
}

}  // namespace hypermesh::testing
