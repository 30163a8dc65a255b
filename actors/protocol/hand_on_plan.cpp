#include "actors/protocol/hand_on_plan.hpp"

namespace hypermesh {

hand_on_plan::hand_on_plan(const cluster_parameters& cluster, replica_id self, const authenticator& keys)
    : group_(cluster.group()),
      self_(self),
      secret_(digest_of("hand-on secret", keys.sign(secret_signing_input(cluster.signing, "hand-on lots")).view())) {}

microseconds_t hand_on_plan::delay(request_id id, replica_id primary, std::size_t times) const {
  if (times > 0) return later_us;
  if (is_drawn(id)) return drawn_us;
  return is_first(id, primary) ? first_us : later_us;
}

bool hand_on_plan::is_drawn(request_id id) const {
  const auto lot =
      hasher{"hand-on lot"}.add(secret_).add(id.client.value).add(id.session.value).add(id.when.value).finish();
  return std::to_integer<std::uint64_t>(lot.bytes[0]) % draws == 0;
}

bool hand_on_plan::is_first(request_id id, replica_id primary) const {
  const auto rank = self_.value + group_.replicas() - primary.value;
  return (id.when.value + rank % group_.replicas()) % 3 == 0;
}

}  // namespace hypermesh
