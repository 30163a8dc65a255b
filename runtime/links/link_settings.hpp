#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "actors/ports.hpp"
#include "messages/limits.hpp"
#include "runtime/links/address.hpp"
#include "runtime/links/handshake.hpp"
#include "runtime/links/link_event.hpp"

namespace hypermesh {

/// Everything that a link may use, with the reason for each default.
struct link_limits {
  using milliseconds = std::chrono::milliseconds;

  /// Outbound queue of a link; over it frames are dropped and counted. Two of the longest frames and room beside them:
  /// one may be on its way while the next is queued.
  std::size_t replica_outbound_bytes_max = 32ULL << 20U;
  std::size_t client_outbound_bytes_max = 8ULL << 20U;

  /// Received and not yet handled; over it the link stops reading. One longest frame and room beside it.
  std::size_t replica_inbound_bytes_max = 16ULL << 20U;
  std::size_t client_inbound_bytes_max = 4ULL << 20U;

  /// Accepted connections that have not proven who they are, in all and from one address; each holds
  /// less than a kilobyte.
  std::size_t handshakes_max = 256;
  std::size_t handshakes_per_address_max = 128;
  /// From accepting, or from dialing, until both sides are authenticated.
  milliseconds handshake_timeout{2'000};

  /// Of one client: its processes, and connections of earlier ones that are not known to be dead, which they are after
  /// `dead_link_timeout`. One more is refused: if the oldest gave way, its process would come back and drive out another.
  std::size_t sessions_per_client_max = 32;
  std::size_t sessions_max = 1'024;

  /// An idle link says so this often, and a silent one is closed after `dead_link_timeout`: four signs of life
  /// may be late.
  milliseconds keepalive_interval{1'000};
  milliseconds dead_link_timeout{5'000};

  /// Wait before dialing again: doubles from the first to the second, each time with up to half of it at random added,
  /// so that restarted nodes do not dial in step.
  milliseconds redial_delay_min{50};
  milliseconds redial_delay_max{5'000};

  /// How long a stopped link may take for its good-bye.
  milliseconds farewell_timeout{500};

  /// How often the counters go to the monitor.
  milliseconds report_interval{1'000};
};

static_assert(link_limits{}.replica_outbound_bytes_max / 2 > limits::frame_bytes_max + secure_channel::overhead_bytes);
static_assert(link_limits{}.client_outbound_bytes_max / 2 > limits::reply_bytes_max + limits::envelope_bytes_max);
static_assert(link_limits{}.replica_inbound_bytes_max > limits::frame_bytes_max);
static_assert(link_limits{}.client_inbound_bytes_max > limits::client_frame_bytes_max);

/// Fills the bytes with randomness for ephemeral keys.
using entropy_source = std::function<void(std::span<std::byte>)>;

/// libsodium's generator.
[[nodiscard]] entropy_source system_entropy();

/// Who this node is and whom it may talk to.
struct link_settings {
  cluster_id cluster;
  /// This node's identity and all members' public keys.
  std::shared_ptr<const authenticator> keys;
  /// By replica number; the own place is not used.
  std::vector<replica_address> replicas;
  /// Clients are numbered 0 … client_count-1.
  std::uint32_t client_count = 0;
  link_limits limits;
  entropy_source entropy = system_entropy();
  /// Is shown what happens to the links; may be empty.
  link_event_handler on_event = {};

  void tell(const link_event& event) const {
    if (on_event) on_event(event);
  }

  [[nodiscard]] principal self() const { return keys->self(); }

  [[nodiscard]] handshake_context context() const {
    return {cluster, keys, static_cast<std::uint32_t>(replicas.size()), client_count};
  }

  [[nodiscard]] ephemeral_seed fresh_seed() const {
    ephemeral_seed seed;
    entropy(seed.bytes);
    return seed;
  }
};

}  // namespace hypermesh
