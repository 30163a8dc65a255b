#include "actors/protocol/client/reply_watch.hpp"

#include <algorithm>

#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh::protocol {

namespace {

digest digest_of(const request_outcome& outcome) {
  // Only a digest of the result is kept, because 512 results could take 512 MiB.
  hasher of{"reply"};
  of.add(outcome.statuses.size());
  for (const auto status : outcome.statuses)
    of.add(status);
  for (const auto end : outcome.ends)
    of.add(end);
  return of.add(byte_span{outcome.results}).finish();
}

/// Whether a result is missing. A replica keeps a bounded number of bytes for a client and drops older results
/// (`client_table`), and a result may be too large from the beginning.
bool is_shortened(const request_outcome& outcome) {
  return std::ranges::find(outcome.statuses, static_cast<std::uint8_t>(operation_status::result_too_large)) !=
         outcome.statuses.end();
}

}  // namespace

void reply_watch::on_agreed(timestamp when, const request_outcome& agreed, const outcomes& given) {
  // Correct replicas may differ in refusals and shortened replies, because both depend on the time of the request.
  if (agreed.status != reply_status::executed || is_shortened(agreed)) return;
  answered_.push_back({when, digest_of(agreed), {}});
  for (const auto& [from, outcome] : given)
    compare(answered_.back(), from, outcome);
  if (answered_.size() > remembered_max) answered_.pop_front();
}

void reply_watch::on_late(replica_id from, timestamp when, const request_outcome& outcome) {
  // The search begins with the newest entry, because timestamps start again in each session.
  const auto found = std::ranges::find(answered_.rbegin(), answered_.rend(), when, &answered::when);
  if (found != answered_.rend()) compare(*found, from, outcome);
}

void reply_watch::compare(answered& with, replica_id from, const request_outcome& outcome) {
  // A refusal, or a reply without the result, does not count as a different result.
  if (is_shortened(outcome)) return;
  // The first result of each replica counts. A faulty replica that repeats its answer is counted once for each request.
  if (outcome.status != reply_status::executed || !with.heard.insert(from).second) return;
  if (digest_of(outcome) != with.agreed) ++wrong_[from];
}

}  // namespace hypermesh::protocol
