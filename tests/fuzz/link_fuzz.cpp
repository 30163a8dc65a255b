#include <cstdint>

#include "messages/require.hpp"
#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/links/handshake.hpp"

namespace {

using namespace hypermesh;
using namespace hypermesh::testing;

/// The keys of four replicas and a client. This node is replica 0.
std::shared_ptr<const ed25519_authenticator> keys_of_replica_0() {
  static const auto keys = [] {
    const auto key_of = [](std::uint8_t number) {
      const byte_vector seed(32, std::byte{number});
      return secret_key::from_seed(seed);
    };
    member_keys members;
    for (std::uint8_t number = 0; number < 4; ++number)
      members.replicas.push_back(key_of(number).public_half());
    members.clients.push_back(key_of(9).public_half());
    auto made = ed25519_authenticator::make(principal::of(replica_id{0}), key_of(0), members);
    return *made;
  }();
  return keys;
}

}  // namespace

/// Sends arbitrary bytes from a stranger. The responder answers at most with its proof, never opens a channel, and
/// stores no more than one message.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  responder_handshake responder{{cluster_id{}, keys_of_replica_0(), 4, 1}, ephemeral_seed{}};
  const byte_span all{reinterpret_cast<const std::byte*>(data), size};
  for (std::size_t at = 0; at < size; at += 50) {
    const auto step = responder.feed(all.subspan(at, std::min<std::size_t>(50, size - at)));
    require(!step.channel, "no stranger is authenticated");
    if (step.error) return 0;
  }
  return 0;
}
