#pragma once

#include <optional>

#include "actors/protocol/base/cluster.hpp"
#include "actors/protocol/base/system_request_kinds.hpp"
#include "messages/values.hpp"

/// Functions that find the claim of a system request: a misbehaviour, or a group request. They compare decoded values
/// and do not verify signatures, which `validator::proves` does. Pure.
namespace hypermesh::protocol {

/// The most signed messages in one EVIDENCE for a misbehaviour, because at most two messages conflict.
inline constexpr std::size_t items_per_misbehaviour_max = 2;

/// The claim of the evidence. Nothing if the evidence would prove nothing even with valid signatures.
[[nodiscard]] std::optional<system_claim> claim_in(const evidence& shown, const cluster_parameters& cluster);

/// The claim of a SYSTEM-REQUEST. Nothing also if its name is not the name of the case.
[[nodiscard]] std::optional<system_claim> claim_in(const system_request& value, const cluster_parameters& cluster);

/// The name under which a case is ordered. Equal cases have equal names, whatever their evidence.
[[nodiscard]] case_name case_name_of(const system_claim& about);

/// The SYSTEM-REQUEST with the evidence `shown` for the claim `about`.
[[nodiscard]] system_request system_request_for(const system_claim& about, std::shared_ptr<const evidence> shown);

/// The statement that a COMPLAINT signs.
[[nodiscard]] statement complaint_of(replica_id self, replica_id about, complaint_reason why, sequence_number period,
                                     epoch_number epoch);
/// The statement that a RELEASE signs.
[[nodiscard]] statement release_of(replica_id self, replica_id about, sequence_number convicted_at, epoch_number epoch);

/// The statement that a READMISSION signs.
[[nodiscard]] statement readmission_of(replica_id self, replica_id about, sequence_number floor, epoch_number epoch);
/// The statement that a HAND-OVER signs.
[[nodiscard]] statement hand_over_of(replica_id self, replica_id about, view_number to, hand_over_cause why,
                                     epoch_number epoch);

/// The number of replicas that have to sign this group request.
[[nodiscard]] std::uint32_t voters_of(const group_request& wanted, group_size group);

/// Whether the two REQUESTs have the same content; their signatures may differ.
[[nodiscard]] bool is_same_request(const request& one, const request& other);

/// Whether the VIEW-CHANGE lacks the prepared certificate that its sender must have had to sign this COMMIT (§4.4).
[[nodiscard]] bool conceals(const view_change& change, const statement& said);

/// The group request for which a COMPLAINT, RELEASE, READMISSION or HAND-OVER is a vote. Nothing if the statement does
/// not have the form of one.
[[nodiscard]] std::optional<group_request> group_request_of(message_kind kind, const statement& content,
                                                            const cluster_parameters& cluster);

}  // namespace hypermesh::protocol
