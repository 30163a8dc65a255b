#include "actors/protocol/receipts/receipt_log.hpp"

#include <algorithm>
#include <utility>

#include "actors/protocol/receipts/receipt.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The leaves of the tree over the operations of one executed request.
std::vector<digest> leaves_of(const request& asked, const request_outcome& outcome) {
  const auto count = asked.operation_count();
  require(outcome.statuses.size() == count, "an executed request has one result for each operation");
  std::vector<digest> leaves;
  leaves.reserve(count);
  for (std::size_t index = 0; index < count; ++index)
    leaves.push_back(receipt_leaf_of(asked.operation(index), outcome.statuses[index], outcome.result(index)));
  return leaves;
}

}  // namespace

/// Bytes that the entry keeps in memory: requests, results, the values around them, and the tree, which has at most two
/// digests for each request. The tree is counted before it exists, so that a question never evicts a batch.
std::size_t receipt_log::cost_of(const entry& value) {
  auto cost = sizeof(entry) + value.body->bytes + value.body->requests.size() * sizeof(request);
  for (const auto& each : value.requests)
    cost += sizeof(executed) + 2 * digest::size + each.outcome->results.size() + 5 * each.outcome->statuses.size();
  return cost;
}

void receipt_log::on_executed(sequence_number sequence, std::shared_ptr<const batch> body, wall_time ordered_time,
                              std::vector<executed> requests) {
  // A batch without a receipt takes no place. Examples are the null request and a batch that only opens sessions.
  if (requests.empty() || sequence <= unsigned_through_) return;
  require(entries_.empty() || entries_.back().sequence < sequence, "batches are executed in order");
  auto& added = entries_.emplace_back(entry{sequence, std::move(body), ordered_time, std::move(requests), 0, {}});
  added.bytes = cost_of(added);
  bytes_ += added.bytes;
  // The newest batch stays even if it is larger than the bound, because its clients are about to ask.
  // The oldest batch goes first. Its clients had their results long ago.
  while (entries_.size() > batches_max || (bytes_ > bytes_max && entries_.size() > 1)) {
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
  }
}

void receipt_log::on_replaced(sequence_number through) {
  entries_.clear();
  bytes_ = 0;
  // What was executed in the replaced state may have been signed, and the new state may give other results. A second
  // statement for one sequence number would convict this replica.
  unsigned_through_ = std::max(unsigned_through_, through);
}

receipt_log::signed_batch receipt_log::sign(const entry& of, const signing_context& context,
                                            const authenticator& keys) {
  // Only the executor of a replica asks for a signature, so another signer is a mistake in the wiring.
  require(keys.self().is_replica(), "only replicas execute");
  std::vector<digest> requests;
  requests.reserve(of.requests.size());
  for (const auto& each : of.requests) {
    const auto& asked = of.body->requests[each.number];
    requests.push_back(
        receipt_leaf_of(asked.id, digest_of_request(asked), merkle_root(leaves_of(asked, *each.outcome))));
  }
  // A page of one leaf: each request is proven alone.
  signed_batch made{digest_of_batch(*of.body), merkle_pages{requests, 1}, {}};
  const auto value = receipt_value_of(made.batch, of.ordered_time, made.requests.root());
  made.by = keys.sign(receipt_signing_input(context, of.sequence, value, replica_id{keys.self().number}));
  ++signatures_;
  return made;
}

std::optional<receipt_share> receipt_log::share_of(const receipt_query& asked, const signing_context& context,
                                                   const authenticator& keys) {
  // The search begins with the newest batch, because a client asks soon after the execution.
  for (auto place = entries_.rbegin(); place != entries_.rend(); ++place) {
    const auto& requests = place->body->requests;
    const auto found = std::ranges::find_if(place->requests,
                                            [&](const executed& each) { return requests[each.number].id == asked.id; });
    // A request that is ordered again has no second entry, so the first one that is found is the only one (I4).
    if (found == place->requests.end()) continue;
    const auto& request = requests[found->number];
    // Another process with the same key may have sent another request with this name, so the number may not exist.
    if (asked.index >= request.operation_count()) return std::nullopt;
    if (!place->statement) place->statement = sign(*place, context, keys);
    // The tree of the request is computed again for each question. It has at most 1,024 leaves, and keeping the trees
    // of all requests would need more memory than the batches.
    const auto leaves = leaves_of(request, *found->outcome);
    const auto index = static_cast<std::uint32_t>(found - place->requests.begin());
    receipt_share share;
    share.place.sequence = place->sequence;
    share.place.batch = place->statement->batch;
    share.place.ordered_time = place->ordered_time;
    share.place.operation_count = static_cast<std::uint32_t>(leaves.size());
    share.place.operation_path = merkle_pages{leaves, 1}.path(asked.index);
    share.place.request_count = static_cast<std::uint32_t>(place->requests.size());
    share.place.request_index = index;
    share.place.request_path = place->statement->requests.path(index);
    share.by = place->statement->by;
    return share;
  }
  return std::nullopt;
}

}  // namespace hypermesh::protocol
