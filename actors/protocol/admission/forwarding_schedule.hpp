#pragma once

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Decides when a backup forwards a pending request to the primary, because the client may not have sent the request
/// there (§4.1). Pure.
///
/// Each copy costs the primary a signature check, and under full load every request is pending for a while. So only
/// some backups forward early. For each request a third of the backups forwards after `first_delay`, and the primary
/// can compute which third. If only these backups forwarded, the primary could withhold one request in three with at
/// most f witnesses for each, and f + 1 suspicions would never come together (attack 29). So each backup also chooses
/// one request in `draws` at random, in secret, and forwards it after `drawn_delay`. All others forward after
/// `later_delay`.
///
/// Example: n = 4, primary 0, a request with timestamp 5. Backup 1 has rank 1, and 5 + 1 is divisible by 3: it forwards
/// after 50 ms. Backups 2 and 3 forward after 400 ms, or after 20 ms if they chose the request at random.
class forwarding_schedule {
 public:
  /// 20 ms: a shorter wait never counts against a primary.
  static constexpr duration drawn_delay = primary_monitor::wait_floor;
  /// `first_delay` is longer than the time in which a request reaches the primary and comes back as a proposal;
  /// `later_delay` is shorter than the time after which a client sends a request again (500 ms).
  static constexpr duration first_delay = 50ms;
  static constexpr duration later_delay = 400ms;
  /// A backup chooses one request in this many at random.
  static constexpr std::uint64_t draws = 4;
  /// The time for which clients still send to a former primary: they learn the new view with the next reply.
  static constexpr duration former_primary_period = 500ms;

  /// `keys` signs as `self`. A signature is the seed of the random choice and never leaves this replica.
  forwarding_schedule(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The time from now until the request is forwarded, if it is still pending then. `times` is how often this function
  /// was asked for the request before.
  [[nodiscard]] duration delay(ordered_id id, replica_id primary, std::size_t times) const;

  /// This replica is no longer the primary.
  void on_ceded(moment now) { asked_as_primary_until_ = now + former_primary_period; }
  /// Whether clients may still believe that this backup is the primary. A client then sends its request only to this
  /// replica, so the request is forwarded at once. Otherwise all later requests of its session would wait for it after
  /// a hand-over.
  [[nodiscard]] bool is_asked_as_primary(moment now) const { return now < asked_as_primary_until_; }

 private:
  [[nodiscard]] bool is_drawn(ordered_id id) const;
  [[nodiscard]] bool is_first(ordered_id id, replica_id primary) const;

  group_size group_;
  replica_id self_;
  digest secret_;
  moment asked_as_primary_until_{};
};

}  // namespace hypermesh::protocol
