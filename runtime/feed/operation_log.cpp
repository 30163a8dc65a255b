#include "runtime/feed/operation_log.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::feed {

namespace {

/// The cost of an entry besides its batch and results, so that empty batches are bounded too.
constexpr std::size_t entry_bytes = 256;

/// The received bytes of the batch, which its requests refer to, and what stands decoded beside them.
std::size_t bytes_of(const batch_was_executed& done) {
  auto bytes = entry_bytes + done.body->bytes;
  for (const auto& each : done.body->requests)
    bytes += sizeof each + each.ends.size() * sizeof each.ends.front();
  bytes += done.requests->size() * (sizeof done.requests->front() + sizeof(std::uint32_t));
  for (const auto& each : done.outcomes) {
    bytes += sizeof each;
    if (each != nullptr) bytes += sizeof *each + each->results.size() + 5 * each->statuses.size();
  }
  return bytes;
}

/// The batch without its evidence, which no subscriber reads.
std::shared_ptr<const batch> kept_of(const std::shared_ptr<const batch>& body) {
  if (body->system_requests.empty()) return body;
  auto kept = std::make_shared<batch>();
  kept->requests = body->requests;
  kept->bytes = body->bytes;
  return kept;
}

/// Whether the request changed the state or read it here. Repeated, early and refused requests did not, and the opening
/// of a session is no operation of the machine.
bool has_operations(const executed_request& each, const std::shared_ptr<const request_outcome>& outcome) {
  return each.first_time && !each.too_early && !each.id.opens_session() && outcome != nullptr &&
         outcome->status == reply_status::executed;
}

}  // namespace

void operation_log::on_executed(const batch_was_executed& done) {
  if (done.sequence <= through_ || done.body == nullptr || done.requests == nullptr) return;
  require(done.requests->size() == done.outcomes.size() && done.requests->size() == done.body->requests.size(),
          "each request of an executed batch has an entry for its outcome");
  std::vector<std::uint32_t> ends;
  ends.reserve(done.requests->size());
  for (std::size_t number = 0; number < done.requests->size(); ++number) {
    const bool counts = has_operations((*done.requests)[number], done.outcomes[number]);
    const auto count = counts ? done.body->requests[number].operation_count() : 0;
    ends.push_back((ends.empty() ? 0 : ends.back()) + static_cast<std::uint32_t>(count));
  }
  batches_.push_back({done.sequence, kept_of(done.body), done.requests, done.outcomes, done.ordered_time,
                      std::move(ends), bytes_of(done)});
  bytes_ += batches_.back().bytes;
  through_ = done.sequence;
  while (bytes_ > bytes_max_ && batches_.size() > 1) {
    bytes_ -= batches_.front().bytes;
    batches_.pop_front();
  }
}

void operation_log::on_passed(sequence_number sequence) { through_ = std::max(through_, sequence); }

operation_page operation_log::read(operation_position from, page_limits limits) const {
  operation_page page{{}, from};
  std::size_t bytes = 0;
  auto entry = std::ranges::lower_bound(batches_, from.sequence, {}, &executed_batch::sequence);
  while (page.next.sequence <= through_ && page.items.size() < limits.items_max) {
    const auto known = entry == batches_.end() ? through_.next() : entry->sequence;
    if (page.next.sequence < known) {
      // No batch has sequence 0, so nothing is missing there.
      const auto first = std::max(page.next.sequence, sequence_number{1});
      if (first < known) page.items.emplace_back(operation_gap{first, sequence_number{known.value - 1}});
      page.next = {known, 0};
      continue;
    }
    if (!add_operations(*entry, page.next.offset, limits, bytes, page)) break;
    page.next = {entry->sequence.next(), 0};
    ++entry;
  }
  return page;
}

bool operation_log::add_operations(const executed_batch& from, std::uint32_t offset, page_limits limits,
                                   std::size_t& bytes, operation_page& into) {
  const auto first = std::ranges::upper_bound(from.ends, offset);
  auto place = offset;
  for (auto number = static_cast<std::size_t>(first - from.ends.begin()); number < from.ends.size(); ++number) {
    const auto before = number == 0 ? 0 : from.ends[number - 1];
    const auto& outcome = from.outcomes[number];
    const auto& asked = from.body->requests[number];
    for (std::size_t index = place - before; place < from.ends[number]; ++index, ++place) {
      const auto operation = asked.operation(index);
      const auto result = outcome->result(index);
      const auto more = operation.size() + result.size();
      const bool is_full = into.items.size() >= limits.items_max || bytes + more > limits.bytes_max;
      if (is_full && !into.items.empty()) return false;
      bytes += more;
      const operation_context at{from.sequence,    asked.id.client,  asked.id.when, static_cast<std::uint32_t>(index),
                                 asked.id.session, from.ordered_time};
      into.items.emplace_back(committed_operation{
          at,
          {operation.begin(), operation.end()},
          {static_cast<operation_status>(outcome->statuses[index]), {result.begin(), result.end()}}});
      into.next = {from.sequence, place + 1};
    }
  }
  return true;
}

}  // namespace hypermesh::feed
