#pragma once

#include <optional>

#include "messages/values.hpp"
#include "tests/byzantine/adversary.hpp"

/// Makes the messages that a member can make with its own key: their content may be anything, and they may name any
/// member as their sender.
namespace hypermesh::testing {

/// A statement signed with the member's key, whatever signer the content names.
[[nodiscard]] signed_statement signed_statement_of(adversary_hands& hands, message_kind kind, const statement& content);
/// A statement in the member's own name and the cluster's epoch.
[[nodiscard]] statement own_statement(const adversary_hands& hands, view_number view, sequence_number sequence,
                                      const digest& value);
/// A vote with this content, signed with the member's key.
[[nodiscard]] frame_ptr forged_vote(adversary_hands& hands, message_kind kind, const statement& content);
/// A PRE-PREPARE in the member's own name.
[[nodiscard]] frame_ptr forged_proposal(adversary_hands& hands, view_number view, sequence_number sequence,
                                        const batch& body);
/// A proposal of the batch of `original` at another place.
[[nodiscard]] frame_ptr moved_proposal(adversary_hands& hands, const pre_prepare& original, view_number view,
                                       sequence_number sequence);

[[nodiscard]] batch batch_of(std::vector<request> requests);

/// A batch with other requests, and the system requests and the time of `original`.
[[nodiscard]] batch with_requests(const batch& original, std::vector<request> requests);
/// The same batch with another time.
[[nodiscard]] batch with_time(const batch& original, wall_time proposed);
/// Another batch of requests that their clients signed; nothing when no such requests are known yet.
[[nodiscard]] std::optional<batch> other_batch(const adversary_hands& hands, const batch& original);
/// A request in a client's name. It is genuine when the member is that client. For an opening of a session, the result
/// is another opening of the same session.
[[nodiscard]] request forged_request(adversary_hands& hands, request_id id, byte_span operation);
/// An operation on a key that no correct client of a test uses.
[[nodiscard]] byte_vector marked_operation(std::uint64_t number);

/// A frame with this buffer, signed with the member's key.
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, message_kind kind, byte_vector buffer);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const view_change& value);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const new_view& value);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const status& value);
/// A VIEW-CHANGE without a checkpoint and without certificates.
[[nodiscard]] view_change empty_view_change(const adversary_hands& hands, view_number view);

/// A digest that belongs to no message or state.
[[nodiscard]] digest nonsense_digest(adversary_hands& hands);
/// A frame of arbitrary bytes.
[[nodiscard]] frame_ptr frame_of_bytes(byte_vector bytes);
[[nodiscard]] byte_vector nonsense_bytes(adversary_hands& hands, std::size_t size);

}  // namespace hypermesh::testing
