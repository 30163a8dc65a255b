#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "actors/protocol/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The session of one client process: its number, whether the replicas have opened it, and its next timestamp. Pure.
/// A number that is taken or has ended is replaced before any operation was sent in it, so an opening is tried again
/// without a risk. Memory: one number for each replica.
class client_session {
 public:
  /// `first` is the number to try first: near the present time, so that it is above those that have ended. Session 0 is
  /// open already, and `next` exceeds every timestamp that was used in it (attack 25).
  client_session(const cluster_parameters& cluster, session_id first, session_mode mode, std::uint64_t seed,
                 timestamp next = timestamp{1});

  [[nodiscard]] session_id id() const { return id_; }
  [[nodiscard]] session_mode mode() const { return mode_; }
  [[nodiscard]] bool is_open() const { return is_open_; }
  /// Of the next request.
  [[nodiscard]] timestamp next() const { return next_; }
  timestamp take_next();

  /// What the request with timestamp 0 carries.
  [[nodiscard]] session_opening opening() const;
  void on_opened() { is_open_ = true; }
  /// A replica refuses the opening, because the session has ended; no session above `fresh_above` has. Returns whether
  /// a quorum says so: then this is another session from now on, to be opened anew. False also when there is no number
  /// left above those that have ended: who opened the largest ones has used up its identity for all but session 0.
  [[nodiscard]] bool on_refused(replica_id from, session_id fresh_above);
  /// Somebody else has opened a session of this number, or this one has ended: from now on it is another one.
  void replace(session_id above);

 private:
  [[nodiscard]] std::uint64_t drawn(std::string_view what) const;

  group_size group_;
  session_id id_;
  session_mode mode_;
  std::uint64_t seed_;
  timestamp next_;
  bool is_open_;
  std::map<replica_id, session_id> refusals_;
};

}  // namespace hypermesh
