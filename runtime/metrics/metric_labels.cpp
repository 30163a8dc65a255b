#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "actors/protocol/base/observations.hpp"
#include "messages/kinds.hpp"
#include "messages/require.hpp"
#include "runtime/links/link_counters.hpp"
#include "runtime/links/link_error.hpp"
#include "runtime/metrics/metric_table.hpp"

/// The values of the labels. Each value is an enumerator. The words of some enums are written here, and a new
/// enumerator without a word does not compile.
namespace hypermesh::metrics {

namespace {

using words = std::vector<std::string>;

/// The names of the enumerators from `first` to `last`.
template <class Enum>
words names_of(Enum first, Enum last) {
  words names;
  for (auto number = static_cast<unsigned>(first); number <= static_cast<unsigned>(last); ++number)
    names.emplace_back(to_string(static_cast<Enum>(number)));
  return names;
}

/// "PRE-PREPARE" becomes "pre_prepare", because values of labels are in snake_case.
words message_kinds() {
  auto names = names_of(static_cast<message_kind>(message_kind_first), static_cast<message_kind>(message_kind_last));
  for (auto& name : names) {
    for (auto& letter : name) {
      if (letter == '-') letter = '_';
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
  }
  return names;
}

/// The words of the enums that have no `to_string`, in the order of the enumerators.
constexpr std::array<std::string_view, 2> direction_words = {"in", "out"};
static_assert(direction_words.size() == links::link_direction_count);
constexpr std::array<std::string_view, 5> phase_words = {"pre_prepare", "prepared", "committed", "executed", "replied"};
static_assert(phase_words.size() == static_cast<std::size_t>(phase_last) + 1);
constexpr std::array<std::string_view, 3> drop_words = {"queue_full", "link_down", "too_long"};
static_assert(drop_words.size() == static_cast<std::size_t>(drop_reason_last) + 1);
constexpr std::array<std::string_view, 2> directory_words = {"data", "audit"};
static_assert(directory_words.size() == disk_directory_count);
constexpr std::array<std::string_view, 7> http_answer_words = {"ok",        "unready",    "bad_request", "unauthorized",
                                                               "not_found", "bad_method", "overloaded"};
static_assert(http_answer_words.size() == static_cast<std::size_t>(http_answer_last) + 1);

template <std::size_t Count>
words words_from(const std::array<std::string_view, Count>& each) {
  return {each.begin(), each.end()};
}

words make_words(label_set labels) {
  switch (labels) {
    case label_set::rejection:
    case label_set::ignored:
      return names_of(rejection::empty_frame, rejection_last);
    case label_set::message_kind:
      return message_kinds();
    case label_set::direction:
      return words_from(direction_words);
    case label_set::phase:
      return words_from(phase_words);
    case label_set::suspicion:
      return names_of(suspicion_reason::mute, suspicion_reason_last);
    case label_set::donor_fault:
      return names_of(donor_fault::late, donor_fault_last);
    case label_set::link_error:
      return names_of(links::link_error::not_hypermesh, links::link_error_last);
    case label_set::drop:
      return words_from(drop_words);
    case label_set::directory:
      return words_from(directory_words);
    case label_set::http_answer:
      return words_from(http_answer_words);
    case label_set::none:
    case label_set::sender:
    case label_set::replica:
      return {};
  }
  return {};
}

const words& words_of(label_set labels) {
  static const auto all = [] {
    std::vector<words> made;
    for (unsigned number = 0; number <= static_cast<unsigned>(label_set_last); ++number)
      made.push_back(make_words(static_cast<label_set>(number)));
    return made;
  }();
  return all.at(static_cast<std::size_t>(labels));
}

}  // namespace

std::string_view name_of(label_set labels) {
  switch (labels) {
    case label_set::none:
      return "";
    case label_set::rejection:
    case label_set::ignored:
    case label_set::suspicion:
    case label_set::donor_fault:
    case label_set::link_error:
    case label_set::drop:
      return "reason";
    case label_set::sender:
      return "sender";
    case label_set::replica:
      return "replica";
    case label_set::message_kind:
      return "kind";
    case label_set::direction:
      return "direction";
    case label_set::phase:
      return "phase";
    case label_set::directory:
      return "directory";
    case label_set::http_answer:
      return "answer";
  }
  return "";
}

std::size_t count_of(label_set labels, std::uint32_t replicas) {
  if (labels == label_set::none) return 1;
  if (labels == label_set::replica) return replicas;
  if (labels == label_set::sender) return replicas + std::size_t{1};
  return words_of(labels).size();
}

std::string value_of(label_set labels, std::size_t index) {
  if (labels == label_set::none) return {};
  if (labels == label_set::replica) return std::to_string(index);
  if (labels == label_set::sender) return index == 0 ? std::string{"clients"} : fmt::format("replica-{}", index - 1);
  return words_of(labels).at(index);
}

std::string values_text(label_set labels) {
  if (labels == label_set::replica) return "0 to n - 1";
  if (labels == label_set::sender) return "clients, replica-0 to replica-(n - 1)";
  std::vector<std::string> shown;
  for (std::size_t index = 0; index < words_of(labels).size(); ++index) {
    if (is_used(labels, index)) shown.push_back(words_of(labels)[index]);
  }
  return fmt::format("{}", fmt::join(shown, ", "));
}

bool is_used(label_set labels, std::size_t index) {
  if (labels == label_set::rejection) return !is_benign(static_cast<rejection>(index));
  if (labels == label_set::ignored) return is_benign(static_cast<rejection>(index));
  return true;
}

}  // namespace hypermesh::metrics
