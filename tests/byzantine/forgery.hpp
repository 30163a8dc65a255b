#pragma once

#include <optional>

#include "messages/values.hpp"
#include "tests/byzantine/adversary.hpp"

/// Messages that a member can make with its own key: any content, in any member's name.
namespace hypermesh::testing {

/// Signed with the member's key, whatever signer it names.
[[nodiscard]] signed_statement signed_statement_of(adversary_hands& hands, message_kind kind, const statement& content);
/// In the member's own name and the cluster's epoch.
[[nodiscard]] statement own_statement(const adversary_hands& hands, view_number view, sequence_number sequence,
                                      const digest& value);
/// A vote with this content, signed with the member's key.
[[nodiscard]] frame_ptr forged_vote(adversary_hands& hands, message_kind kind, const statement& content);
/// A PRE-PREPARE in the member's own name.
[[nodiscard]] frame_ptr forged_proposal(adversary_hands& hands, view_number view, sequence_number sequence,
                                        const batch& body);
/// The same batch as in `original`, at another place.
[[nodiscard]] frame_ptr moved_proposal(adversary_hands& hands, const pre_prepare& original, view_number view,
                                       sequence_number sequence);

[[nodiscard]] batch batch_of(std::vector<request> requests);

/// The batch with other requests and the same system requests.
[[nodiscard]] batch with_requests(const batch& original, std::vector<request> requests);
/// Another batch of requests that their clients signed; nothing when there is none yet.
[[nodiscard]] std::optional<batch> other_batch(const adversary_hands& hands, const batch& original);
/// A request in a client's name; genuine when the member is that client. What opens a session is another opening of it.
[[nodiscard]] request forged_request(adversary_hands& hands, request_id id, byte_span operation);
/// An operation on a key that no honest client of a test uses.
[[nodiscard]] byte_vector marked_operation(std::uint64_t number);

/// Signed with the member's key.
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, message_kind kind, byte_vector buffer);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const view_change& value);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const new_view& value);
[[nodiscard]] frame_ptr sealed(adversary_hands& hands, const status& value);
/// A VIEW-CHANGE that knows of nothing.
[[nodiscard]] view_change empty_view_change(const adversary_hands& hands, view_number view);

/// A digest of nothing.
[[nodiscard]] digest nonsense_digest(adversary_hands& hands);
/// A frame of these bytes, whatever they are.
[[nodiscard]] frame_ptr frame_of_bytes(byte_vector bytes);
[[nodiscard]] byte_vector nonsense_bytes(adversary_hands& hands, std::size_t size);

}  // namespace hypermesh::testing
