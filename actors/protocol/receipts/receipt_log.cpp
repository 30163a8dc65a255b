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

/// Bytes that the entry keeps in memory: requests, results, the values around them, and index and trees, which have at
/// most two digests for each leaf. Index and trees are counted before they exist, so that a question never evicts a
/// batch.
std::size_t receipt_log::cost_of(const entry& value) {
  constexpr std::size_t of_request = sizeof(executed) + sizeof(merkle_pages) + 4 * digest::size + 128;
  auto cost = sizeof(entry) + value.body->bytes + value.body->requests.size() * sizeof(request);
  for (const auto& each : value.requests) {
    const auto operations = each.outcome->statuses.size();
    cost += of_request + each.outcome->results.size() + (5 + 2 * digest::size) * operations;
  }
  return cost;
}

/// A batch that was never indexed costs nothing here, so the log stays free for clients that want no receipt.
void receipt_log::forget_oldest() {
  const auto& oldest = entries_.front();
  if (oldest.is_indexed) {
    for (const auto& each : oldest.requests)
      index_.erase(id_of(oldest, each));
  }
  bytes_ -= oldest.bytes;
  entries_.pop_front();
}

void receipt_log::on_executed(sequence_number sequence, std::shared_ptr<const batch> body, wall_time ordered_time,
                              std::vector<executed> requests) {
  // A batch without a receipt takes no place. Examples are the null request and a batch that only opens sessions.
  if (requests.empty() || sequence <= unsigned_through_) return;
  require(entries_.empty() || entries_.back().sequence < sequence, "batches are executed in order");
  auto& added =
      entries_.emplace_back(entry{sequence, std::move(body), ordered_time, std::move(requests), 0, false, {}});
  added.bytes = cost_of(added);
  bytes_ += added.bytes;
  // The oldest batch goes first. Its clients had their results long ago.
  while (entries_.size() > batches_max || bytes_ > bytes_max)
    forget_oldest();
}

void receipt_log::on_replaced(sequence_number through) {
  entries_.clear();
  index_.clear();
  bytes_ = 0;
  // What was executed in the replaced state may have been signed, and the new state may give other results. A second
  // statement for one sequence number would convict this replica.
  unsigned_through_ = std::max(unsigned_through_, through);
}

/// Batches that were executed since the last question are indexed at the next one. So clients that want no receipt do
/// not pay for the index.
void receipt_log::index_new_batches() {
  for (auto place = entries_.rbegin(); place != entries_.rend() && !place->is_indexed; ++place) {
    place->is_indexed = true;
    for (std::uint32_t index = 0; index < place->requests.size(); ++index) {
      const auto id = id_of(*place, place->requests[index]);
      const bool is_first = index_.emplace(id, place_of_request{place->sequence, index}).second;
      // I4: a request that is ordered again is not executed again, so it has one place.
      require(is_first, "a request is executed once");
    }
  }
}

/// A binary search, because null requests and batches without operations leave gaps in the sequence numbers.
receipt_log::entry& receipt_log::entry_of(sequence_number sequence) {
  const auto found = std::ranges::lower_bound(entries_, sequence, {}, &entry::sequence);
  require(found != entries_.end() && found->sequence == sequence, "an indexed batch is held");
  return *found;
}

/// The only place where a replica signs a receipt. `share_of` keeps the result, so there is one signature for a batch.
receipt_log::signed_batch receipt_log::sign(const entry& of, const signing_context& context,
                                            const authenticator& keys) {
  // Only the executor of a replica asks for a signature, so another signer is a mistake in the wiring.
  require(keys.self().is_replica(), "only replicas execute");
  std::vector<merkle_pages> operations;
  std::vector<digest> requests;
  operations.reserve(of.requests.size());
  requests.reserve(of.requests.size());
  for (const auto& each : of.requests) {
    const auto& asked = of.body->requests[each.number];
    // A page of one leaf: each operation, and below each request, is proven alone.
    operations.emplace_back(leaves_of(asked, *each.outcome), 1);
    requests.push_back(receipt_leaf_of(asked.id, digest_of_request(asked), operations.back().root()));
  }
  signed_batch made{digest_of_batch(*of.body), merkle_pages{requests, 1}, std::move(operations), {}};
  // All of this is a function of the committed sequence alone, so all correct replicas sign the same value (I2).
  const auto value = receipt_value_of(made.batch, of.ordered_time, made.requests.root());
  made.by = keys.sign(receipt_signing_input(context, of.sequence, value, replica_id{keys.self().number}));
  ++signatures_;
  return made;
}

std::optional<receipt_share> receipt_log::share_of(const receipt_query& asked, const signing_context& context,
                                                   const authenticator& keys) {
  index_new_batches();
  const auto found = index_.find(asked.id);
  // Not executed yet, executed long ago, or part of a transferred state: the client asks again, and asks the others.
  if (found == index_.end()) return std::nullopt;
  const auto index = found->second.index;
  auto& of = entry_of(found->second.sequence);
  const auto count = of.body->requests[of.requests[index].number].operation_count();
  // Another process with the same key may have sent another request with this name, so the number may not exist.
  if (asked.index >= count) return std::nullopt;
  if (!of.statement) of.statement = sign(of, context, keys);
  // The share has no operation and no result, because the client knows both, and must not believe this replica.
  const auto& made = *of.statement;
  receipt_share share;
  share.place.sequence = of.sequence;
  share.place.batch = made.batch;
  share.place.ordered_time = of.ordered_time;
  share.place.operation_count = static_cast<std::uint32_t>(count);
  share.place.operation_path = made.operations[index].path(asked.index);
  share.place.request_count = static_cast<std::uint32_t>(of.requests.size());
  share.place.request_index = index;
  share.place.request_path = made.requests.path(index);
  share.by = made.by;
  return share;
}

}  // namespace hypermesh::protocol
