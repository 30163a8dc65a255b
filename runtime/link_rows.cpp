#include <array>

#include "runtime/config_row_makers.hpp"

/// Defines the keys of [links].
namespace hypermesh::runtime {

namespace {

using namespace config_row_makers;
using node = node_config;

// Half of an outbound queue may wait while the other half is sent, so one half must have room for the longest frame.
constexpr auto replica_outbound_mib_min = mib_above(2 * (limits::frame_bytes_max + secure_channel::overhead_bytes));
constexpr auto client_outbound_mib_min = mib_above(2 * (limits::reply_bytes_max + limits::envelope_bytes_max));
// A link may hold one whole frame back, so its window must have room for the longest frame.
constexpr auto replica_inbound_mib_min = mib_above(limits::frame_bytes_max);
constexpr auto client_inbound_mib_min = mib_above(limits::client_frame_bytes_max);
// Each node has its own intervals. By default, a node sends a keepalive each second and closes a link that is silent
// for five seconds. The bounds tolerate one late keepalive between a node with defaults and any other node.
constexpr std::uint64_t keepalive_ms_max = 2'500;
constexpr std::uint64_t dead_link_ms_min = 2'000;
static_assert(std::chrono::milliseconds{2 * keepalive_ms_max} <= link_limits{}.dead_link_timeout);
static_assert(std::chrono::milliseconds{dead_link_ms_min} >= 2 * link_limits{}.keepalive_interval);

/// With fewer handshakes, a flood of strangers or a restart of all clients would keep members out for a long time.
constexpr std::uint64_t handshakes_min = 64;
constexpr std::uint64_t client_links_min = 64;

/// With a lower rate, the limit could stop a correct replica that gives a state with tiny chunks.
constexpr std::uint64_t frames_per_second_min = frame_rate_limit::usual_rate;

constexpr std::array rows = {
    number<node, mib>(
        {.table = "links",
         .name = "replica_outbound_mib_max",
         .unit = "MiB",
         .low = replica_outbound_mib_min,
         .high = 1'024,
         .about = "The queue of frames to one replica. If it is full, frames are dropped and counted, and "
                  "retransmission repairs the loss."},
        [](auto& of) -> auto& { return of.links.replica_outbound_bytes_max; }),
    number<node, mib>(
        {.table = "links",
         .name = "client_outbound_mib_max",
         .unit = "MiB",
         .low = client_outbound_mib_min,
         .high = 256,
         .about = "The queue of frames on one link to a client."},
        [](auto& of) -> auto& { return of.links.client_outbound_bytes_max; }),
    number<node, mib>(
        {.table = "links",
         .name = "replica_inbound_mib_max",
         .unit = "MiB",
         .low = replica_inbound_mib_min,
         .high = 1'024,
         .about = "Received bytes of one replica that are not handled yet. Above this size the link "
                  "stops reading."},
        [](auto& of) -> auto& { return of.links.replica_inbound_bytes_max; }),
    number<node, mib>(
        {.table = "links",
         .name = "client_inbound_mib_max",
         .unit = "MiB",
         .low = client_inbound_mib_min,
         .high = 256,
         .about = "Received bytes of one link of a client that are not handled yet. Above this size the "
                  "link stops reading."},
        [](auto& of) -> auto& { return of.links.client_inbound_bytes_max; }),
    number<node>(
        {.table = "links",
         .name = "handshakes_max",
         .unit = "handshakes",
         .low = handshakes_min,
         .high = 65'536,
         .about = "Accepted connections that are not authenticated yet. Each needs an open file and less than "
                  "a kilobyte."},
        [](auto& of) -> auto& { return of.links.handshakes_max; }),
    number<node>(
        {.table = "links",
         .name = "handshakes_per_address_max",
         .unit = "handshakes",
         .low = handshakes_min / 2,
         .high = 65'536,
         .larger = "links.handshakes_max",
         .about = "Accepted connections from one address that are not authenticated yet, so that one machine "
                  "cannot keep all others out."},
        [](auto& of) -> auto& { return of.links.handshakes_per_address_max; }),
    number<node>(
        {.table = "links",
         .name = "handshake_timeout_ms",
         .unit = "ms",
         .low = 100,
         .high = 60'000,
         .about = "The time from accepting or dialing until both sides are authenticated."},
        [](auto& of) -> auto& { return of.links.handshake_timeout; }),
    number<node>(
        {.table = "links",
         .name = "client_links_max",
         .unit = "links",
         .low = client_links_min,
         .high = 65'536,
         .about = "Open links of all clients. Each needs an open file, and memory up to "
                  "client_outbound_mib_max and client_inbound_mib_max."},
        [](auto& of) -> auto& { return of.links.client_links_max; }),
    number<node>(
        {.table = "links",
         .name = "links_per_client_max",
         .unit = "links",
         .low = 1,
         .high = limits::sessions_per_client_max,
         .larger = "links.client_links_max",
         .larger_factor = 2,
         .about = "Open links of one client, one for each of its processes. Further links are refused."},
        [](auto& of) -> auto& { return of.links.links_per_client_max; }),
    number<node>(
        {.table = "links",
         .name = "keepalive_interval_ms",
         .unit = "ms",
         .low = 50,
         .high = keepalive_ms_max,
         .larger = "links.dead_link_timeout_ms",
         .larger_factor = 2,
         .about = "The interval at which an idle link sends a keepalive."},
        [](auto& of) -> auto& { return of.links.keepalive_interval; }),
    number<node>(
        {.table = "links",
         .name = "dead_link_timeout_ms",
         .unit = "ms",
         .low = dead_link_ms_min,
         .high = 600'000,
         .about = "A link that received nothing for this long is closed."},
        [](auto& of) -> auto& { return of.links.dead_link_timeout; }),
    number<node>(
        {.table = "links",
         .name = "redial_delay_ms_min",
         .unit = "ms",
         .low = 10,
         .high = 60'000,
         .larger = "links.redial_delay_ms_max",
         .about = "The first delay before dialing again. It doubles with each failure."},
        [](auto& of) -> auto& { return of.links.redial_delay_min; }),
    number<node>(
        {.table = "links",
         .name = "redial_delay_ms_max",
         .unit = "ms",
         .low = 10,
         .high = 600'000,
         .about = "The longest delay before dialing again."},
        [](auto& of) -> auto& { return of.links.redial_delay_max; }),
    number<node>(
        {.table = "links",
         .name = "frames_per_second_max",
         .unit = "frames",
         .low = frames_per_second_min,
         .high = 10'000'000,
         .about = "Frames of one replica that are examined in a second. A throttled replica gets a tenth of it."},
        [](auto& of) -> auto& { return of.settings.frames_per_second_max; }),
};

}  // namespace

std::span<const config_row<node_config>> link_rows() { return rows; }

}  // namespace hypermesh::runtime
