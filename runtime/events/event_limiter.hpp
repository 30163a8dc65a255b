#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/admission/token_bucket.hpp"
#include "runtime/events/event.hpp"

namespace hypermesh::runtime {

/// Events of one kind that were left out.
struct omission {
  operator_event_kind kind = operator_event_kind::events_left_out;
  std::uint64_t count = 0;
  /// The time since the first of them.
  duration over{};
};

/// Limits the events of each kind and subject, so that no peer, client or stranger can fill the log, and so that a
/// flood of one kind hides no other. `burst` events pass at once, then one in each `period`. The next event that passes
/// says how many were left out. Pure. Memory: 48 bytes for each kind and subject, at most `entries_max` of them.
class event_limiter {
 public:
  static constexpr std::uint64_t burst = 8;
  static constexpr duration period = 10s;
  /// An omission is reported alone after this time without an event that passes.
  static constexpr duration silence = 3 * period;
  /// More than the kinds times the members of a cluster that an operator has. All further subjects share one entry for
  /// each kind.
  static constexpr std::size_t entries_max = 1'024;

  struct verdict {
    bool passes = false;
    /// What was left out before this event; nothing if the event does not pass either.
    omission before = {};
  };
  [[nodiscard]] verdict admit(const operator_event& event, moment now);

  /// The omissions that no later event has reported for `silence`. Each is returned once.
  [[nodiscard]] std::vector<omission> overdue(moment now);

 private:
  struct entry {
    token_bucket tokens;
    std::uint64_t left_out = 0;
    moment first_left_out;
  };
  [[nodiscard]] entry& entry_of(const operator_event& event, moment now);

  std::map<std::pair<operator_event_kind, std::uint32_t>, entry> entries_;
};

}  // namespace hypermesh::runtime
