#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "messages/types.hpp"

namespace hypermesh::protocol {

/// Selects which donor a fetcher asks next, and how many questions a donor may have open at once. Pure. Time is counted
/// in ticks.
///
/// Each donor has a window of open questions. The window grows with each verified answer, up to the number of parts
/// that the donor gives in `window_ticks`. So a fast donor has many open questions after a few round trips. At each
/// tick the window shrinks to the present rate, so a slow donor has few open questions.
///
/// A donor is late if it does not answer within its limit, a number of ticks (`patience`). A late donor is not asked
/// for a while, and its limit doubles, because its link may be slow. A donor that refuses is not asked for a while
/// either, and a donor that lied is never asked again. The first donors are the replicas that signed the certificate.
/// When all of them have failed, the donors in reserve are asked too. When these have failed as well, the fetcher asks
/// the donor whose pause ends first, so that it never stops asking.
///
/// Memory: one entry for each replica.
class donor_roster {
 public:
  /// The initial and the largest window, in open questions.
  static constexpr unsigned window_initial = 4;
  static constexpr unsigned window_max = 256;
  /// With more ticks, a slow donor would have too many open questions. With fewer ticks, a link with a long round trip
  /// would idle between questions.
  static constexpr unsigned window_ticks = 3;
  /// Ticks without an answer after which a donor is late.
  static constexpr unsigned patience_initial = 3;
  static constexpr unsigned patience_max = 24;
  /// Ticks for which a donor is not asked after a failure.
  static constexpr unsigned pause_initial = 8;
  static constexpr unsigned pause_max = 64;

  donor_roster() = default;
  /// The donors in `first` are asked first; `others` are in reserve. `liars` are asked only if there is no other donor.
  donor_roster(const std::vector<replica_id>& first, const std::vector<replica_id>& others,
               const std::set<replica_id>& liars);

  /// The donor to ask next: the donor with the most room in its window, and among equals the donor that was asked least
  /// recently. A donor in `asked` is chosen only if no other donor serves, and a donor in `awaited` is never chosen.
  [[nodiscard]] std::optional<replica_id> next(const std::vector<replica_id>& asked = {},
                                               const std::vector<replica_id>& awaited = {}) const;
  [[nodiscard]] bool has_room() const;

  /// `on_asked` opens a question to the donor and returns its number. `on_closed` closes a question, for whatever
  /// reason.
  std::uint64_t on_asked(replica_id id);
  void on_closed(replica_id id);
  /// A verified answer to `question` came from the donor.
  void on_given(replica_id id, std::uint64_t question);
  /// The donor refused because it is busy, so it is not asked again before the next tick.
  void on_busy(replica_id id);
  /// Returns true if the donor was serving until now; the caller then asks other donors its open questions.
  [[nodiscard]] bool on_refused(replica_id id) { return set_aside(id, donor_fault::refused); }
  [[nodiscard]] bool on_lied(replica_id id) { return set_aside(id, donor_fault::lied); }
  /// Returns the donors that became late at this tick. They are not asked for a while.
  [[nodiscard]] std::vector<replica_id> on_tick();

  /// Whether the donor answered a later question before this one, so that this answer was lost: links keep the order of
  /// frames, and donors answer in order.
  [[nodiscard]] bool has_passed_over(replica_id id, std::uint64_t question) const {
    return question < donors_.at(id).last_answered;
  }
  /// The number of open questions to take back. It is zero up to twice the window, because a donor that became a little
  /// slower still answers them in time.
  [[nodiscard]] unsigned excess_of(replica_id id) const;
  [[nodiscard]] unsigned open_questions() const;
  /// Whether the donor was asked and gave no part in the last tick.
  [[nodiscard]] bool is_silent(replica_id id) const { return donors_.at(id).silent_ticks > 0; }
  /// Number of donors that have neither refused nor lied, so that they may have the state.
  [[nodiscard]] unsigned possible_holders() const;
  [[nodiscard]] std::set<replica_id> liars() const;

 private:
  enum class standing {
    /// The donor is not asked before all first donors have failed.
    in_reserve,
    serving,
    /// The donor is not asked until its pause ends.
    aside,
    /// The donor lied and is never asked again.
    dropped,
  };
  struct donor {
    standing now = standing::serving;
    /// Whether the donor refused because it does not have this state.
    bool refused = false;
    bool busy = false;
    unsigned window = window_initial;
    unsigned open = 0;
    /// Verified answers since the last tick, and in the tick before.
    unsigned given = 0;
    unsigned given_before = 0;
    /// Ticks in a row in which the donor was asked and gave no part.
    unsigned silent_ticks = 0;
    unsigned patience = patience_initial;
    unsigned pause = pause_initial;
    unsigned pause_left = 0;
    /// The number of the last question, and of the latest question that was answered.
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

}  // namespace hypermesh::protocol
