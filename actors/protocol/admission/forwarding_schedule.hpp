#pragma once

#include "actors/ports.hpp"
#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/views/primary_monitor.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// When a backup forwards a pending request to the primary, in case the client did not send it there (§4.1). Pure.
///
/// Each copy costs the primary a signature check, and under full load every request is pending for a while, so not all
/// backups forward soon. For each request a third of the backups forwards after `first_us`. The primary can compute
/// which third. If only they forwarded, the primary could withhold one request in three with just f witnesses each, and
/// f + 1 suspicions would never meet (attack 29). So each backup also draws one request in `draws` by a secret lot, and
/// forwards it after `drawn_us`. All others forward after `later_us`.
///
/// Example: n = 4, primary 0, a request with timestamp 5. Backup 1 has rank 1, and 5 + 1 is divisible by 3: it forwards
/// after 50 ms. Backups 2 and 3 forward after 400 ms, or after 20 ms if they drew the request.
class forwarding_schedule {
 public:
  /// 20 ms, the longest wait that is never held against a primary.
  static constexpr microseconds_t drawn_us = primary_monitor::wait_floor_us;
  /// `first_us` is longer than a request takes to the primary and back as a proposal; `later_us` is shorter than the
  /// time after which a client sends a request again (500 ms).
  static constexpr microseconds_t first_us = 50'000;
  static constexpr microseconds_t later_us = 400'000;
  /// A backup draws one request in this many.
  static constexpr std::uint64_t draws = 4;
  /// The time for which clients still send to a former primary: they learn the new view with the next reply.
  static constexpr microseconds_t former_primary_us = 500'000;

  /// `keys` signs as `self`. The signature is the seed of the lot and never leaves this replica.
  forwarding_schedule(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// The time from now until the request is forwarded, if it is still pending then. That time has passed `times` times
  /// before.
  [[nodiscard]] microseconds_t delay(ordered_id id, replica_id primary, std::size_t times) const;

  /// This replica was the primary and is not any more.
  void on_ceded(microseconds_t now) { asked_as_primary_until_ = now + former_primary_us; }
  /// Whether clients may still take this backup for the primary. They sent a request to no other replica then, so it is
  /// forwarded at once: after a hand-over all later requests of its session wait for it.
  [[nodiscard]] bool is_asked_as_primary(microseconds_t now) const { return now < asked_as_primary_until_; }

 private:
  [[nodiscard]] bool is_drawn(ordered_id id) const;
  [[nodiscard]] bool is_first(ordered_id id, replica_id primary) const;

  group_size group_;
  replica_id self_;
  digest secret_;
  microseconds_t asked_as_primary_until_ = 0;
};

}  // namespace hypermesh
