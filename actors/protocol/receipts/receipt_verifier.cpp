#include "actors/protocol/receipts/receipt_verifier.hpp"

#include <fmt/format.h>

namespace hypermesh::protocol {

// The numbers are those of `group_size`, so n = 3f + 1 is not assumed (attack 4).
receipt_strength strength_of(std::size_t signers, group_size group) {
  if (signers >= group.quorum()) return receipt_strength::quorum;
  return signers >= group.weak_quorum() ? receipt_strength::sufficient : receipt_strength::insufficient;
}

// The signature is checked over bytes that are computed here, and never over bytes that came with it.
bool is_signed(const signing_context& context, sequence_number sequence, const digest& value,
               const receipt_signature& shown, const authenticator& members) {
  const auto input = receipt_signing_input(context, sequence, value, shown.replica);
  return members.verify(principal::of(shown.replica), input, shown.by);
}

or_reason<receipt_strength> verify_receipt(const receipt& shown, const cluster_parameters& cluster,
                                           const authenticator& members) {
  const auto& place = shown.place;
  // A signature covers the cluster and the epoch, so these comparisons add only a better reason (attack 2).
  if (shown.context.cluster != cluster.signing.cluster) return invalid("the receipt is of another cluster");
  if (shown.context.epoch != cluster.signing.epoch) return invalid("the receipt is of another epoch");
  // Correct replicas execute requests of members only (I3).
  if (shown.what.id.client.value >= cluster.clients) return invalid("the receipt names a client that is no member");
  // No correct replica executes a batch with one of these numbers.
  if (place.sequence == sequence_number{0} || place.sequence.value > limits::sequence_max)
    return invalid("the receipt names an impossible sequence number");
  // One statement for all signers. So two signers of different content can never be put into one receipt.
  const auto value = receipt_value_of(shown.what, place);
  if (!value) return invalid("the paths of the receipt do not fit its numbers");
  const receipt_signature* before = nullptr;
  for (const auto& each : shown.signatures) {
    // Distinct members only: one signer that is counted twice could turn f signatures into f + 1 (attack 3).
    if (!cluster.group().contains(each.replica))
      return invalid(fmt::format("the receipt is signed by replica {}, which is no member", each.replica.value));
    if (before != nullptr && each.replica <= before->replica) return invalid("a replica signed the receipt twice");
    // A wrong signature refuses the receipt instead of being skipped. Nobody who holds a genuine receipt adds one, and
    // a receipt with unused bytes would not have one form.
    if (!is_signed(shown.context, place.sequence, *value, each, members))
      return invalid(
          fmt::format("the signature of replica {} is not genuine, or the content was changed", each.replica.value));
    before = &each;
  }
  return strength_of(shown.signatures.size(), cluster.group());
}

}  // namespace hypermesh::protocol
