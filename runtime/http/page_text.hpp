#pragma once

#include <string>

#include "runtime/dashboard/dashboard_hub.hpp"
#include "runtime/http/node_facts.hpp"

/// The data of the page as JSON. Pure.
namespace hypermesh::http {

/// The two clocks of the node at one moment. Moments of batches are shown on the wall clock.
struct clock_pair {
  moment steady{};
  wall_time wall{};
};

/// The node whose view a page shows.
struct page_subject {
  replica_id self;
  cluster_parameters cluster;
  /// The time since the start of the process.
  std::chrono::seconds uptime{};
};

/// The longest snapshot. It is shorter than the queue of an event client, so a page that is one snapshot behind stays.
inline constexpr std::size_t snapshot_bytes_max = std::size_t{28} * 1024;

/// One line: {"replica":…,"time_ms":…,"health":{…},"node":{…},"replicas":[…],"second":{…},"batches":[…],…}. The
/// page shows it once a second. The oldest batches are left out if the text would be longer than `snapshot_bytes_max`.
[[nodiscard]] std::string snapshot_text(const page_subject& of, const node_facts& facts, const health_answer& health,
                                        const runtime::dashboard_hub::present& present, clock_pair now);

/// {"samples":[[time_ms, requests, batches, p50_us, p99_us, max_us], …],
/// "standings":[[time_ms, replica, score, local_score, convictions, quarantined_until], …], "events":[{…}, …]}.
[[nodiscard]] std::string history_text(const runtime::dashboard_hub::past& past);

/// {"replica":…,"batches":[{"sequence":7,"view":0,"begin_ms":…,"requests":1,"proposed":0,"prepared":…,"committed":…,
/// "executed":…,"replied":…,"prepares":[[replica, us], …],"commits":[[replica, us], …]}, …]}. Moments are microseconds
/// after `begin_ms`; an unknown one is missing. The PRE-PREPARE counts as the PREPARE of the primary.
[[nodiscard]] std::string batches_text(replica_id self, group_size group,
                                       const std::vector<runtime::shown_batch>& batches, clock_pair now);

/// {"signing_prefix":"…","proofs":[{"replica":2,"misbehaviour":"conflicting_votes","view":0,"sequence":7,"seen_ms":…,
/// "ordered_at":9,"items":[{"kind":3,"name":"PREPARE","signer":2,"bytes":56,"content":"…",
/// "signature":"…","public_key":"…"}, …]}, …]}. Bytes are hexadecimal. A signature covers the prefix, the byte `kind`
/// and the content. `keys` are the public keys of the replicas by number.
[[nodiscard]] std::string evidence_text(const signing_context& signing, const std::deque<runtime::shown_proof>& proofs,
                                        const std::vector<public_key>& keys);

/// The data of one event for pages: {"time_ms":…,"name":"…","level":"…","text":"…"}.
[[nodiscard]] std::string tape_text(const runtime::taped_event& event);

}  // namespace hypermesh::http
