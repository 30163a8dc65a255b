#include "actors/protocol/admission/forwarding_schedule.hpp"

namespace hypermesh::protocol {

forwarding_schedule::forwarding_schedule(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : group_(cluster.group()),
      self_(self),
      // Only this replica can compute the secret, because it has the key. Ed25519 is deterministic, so the secret is
      // the same after a restart.
      secret_(digest_of("hand-on secret", keys.sign(secret_signing_input(cluster.signing, "hand-on lots")).view())) {}

duration forwarding_schedule::delay(ordered_id id, replica_id primary, std::size_t times) const {
  // The primary may have had no room the first time, and copies at short intervals would only add to its load.
  if (times > 0) return later_delay;
  if (is_drawn(id)) return drawn_delay;
  return is_first(id, primary) ? first_delay : later_delay;
}

bool forwarding_schedule::is_drawn(ordered_id id) const {
  hasher of{"hand-on lot"};
  // The primary does not know the secret, so it cannot tell which backups will forward a request (attack 29).
  of.add(secret_);
  if (const auto* asked = std::get_if<request_id>(&id)) {
    of.add(asked->client.value).add(asked->session.value).add(asked->when.value);
  } else {
    of.add(std::get<case_name>(id).value);
  }
  const auto lot = of.finish();
  // One byte is enough: 256 is a multiple of `draws`, so all results are equally likely.
  return std::to_integer<std::uint64_t>(lot.bytes[0]) % draws == 0;
}

/// The rank of a backup is counted from the primary. The timestamp, or the name of the case, selects a different third
/// of the backups for each request.
bool forwarding_schedule::is_first(ordered_id id, replica_id primary) const {
  // n is added before the subtraction, so that the unsigned rank does not wrap.
  const auto rank = self_.value + group_.replicas() - primary.value;
  const auto* asked = std::get_if<request_id>(&id);
  const auto number = asked != nullptr ? asked->when.value : std::get<case_name>(id).value;
  return (number + rank % group_.replicas()) % 3 == 0;
}

}  // namespace hypermesh::protocol
