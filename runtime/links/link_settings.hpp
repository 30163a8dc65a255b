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

namespace hypermesh::links {

/// The bounds and time-outs of all links, with the reason for each default.
struct link_limits {
  using milliseconds = std::chrono::milliseconds;

  /// The largest number of bytes in a link's outbound queue. A frame that does not fit is dropped and counted. The
  /// bound is larger than two of the longest frames, because one frame may be in transmission while the next frame is
  /// queued.
  std::size_t replica_outbound_bytes_max = 32ULL << 20U;
  std::size_t client_outbound_bytes_max = 8ULL << 20U;

  /// The largest number of bytes that were received on a link and are not handled yet. Beyond this bound the link stops
  /// reading. The bound is larger than one of the longest frames.
  std::size_t replica_inbound_bytes_max = 16ULL << 20U;
  std::size_t client_inbound_bytes_max = 4ULL << 20U;

  /// Accepted connections that are not authenticated yet, in all and from one address. Each needs less than a kilobyte.
  std::size_t handshakes_max = 256;
  std::size_t handshakes_per_address_max = 128;
  /// The time from accepting or dialing until both sides are authenticated.
  milliseconds handshake_timeout{2'000};

  /// The largest number of links of one client. Links of earlier processes count until the node finds that they are
  /// dead, which takes `dead_link_timeout`. A further link is refused. If it displaced the oldest link instead, the
  /// process of that link would dial again and displace another link.
  std::size_t links_per_client_max = 32;
  std::size_t client_links_max = 1'024;

  /// An idle link sends a keepalive this often. A silent link is closed after `dead_link_timeout`, so four keepalives
  /// may be late.
  milliseconds keepalive_interval{1'000};
  milliseconds dead_link_timeout{5'000};

  /// The delay before dialing again. It doubles from the minimum to the maximum. Up to half of the delay is added at
  /// random, so restarted nodes do not all dial at the same moment.
  milliseconds redial_delay_min{10};
  milliseconds redial_delay_max{5'000};

  /// The longest time that a stopped link may use to send its good-bye.
  milliseconds farewell_timeout{500};

  /// The interval at which the counters are sent to the monitor.
  milliseconds report_interval{1'000};
};

static_assert(link_limits{}.replica_outbound_bytes_max / 2 > limits::frame_bytes_max + secure_channel::overhead_bytes);
static_assert(link_limits{}.client_outbound_bytes_max / 2 > limits::reply_bytes_max + limits::envelope_bytes_max);
static_assert(link_limits{}.replica_inbound_bytes_max > limits::frame_bytes_max);
static_assert(link_limits{}.client_inbound_bytes_max > limits::client_frame_bytes_max);

/// Fills the bytes with random values, for ephemeral keys.
using entropy_source = std::function<void(std::span<std::byte>)>;

/// The random generator of libsodium.
[[nodiscard]] entropy_source system_entropy();

/// The identity of this node and the nodes that it may open links to.
struct link_settings {
  cluster_id cluster;
  /// This node's identity and all members' public keys.
  std::shared_ptr<const authenticator> keys;
  /// The addresses by replica number. The entry of this replica is not used.
  std::vector<replica_address> replicas;
  /// The number of clients. Clients are numbered 0 … client_count-1.
  std::uint32_t client_count = 0;
  link_limits limits;
  entropy_source entropy = system_entropy();
  /// Receives the events of the links; may be empty.
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

}  // namespace hypermesh::links
