#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "messages/types.hpp"

namespace hypermesh {

/// Selects which donor a fetcher asks next, and for how much at once. Pure; time is ticks.
///
/// Each donor has a window of open questions. The window grows with each verified answer, up to what the donor gives in
/// `window_ticks`, so a fast donor has many questions open within a few round trips. At each tick the window shrinks to
/// that rate, so a donor that gives parts slowly holds few questions.
///
/// A donor that answers nothing for the ticks of its patience is late. It is set aside for a pause, and its patience
/// doubles, because its link may be slow. A donor that refuses is set aside too. A donor that lied is dropped. When all
/// first donors, which signed the certificate, have failed, the donors in reserve join. When these have failed as well,
/// the donor whose pause ends first is asked again, so that some donor is always asked.
///
/// Memory: one entry for each replica.
class donor_roster {
 public:
  /// Open questions.
  static constexpr unsigned window_initial = 4;
  static constexpr unsigned window_max = 256;
  /// With more ticks a slow donor would hold more questions; with fewer, a link whose round trip takes as long would
  /// idle.
  static constexpr unsigned window_ticks = 3;
  /// Ticks without an answer until a donor is late.
  static constexpr unsigned patience_initial = 3;
  static constexpr unsigned patience_max = 24;
  /// Ticks for which a donor is set aside.
  static constexpr unsigned pause_initial = 8;
  static constexpr unsigned pause_max = 64;

  donor_roster() = default;
  /// `first` are asked first, `others` are in reserve. `liars` are not asked as long as there is any other donor.
  donor_roster(const std::vector<replica_id>& first, const std::vector<replica_id>& others,
               const std::set<replica_id>& liars);

  /// The donor to ask next: of the donors with room the one with most room, and among equals the one that was asked
  /// least recently. No donor of `asked` as long as another one serves, and no donor of `awaited` at all.
  [[nodiscard]] std::optional<replica_id> next(const std::vector<replica_id>& asked = {},
                                               const std::vector<replica_id>& awaited = {}) const;
  [[nodiscard]] bool has_room() const;

  /// A question to the donor was opened, and has the returned number; a question was closed, for whatever reason.
  std::uint64_t on_asked(replica_id id);
  void on_closed(replica_id id);
  /// A verified answer to `question` came from the donor.
  void on_given(replica_id id, std::uint64_t question);
  /// The donor wants a pause until the next tick.
  void on_busy(replica_id id);
  /// True if the donor was serving until now: its open questions go to other donors.
  [[nodiscard]] bool on_refused(replica_id id) { return set_aside(id, donor_fault::refused); }
  [[nodiscard]] bool on_lied(replica_id id) { return set_aside(id, donor_fault::lied); }
  /// Returns the donors that are late at this tick. They are set aside.
  [[nodiscard]] std::vector<replica_id> on_tick();

  /// Whether the donor answered a later question before this one. Links keep the order of frames, and donors answer in
  /// order.
  [[nodiscard]] bool has_passed_over(replica_id id, std::uint64_t question) const {
    return question < donors_.at(id).last_answered;
  }
  /// Number of open questions to take back. Up to twice the window none is, because a donor that became a little slower
  /// answers them in time.
  [[nodiscard]] unsigned excess_of(replica_id id) const;
  [[nodiscard]] unsigned open_questions() const;
  /// Whether the donor was asked and gave nothing in the last tick.
  [[nodiscard]] bool is_silent(replica_id id) const { return donors_.at(id).silent_ticks > 0; }
  /// Number of donors that have neither refused nor lied, so that they may hold the state.
  [[nodiscard]] unsigned possible_holders() const;
  [[nodiscard]] std::set<replica_id> liars() const;

 private:
  enum class standing {
    /// Not asked before all first donors have failed.
    in_reserve,
    serving,
    /// In a pause.
    aside,
    /// It lied.
    dropped,
  };
  struct donor {
    standing now = standing::serving;
    /// It refused, because it does not hold this state.
    bool refused = false;
    bool busy = false;
    unsigned window = window_initial;
    unsigned open = 0;
    /// Verified answers since the last tick, and in the tick before.
    unsigned given = 0;
    unsigned given_before = 0;
    /// Ticks in a row in which it was asked and gave nothing.
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

}  // namespace hypermesh
