#pragma once

#include <array>
#include <map>
#include <optional>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/replica_position.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Refuses messages that the replica would refuse anyway, before their signatures are checked: messages that are late,
/// of another view, far outside the watermarks, or known already (attack 33: a PRE-PREPARE may cost a thousand checks).
/// Pure.
///
/// The filter makes no protocol decision. The cores still check each message that passes, and the filter refuses only
/// messages that they would refuse, with one exception: it refuses a PRE-PREPARE of a view that the replica has not
/// entered, although `future_messages` would keep it. Retransmission repairs that, as it repairs every loss.
///
/// The filter uses two separate facts. 1. The position of the replica, which changes only when the replica publishes a
/// new one. 2. The NEW-VIEW that has passed and is not adopted yet, which the filter notes itself. The filter needs the
/// second fact because the first proposals of a view follow its NEW-VIEW on the same link. They arrive here before the
/// replica has published that it entered the view.
///
/// Memory: for each sequence inside the window one statement and 2n digests, and one signature for each replica.
class pre_verification_filter {
 public:
  explicit pre_verification_filter(const cluster_parameters& cluster);

  /// The reason to refuse a message that came on the link of `sender`; nothing if it passes.
  [[nodiscard]] std::optional<rejection> objection_to(principal sender, const message& value) const;

  /// A message was verified and forwarded to its core, which handles it before the messages that pass after it.
  void note_passed(const message& value);

  /// The replica published its position.
  void on_position(const replica_position& at);

 private:
  /// The position that the replica will have when it handles the next message that passes, as far as the filter knows.
  struct handling_place {
    view_number view;
    bool active = true;
    sequence_number decided;
  };

  [[nodiscard]] handling_place place() const;
  [[nodiscard]] std::optional<rejection> objection_to_place(const statement& content) const;
  [[nodiscard]] std::optional<rejection> objection_to_view(view_number wanted) const;
  [[nodiscard]] std::optional<rejection> objection_to_vote(principal sender, message_kind kind,
                                                           const statement& content) const;
  [[nodiscard]] bool is_kept(const statement& content) const;

  /// The messages of one sequence number that the replica certainly has: the first of each kind and voter, in its view
  /// and inside its window.
  struct accepted {
    std::optional<statement> header;
    /// The digests of PREPAREs and of COMMITs, by voter.
    std::array<std::map<replica_id, digest>, 2> votes;

    [[nodiscard]] auto& votes_of(message_kind kind) { return votes[kind == message_kind::commit ? 1 : 0]; }
    [[nodiscard]] const auto& votes_of(message_kind kind) const { return votes[kind == message_kind::commit ? 1 : 0]; }
  };

  std::uint32_t window_;
  /// The position that the replica published last.
  replica_position at_;
  /// The view of a NEW-VIEW that has passed, until the replica publishes that it has adopted it, has gone beyond it or
  /// may have dropped it.
  std::optional<view_number> passed_;
  /// For each replica its VIEW-CHANGE of the highest view, by its signature.
  std::map<replica_id, std::pair<view_number, signature>> changes_;
  std::map<sequence_number, accepted> accepted_;
};

}  // namespace hypermesh::protocol
