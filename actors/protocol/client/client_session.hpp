#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The session of one client process: its number, whether the replicas have opened it, and its next timestamp. Pure. No
/// operation is sent before the session is open. So if another process uses the number, or if the session with this
/// number has ended, the client can open another session without the risk that an operation is executed twice. Memory:
/// one number for each replica.
class client_session {
 public:
  /// `first` is the number to try first. The host derives it from the present time, so that it is above the numbers of
  /// ended sessions. For session 0, which is always open, `next` must exceed every timestamp that was used in it
  /// (attack 25).
  client_session(const cluster_parameters& cluster, session_id first, session_mode mode, std::uint64_t seed,
                 timestamp next = timestamp{1});

  [[nodiscard]] session_id id() const { return id_; }
  [[nodiscard]] session_mode mode() const { return mode_; }
  [[nodiscard]] bool is_open() const { return is_open_; }
  /// The timestamp of the next request.
  [[nodiscard]] timestamp next() const { return next_; }
  timestamp take_next();

  /// The content of the request with timestamp 0.
  [[nodiscard]] session_opening opening() const;
  void on_opened() { is_open_ = true; }
  /// A replica refused the opening because the session has ended. According to this replica, no session above
  /// `fresh_above` has ended. Returns true if a quorum has refused: the session then has a new number and must be
  /// opened again. Also returns false if no number above the ended ones is left. A client that opened the largest
  /// numbers can only use session 0.
  [[nodiscard]] bool on_refused(replica_id from, session_id fresh_above);
  /// Chooses a new session number above `above`, because another process uses the present one or its session has ended.
  void replace(session_id above);

 private:
  [[nodiscard]] std::uint64_t drawn(std::string_view what) const;

  group_size group_;
  session_id id_;
  session_mode mode_;
  std::uint64_t seed_;
  timestamp next_;
  bool is_open_;
  /// The `fresh_above` of each replica that refused the present number.
  std::map<replica_id, session_id> refusals_;
};

}  // namespace hypermesh::protocol
