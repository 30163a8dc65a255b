#pragma once

#include <array>
#include <map>
#include <optional>

#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// Where the replica stands, as far as the way in needs to know.
struct replica_position {
  view_number view;
  /// Whether the view is entered.
  bool active = true;
  /// Everything through here is stable, or committed in the view.
  sequence_number decided;
  sequence_number stable;
  /// H.
  sequence_number high;
  /// How often its state was wrong and has been repaired: what it was given meanwhile it has dropped (attack 27).
  std::uint64_t repairs = 0;

  friend bool operator==(const replica_position&, const replica_position&) = default;
};

/// Refuses what the replica would refuse anyway, before its signatures are checked: late, foreign to the view, far
/// outside the watermarks, or known already (attack 33: a PRE-PREPARE may cost a thousand checks). Pure. Decides
/// nothing: what it lets through the cores judge, and what it refuses they would have refused, so retransmission still
/// repairs everything. Memory: for each sequence inside the window one statement and 2n digests, and one signature for
/// each replica.
class early_filter {
 public:
  explicit early_filter(const cluster_parameters& cluster);

  /// To a message on the link of `sender`.
  [[nodiscard]] std::optional<rejection> objection_to(principal sender, const message& value) const;

  /// A message was verified and handed on.
  void note_passed(const message& value);

  void on_position(const replica_position& at);

 private:
  [[nodiscard]] std::optional<rejection> objection_to_place(const statement& content) const;
  [[nodiscard]] std::optional<rejection> objection_to_view(view_number wanted) const;
  [[nodiscard]] std::optional<rejection> objection_to_vote(principal sender, message_kind kind,
                                                           const statement& content) const;
  [[nodiscard]] bool is_kept(const statement& content) const;

  /// What the replica has of a sequence for sure: of its view, inside its window, first of its kind.
  struct accepted {
    std::optional<statement> header;
    /// PREPAREs and COMMITs.
    std::array<std::map<replica_id, digest>, 2> votes;

    [[nodiscard]] auto& votes_of(message_kind kind) { return votes[kind == message_kind::commit ? 1 : 0]; }
    [[nodiscard]] const auto& votes_of(message_kind kind) const { return votes[kind == message_kind::commit ? 1 : 0]; }
  };

  std::uint32_t window_;
  replica_position at_;
  /// The VIEW-CHANGE of the highest view of each replica, by its signature.
  std::map<replica_id, std::pair<view_number, signature>> changes_;
  std::map<sequence_number, accepted> accepted_;
};

}  // namespace hypermesh
