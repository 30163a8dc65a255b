#include "actors/protocol/client/reply_watch.hpp"

#include <algorithm>

#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh {

namespace {

digest digest_of(const request_outcome& outcome) {
  // A digest instead of the result: 512 results could be 512 MiB.
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
  // A refusal depends on the moment, and so does a shortened reply: correct replicas may differ in them.
  if (agreed.status != reply_status::executed || is_shortened(agreed)) return;
  answered_.push_back({when, digest_of(agreed), {}});
  for (const auto& [from, outcome] : given)
    compare(answered_.back(), from, outcome);
  if (answered_.size() > remembered_max) answered_.pop_front();
}

void reply_watch::on_late(replica_id from, timestamp when, const request_outcome& outcome) {
  // The newest entry first, because timestamps begin anew in each session.
  const auto found = std::ranges::find(answered_.rbegin(), answered_.rend(), when, &answered::when);
  if (found != answered_.rend()) compare(*found, from, outcome);
}

void reply_watch::compare(answered& with, replica_id from, const request_outcome& outcome) {
  // A replica that refuses the request, or that does not keep the result any more, gives no other result.
  if (is_shortened(outcome)) return;
  // The first result of each replica counts. A liar that repeats itself is counted once for each request.
  if (outcome.status != reply_status::executed || !with.heard.insert(from).second) return;
  if (digest_of(outcome) != with.agreed) ++wrong_[from];
}

}  // namespace hypermesh
