#pragma once

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/service_judge.hpp"
#include "messages/digest.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// When a backup hands a pending request to the primary, in case its client did not (§4.1). Pure.
///
/// Copies cost the primary checks, and under full load everything stays for a while, so not all of them do soon. Of
/// each request a third of the backups is to do so after `first_us`. The primary knows which; would only they look, it
/// could hold back one request in three with f witnesses for each, and f + 1 never met (attack 29). So every backup
/// also draws one request in `draws` by a lot that nobody else can foresee, and hands it on after `drawn_us`. All
/// others follow after `later_us`.
class hand_on_plan {
 public:
  /// As short as a wait that is nobody's fault.
  static constexpr microseconds_t drawn_us = service_judge::wait_floor_us;
  /// Longer than a request is under way to the primary and back as a proposal, shorter than a client's patience.
  static constexpr microseconds_t first_us = 50'000;
  static constexpr microseconds_t later_us = 400'000;
  static constexpr std::uint64_t draws = 4;
  /// How long clients go on asking a replica that led before: they hear of the new view with the next reply.
  static constexpr microseconds_t former_primary_us = 500'000;

  /// `keys` signs as `self`; what it signs here is told to nobody.
  hand_on_plan(const cluster_parameters& cluster, replica_id self, const authenticator& keys);

  /// From now on, if the request is still pending then; it was handed on `times` times.
  [[nodiscard]] microseconds_t delay(request_id id, replica_id primary, std::size_t times) const;

  /// This replica leads no more.
  void on_ceded(microseconds_t now) { asked_as_primary_until_ = now + former_primary_us; }
  /// Whether clients may take this backup for the primary still. Then they sent a request to nobody else, and it is
  /// handed on at once: after a hand-over all that follows it in its session waits for it.
  [[nodiscard]] bool is_asked_as_primary(microseconds_t now) const { return now < asked_as_primary_until_; }

 private:
  [[nodiscard]] bool is_drawn(request_id id) const;
  [[nodiscard]] bool is_first(request_id id, replica_id primary) const;

  group_size group_;
  replica_id self_;
  digest secret_;
  microseconds_t asked_as_primary_until_ = 0;
};

}  // namespace hypermesh
