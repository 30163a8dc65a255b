#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/effects.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// Whom a fetcher asks, and for how much at once. Pure; time is ticks.
///
/// Each donor has a window of open questions. It grows with each true answer, so that within a few round trips a fast
/// donor has much under way, up to what the donor gives in `window_ticks`, and it shrinks to that at each tick, so that
/// one that drips holds a few questions and no more. A donor that answers nothing for its patience is late: it is set
/// aside for a while, and its patience grows, since the link may be slow. One that refuses is set aside; one that lied
/// is dropped. When the first donors, who signed the certificate, have all failed, the others join; when these failed
/// too, the one that waits longest is asked again: somebody is always asked. Memory: one entry for each replica.
class donor_roster {
 public:
  static constexpr unsigned window_initial = 4;
  static constexpr unsigned window_max = 256;
  /// More ticks would let a donor that drips hold more, fewer would starve a link whose round trip is as long.
  static constexpr unsigned window_ticks = 3;
  /// Ticks without an answer.
  static constexpr unsigned patience_initial = 3;
  static constexpr unsigned patience_max = 24;
  /// Ticks that a donor is set aside.
  static constexpr unsigned pause_initial = 8;
  static constexpr unsigned pause_max = 64;

  donor_roster() = default;
  /// `liars` are not asked as long as anybody else is there.
  donor_roster(const std::vector<replica_id>& first, const std::vector<replica_id>& others,
               const std::set<replica_id>& liars);

  /// Who is asked next: of those with room the one with most of it; none of `asked` as long as somebody else serves,
  /// and none of `awaited` at all.
  [[nodiscard]] std::optional<replica_id> next(const std::vector<replica_id>& asked = {},
                                               const std::vector<replica_id>& awaited = {}) const;
  [[nodiscard]] bool has_room() const;

  /// A question to the donor was opened, with this number; was closed, whatever the reason.
  std::uint64_t on_asked(replica_id id);
  void on_closed(replica_id id);
  /// A true answer to a question came from it.
  void on_given(replica_id id, std::uint64_t question);
  /// It wants a pause until the next tick.
  void on_busy(replica_id id);
  /// True when it was serving until now: its questions go to others.
  [[nodiscard]] bool on_refused(replica_id id) { return set_aside(id, donor_fault::refused); }
  [[nodiscard]] bool on_lied(replica_id id) { return set_aside(id, donor_fault::lied); }
  /// Those that are late now.
  [[nodiscard]] std::vector<replica_id> on_tick();

  /// Whether it answered a later question before this one. Links keep the order, and donors do.
  [[nodiscard]] bool has_passed_over(replica_id id, std::uint64_t question) const {
    return question < donors_.at(id).last_answered;
  }
  /// Open questions to take back. A donor that became a little slower works them off.
  [[nodiscard]] unsigned excess_of(replica_id id) const;
  [[nodiscard]] unsigned open_questions() const;
  /// Whether it answered nothing before the last tick although it was asked.
  [[nodiscard]] bool is_silent(replica_id id) const { return donors_.at(id).silent_ticks > 0; }
  /// Donors that did not say or show that they have not this state.
  [[nodiscard]] unsigned possible_holders() const;
  [[nodiscard]] std::set<replica_id> liars() const;

 private:
  enum class standing {
    /// Not asked before all that were asked first have failed.
    in_reserve,
    serving,
    aside,
    dropped,
  };
  struct donor {
    standing now = standing::serving;
    /// It said that it has not this state.
    bool refused = false;
    bool busy = false;
    unsigned window = window_initial;
    unsigned open = 0;
    /// True answers since the last tick, and in the tick before.
    unsigned given = 0;
    unsigned given_before = 0;
    /// In a row.
    unsigned silent_ticks = 0;
    unsigned patience = patience_initial;
    unsigned pause = pause_initial;
    unsigned pause_left = 0;
    /// Numbers of questions.
    std::uint64_t last_asked = 0;
    std::uint64_t last_answered = 0;
  };

  bool set_aside(replica_id id, donor_fault why);
  void serve_again(donor& it);
  static unsigned rate_of(const donor& it);
  static unsigned window_after(const donor& it);
  void call_reserve();
  void call_somebody();
  [[nodiscard]] bool serves_anybody() const;

  std::map<replica_id, donor> donors_;
  std::uint64_t questions_ = 0;
};

}  // namespace hypermesh
