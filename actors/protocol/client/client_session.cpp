#include "actors/protocol/client/client_session.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// A new session number is chosen among this many numbers, so two processes rarely choose the same one. If they do,
/// their openings have different nonces, and f + 1 replicas report to one of them that the name is taken.
constexpr std::uint64_t draw_width = 1ULL << 20U;

}  // namespace

client_session::client_session(const cluster_parameters& cluster, session_id first, session_mode mode,
                               std::uint64_t seed, timestamp next)
    : group_(cluster.group()), id_(first), mode_(mode), seed_(seed), next_(next), is_open_(first == session_id{0}) {
  require(next.value > 0, "timestamp 0 opens a session");
}

timestamp client_session::take_next() {
  require(is_open_, "operations are sent in an open session only");
  const auto when = next_;
  next_ = next_.next();
  return when;
}

std::uint64_t client_session::drawn(std::string_view what) const {
  // The number is computed from the seed and not from a clock or a random generator, so that equal seeds give equal
  // runs (I15).
  const auto whole = hasher{what}.add(seed_).add(id_.value).finish();
  std::uint64_t number = 0;
  for (std::size_t index = 0; index < sizeof(number); ++index)
    number = number << 8U | std::to_integer<std::uint64_t>(whole.bytes[index]);
  return number;
}

session_opening client_session::opening() const {
  // The nonce follows from the seed and the number, so the opening of one number is the same when it is made again.
  session_opening out{mode_, {}};
  const auto nonce = hasher{"session nonce"}.add(seed_).add(id_.value).finish();
  std::ranges::copy(nonce.view().first(out.nonce.size()), out.nonce.begin());
  return out;
}

bool client_session::on_refused(replica_id from, session_id fresh_above) {
  // A quorum is needed: among f + 1 replicas only one may be correct, and the client cannot know which. In a quorum at
  // least f + 1 replicas are correct.
  refusals_[from] = fresh_above;
  if (refusals_.size() < group_.quorum()) return false;
  // The (f + 1)-th largest number of the quorum is used. f faulty replicas can neither raise it above all numbers of
  // correct replicas nor lower it below all of them. Example with f = 1: of 2^60, 900 and 880 it is 900, and of 900,
  // 880 and 0 it is 880.
  std::vector<session_id> named;
  for (const auto& [replica, number] : refusals_)
    named.push_back(number);
  std::ranges::sort(named, std::greater{});
  const auto above = named.at(group_.faulty_max());
  // Refusals of the previous number do not count for the next one.
  refusals_.clear();
  // Only the client itself can have opened sessions with such large numbers. No number is chosen here, so that none
  // overflows.
  if (above.value > std::numeric_limits<std::uint64_t>::max() - draw_width) return false;
  replace(above);
  return true;
}

void client_session::replace(session_id above) {
  require(id_ != session_id{0}, "session 0 is always open");
  // The new number must also be above the present number, which was refused, although lagging replicas may report a
  // smaller one.
  const session_id largest{std::numeric_limits<std::uint64_t>::max() - draw_width};
  const auto floor = std::min(std::max(above, id_), largest);
  id_ = floor.plus(1 + drawn("session number") % draw_width);
  // Timestamps start again in the new session, because they count inside a session (attack 25).
  next_ = timestamp{1};
  is_open_ = false;
  refusals_.clear();
}

}  // namespace hypermesh::protocol
