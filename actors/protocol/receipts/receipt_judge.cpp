#include "actors/protocol/receipts/receipt_judge.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// In ascending order, because `verify_receipt` accepts no other. The set operations below need this order.
std::vector<replica_id> signers_of(const receipt& value) {
  std::vector<replica_id> signers;
  signers.reserve(value.signatures.size());
  for (const auto& each : value.signatures)
    signers.push_back(each.replica);
  return signers;
}

/// Whether the two receipts of one statement, or of two places, tell of one request what no correct replica tells.
bool is_executed_twice(const receipt& one, const receipt& other) {
  if (one.what.id != other.what.id) return false;
  const auto& here = one.place;
  const auto& there = other.place;
  // I4: the request has one place in the total order and one content. Its operations share one leaf of the batch.
  if (here.sequence != there.sequence || here.request_index != there.request_index ||
      one.what.request != other.what.request || here.operation_count != there.operation_count)
    return true;
  // The same operation of the request has one result. Different operations of it are no contradiction.
  return one.what.index == other.what.index && one.what != other.what;
}

/// I19: the ordered time of a later batch is at least that of an earlier one, at every correct replica.
bool is_time_falling(const receipt& one, const receipt& other) {
  const auto& [first, second] = one.place.sequence < other.place.sequence ? std::tie(one, other) : std::tie(other, one);
  return first.place.sequence < second.place.sequence && second.place.ordered_time < first.place.ordered_time;
}

}  // namespace

// The order of the checks decides only which reason is given. The culprits are those of the first contradiction, and a
// second one between the same two receipts would convict the same replicas.
receipt_judgement judge_receipts(const receipt& one, const receipt& other) {
  require(one.context == other.context, "receipts of two clusters say nothing about each other");
  const auto value = receipt_value_of(one.what, one.place);
  const auto other_value = receipt_value_of(other.what, other.place);
  // A receipt that was not verified could name anybody as a signer, so the caller must have verified both.
  require(value && other_value, "the receipts were verified");
  const bool same_statement = one.place.sequence == other.place.sequence && *value == *other_value;
  receipt_judgement found;
  // I2: a correct replica executes each sequence number once, so it signs one D(n). A difference anywhere in the batch
  // counts, even if the two receipts are about different operations.
  if (one.place.sequence == other.place.sequence && *value != *other_value) {
    found.what = receipt_contradiction::two_statements;
  } else if (is_executed_twice(one, other)) {
    found.what = receipt_contradiction::executed_twice;
  } else if (is_time_falling(one, other)) {
    found.what = receipt_contradiction::time_fell;
  } else {
    return found;
  }
  const auto signers = signers_of(one);
  const auto others = signers_of(other);
  // Usually each receipt alone may be true, so only a replica that signed both is convicted (attack 39: evidence names
  // only faulty replicas). If both receipts are of one statement, that statement contains the request twice, so no
  // correct replica signed it, and every signer is convicted.
  if (same_statement) {
    std::ranges::set_union(signers, others, std::back_inserter(found.culprits));
  } else {
    std::ranges::set_intersection(signers, others, std::back_inserter(found.culprits));
  }
  return found;
}

}  // namespace hypermesh::protocol
