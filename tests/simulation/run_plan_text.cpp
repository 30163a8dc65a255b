#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/printable.hpp"
#include "tests/simulation/operation_text.hpp"
#include "tests/simulation/run_plan.hpp"

namespace hypermesh::testing {

namespace {

constexpr std::string_view first_line = "hypermesh-plan 1";

/// Reads one line of the text of a plan.
class line_reader {
 public:
  explicit line_reader(run_plan& plan) : plan_(plan) {}

  or_reason<void> take(std::span<const std::string> words) {
    const auto& word = words.front();
    if (word == "fault") return take_fault(words.subspan(1));
    if (word == "operation" || word == "query" || word == "read") return take_operation(words);
    if (words.size() != 2) return invalid("\"" + word + "\" has one value");
    const auto& value = words[1];
    if (word == "profile") return take_profile(value);
    if (word == "heals-at") return take_time(value, plan_.heals_at);
    if (word == "key-seed") return take_number(value, plan_.key_seed);
    if (word == "scheduling-seed") return take_number(value, plan_.scheduling_seed);
    const auto row = std::ranges::find(setting_rows, word, &setting_row::name);
    if (row == setting_rows.end()) return invalid("no line of a plan begins with \"" + word + "\"");
    return take_number(value, plan_.settings.*row->member);
  }

 private:
  static tl::unexpected<std::string> wrong(const std::string& value, std::string_view what) {
    return invalid(fmt::format("\"{}\" is no {}", value, what));
  }

  static or_reason<void> take_number(const std::string& value, std::uint64_t& into) {
    const auto number = parse_decimal<std::uint64_t>(value);
    if (!number) return wrong(value, "number");
    into = *number;
    return {};
  }

  static or_reason<void> take_time(const std::string& value, moment& into) {
    if (!read(value, into)) return wrong(value, "time like 12.000ms");
    return {};
  }

  or_reason<void> take_profile(const std::string& value) {
    const auto profile = fault_profile_of(value);
    if (!profile) return wrong(value, "profile");
    plan_.profile = *profile;
    return {};
  }

  or_reason<void> take_fault(std::span<const std::string> words) {
    auto fault = fault_of(words);
    if (!fault) return failure_of(fault);
    plan_.faults.push_back(std::move(*fault));
    return {};
  }

  or_reason<void> take_operation(std::span<const std::string> words) {
    planned_operation next;
    next.is_query = words[0] != "operation";
    next.is_linearizable = words[0] == "read";
    if (words.size() < 4 || !read(words[1], next.when) || !read(words[2], next.client)) {
      return invalid("an operation, a query or a read is TIME CLIENT WORDS…, like 12.000ms c0 get key-1");
    }
    auto operation = operation_of(words.subspan(3));
    if (!operation) return failure_of(operation);
    next.operation = std::move(*operation);
    plan_.operations.push_back(std::move(next));
    return {};
  }

  run_plan& plan_;
};

}  // namespace

std::string text_of(const run_plan& plan) {
  std::string text{first_line};
  text += fmt::format("\nprofile {}\nkey-seed {}\nscheduling-seed {}\n", to_string(plan.profile), plan.key_seed,
                      plan.scheduling_seed);
  for (const auto& row : setting_rows)
    text += fmt::format("{} {}\n", row.name, plan.settings.*row.member);
  text += "heals-at " + text_of(plan.heals_at) + "\n";
  for (const auto& each : plan.faults)
    text += "fault " + text_of(each) + "\n";
  for (const auto& each : plan.operations) {
    const auto word = each.is_linearizable ? "read" : each.is_query ? "query" : "operation";
    text += fmt::format("{} {} c{} {}\n", word, text_of(each.when), each.client.value, words_of(each.operation));
  }
  return text;
}

or_reason<run_plan> plan_of(std::string_view text) {
  run_plan plan;
  line_reader reader{plan};
  bool has_begun = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto words = split_words(line);
    if (words.empty() || words.front().starts_with('#')) continue;
    if (!has_begun && line != first_line) return invalid(fmt::format("a plan begins with \"{}\"", first_line));
    if (has_begun) {
      if (auto done = reader.take(words); !done) return invalid(fmt::format("line {}: {}", number, done.error()));
    }
    has_begun = true;
  }
  if (!has_begun) return invalid(fmt::format("a plan begins with \"{}\"", first_line));
  if (auto done = check(plan); !done) return failure_of(done);
  return plan;
}

}  // namespace hypermesh::testing
