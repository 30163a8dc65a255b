#include "tests/byzantine/adversary.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

passing_frame::passing_frame(principal with, frame_ptr bytes) : peer(with), frame(std::move(bytes)) {
  require(frame != nullptr, "a frame that passes has bytes");
  auto decoded = decode(frame);
  if (decoded) value = std::make_shared<const message>(std::move(*decoded));
}

adversary_hands::adversary_hands(adversary_world& world, const cluster_parameters& cluster,
                                 std::shared_ptr<const authenticator> keys,
                                 std::shared_ptr<const std::set<replica_id>> accomplices, std::uint64_t seed)
    : world_(world),
      cluster_(cluster),
      keys_(std::move(keys)),
      accomplices_(std::move(accomplices)),
      chance_(seed),
      known_(keys_->self()) {
  require(accomplices_ != nullptr, "who plays together is known, if nobody else does");
  for (std::uint32_t number = 0; number < cluster_.replicas; ++number) {
    if (principal::of(replica_id{number}) != self()) others_.push_back(principal::of(replica_id{number}));
  }
}

replica_id adversary_hands::replica() const {
  require(self().is_replica(), "a client is no replica");
  return replica_id{self().number};
}

bool adversary_hands::in_second_half(principal peer) const {
  const auto place = static_cast<std::size_t>(std::ranges::find(others_, peer) - others_.begin());
  return place < others_.size() && 2 * place + 1 >= others_.size();
}

bool adversary_hands::is_accomplice(principal peer) const {
  return peer.is_replica() && accomplices_->contains(replica_id{peer.number});
}

bool adversary_hands::leads() const {
  return self().is_replica() && cluster_.group().primary_of(known_.view()) == replica();
}

void adversary_hands::send_to_all(const frame_ptr& frame) {
  for (const auto each : others_)
    send(each, frame);
}

}  // namespace hypermesh::testing
