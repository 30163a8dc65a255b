#include "actors/protocol/execution/client_table.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

void write_outcome(byte_writer& out, const request_outcome& outcome) {
  for (std::size_t index = 0; index < outcome.statuses.size(); ++index) {
    out.number<std::uint8_t>(outcome.statuses[index]);
    out.number<std::uint32_t>(static_cast<std::uint32_t>(outcome.result(index).size()));
    out.bytes(outcome.result(index));
  }
}

/// Reads an outcome with `operations` results. Returns null if the bytes end too early.
client_table::shared_outcome read_outcome(byte_reader& in, std::uint32_t operations) {
  request_outcome outcome;
  // `operations` is not checked yet, so the second bound limits the loop.
  for (std::uint32_t index = 0; index < operations && index < limits::operations_per_request_max; ++index) {
    const auto status = in.number<std::uint8_t>();
    const auto size = in.number<std::uint32_t>();
    const auto payload = in.bytes(size);
    if (in.failed()) return nullptr;
    outcome.append(status, payload);
  }
  return std::make_shared<const request_outcome>(std::move(outcome));
}

digest read_digest(byte_reader& in) {
  digest value;
  std::ranges::copy(in.bytes(value.bytes.size()), value.bytes.begin());
  return value;
}

/// Bytes of the cached reply in the state: results, and status and length of each operation. A dropped reply counts as
/// 0 bytes.
std::size_t cost_of(const client_table::shared_outcome& outcome) {
  return outcome == nullptr ? 0 : outcome->results.size() + 5 * outcome->statuses.size();
}

/// The answer in place of a reply that was dropped.
client_table::shared_outcome dropped_outcome(std::uint32_t operations) {
  request_outcome rest;
  for (std::uint32_t index = 0; index < operations; ++index)
    rest.append(static_cast<std::uint8_t>(operation_status::result_too_large), {});
  return std::make_shared<const request_outcome>(std::move(rest));
}

/// The answer to an opening request. It is the same for all sessions, so the state does not contain it.
const client_table::shared_outcome& opened_outcome() {
  static const auto outcome = [] {
    request_outcome opened;
    opened.append(static_cast<std::uint8_t>(operation_status::applied), {});
    return std::make_shared<const request_outcome>(std::move(opened));
  }();
  return outcome;
}

/// Cuts `bytes` into chunks of the largest allowed size.
std::vector<state_chunk> chunks_of(const byte_vector& bytes) {
  std::vector<state_chunk> chunks;
  for (std::size_t begin = 0; begin < bytes.size(); begin += limits::state_chunk_bytes_max) {
    const auto size = std::min(limits::state_chunk_bytes_max, bytes.size() - begin);
    const auto part = byte_span{bytes}.subspan(begin, size);
    chunks.push_back({std::make_shared<const byte_vector>(part.begin(), part.end()), state_chunk_digest(part)});
  }
  return chunks;
}

}  // namespace

request_standing client_table::standing_of(request_id id) const {
  const auto found = entries_.find(id.client);
  // A client without an entry has no executed request.
  return found == entries_.end() ? client_sessions{}.standing_of(id.session, id.when)
                                 : found->second.sessions.standing_of(id.session, id.when);
}

client_table::answered client_table::answer_of(request_id id) const {
  // A retransmission is harmless: the client gets the cached result, and nothing is executed again (attack 18).
  require(standing_of(id) == request_standing::done, "only a request that is done has a cached reply");
  const auto& entry = entries_.at(id.client).replies.at(id.session);
  // The answer contains the digest of the request that was executed. A client that sent a different request with the
  // same id sees the other digest and does not use the result (attack 5).
  if (id.opens_session()) return {entry.opening, opened_outcome()};
  const auto& kept = entry.replies.at(id.when);
  return {kept.request, kept.outcome ? kept.outcome : dropped_outcome(kept.operations)};
}

std::optional<digest> client_table::opening_of(client_id client, session_id session) const {
  const auto found = entries_.find(client);
  if (session == session_id{0} || found == entries_.end()) return std::nullopt;
  const auto place = found->second.replies.find(session);
  return place == found->second.replies.end() ? std::nullopt : std::optional{place->second.opening};
}

session_id client_table::fresh_above(client_id client) const {
  const auto found = entries_.find(client);
  return found == entries_.end() ? session_id{0} : found->second.sessions.fresh_above();
}

client_table::shared_outcome client_table::open(const request_reference& opening, session_mode mode) {
  auto& client = entries_[opening.id.client];
  client.chunks.clear();
  // The replies of the session that ends are dropped. Only its number is remembered.
  if (const auto gone = client.sessions.open(opening.id.session, mode)) {
    const auto ended = client.replies.find(*gone);
    client.cached_bytes -= ended->second.cached_bytes;
    client.replies.erase(ended);
  }
  client.replies[opening.id.session].opening = opening.content;
  require(standing_of(opening.id) == request_standing::done, "an opened session is open");
  return opened_outcome();
}

void client_table::record(const request_reference& done, shared_outcome outcome) {
  require(outcome != nullptr && !outcome->statuses.empty(), "an executed request has an outcome");
  const auto& id = done.id;
  // Callers check the standing first, because a second record of one request would mean a second execution (I4).
  require(standing_of(id) == request_standing::fresh, "a request is executed at most once");
  auto& client = entries_[id.client];
  auto& entry = client.replies[id.session];
  // Each change drops the cached chunks of the changed client and session. A stale chunk would give this replica
  // another root than the others have.
  client.chunks.clear();
  entry.chunks.clear();
  // The bytes of this session are subtracted from the sum of the client, and the new number is added below.
  client.cached_bytes -= entry.cached_bytes;
  entry.cached_bytes += cost_of(outcome);
  const auto operations = static_cast<std::uint32_t>(outcome->statuses.size());
  entry.replies.emplace(id.when, kept_reply{done.content, std::move(outcome), operations});
  client.sessions.mark_done(id.session, id.when);
  // Replies that are past are dropped first, because this may free enough bytes to keep the others.
  drop_past(entry, client.sessions.window_of(id.session)->floor());
  drop_replies(entry, session_bytes_max);
  client.cached_bytes += entry.cached_bytes;
  drop_replies(client);
}

// --- Bounds ----------------------------------------------------------------------

// The reply that was recorded last is never dropped for its own size: the largest one fits the bound of a session.
static_assert(limits::reply_bytes_max + 5 * limits::operations_per_request_max <= client_table::session_bytes_max);

void client_table::drop_past(session_entry& of, timestamp floor) {
  while (!of.replies.empty() && of.replies.begin()->first <= floor) {
    of.cached_bytes -= cost_of(of.replies.begin()->second.outcome);
    of.replies.erase(of.replies.begin());
  }
}

void client_table::drop_replies(session_entry& of, std::size_t bytes_max) {
  // The oldest replies are dropped first. The entry itself is kept, because it says that the request is done.
  for (auto& [when, each] : of.replies) {
    if (of.cached_bytes <= bytes_max) return;
    of.cached_bytes -= cost_of(std::exchange(each.outcome, nullptr));
    of.chunks.clear();
  }
}

/// The sessions that were used last keep their replies, because their clients may still wait for them.
void client_table::drop_replies(client_entry& of) {
  if (of.cached_bytes <= client_bytes_max) return;
  // `used` is different for any two sessions of a client, so all replicas drop the same replies.
  std::vector<std::pair<std::uint64_t, session_id>> by_use;
  for (const auto& [session, each] : of.sessions.open_ones()) {
    if (of.replies.at(session).cached_bytes > 0) by_use.emplace_back(each.used, session);
  }
  std::ranges::sort(by_use);
  for (const auto& [used, session] : by_use) {
    auto& entry = of.replies.at(session);
    const auto before = entry.cached_bytes;
    // Only as many bytes as the excess are dropped, so the last session in this loop keeps its newest replies.
    const auto excess = of.cached_bytes - client_bytes_max;
    drop_replies(entry, before - std::min(before, excess));
    of.cached_bytes -= before - entry.cached_bytes;
    if (of.cached_bytes <= client_bytes_max) return;
  }
}

sessions_by_client client_table::sessions() const {
  sessions_by_client all;
  for (const auto& [client, entry] : entries_)
    all.emplace(client, entry.sessions);
  return all;
}

// --- As chunks ---------------------------------------------------------------------
//
// The bytes are part of the state root (I10): equal tables must give equal chunks at every replica, also at one that
// restored its table from chunks. All containers are ordered, and what is written does not depend on earlier snapshots.

byte_vector client_table::written(const session_entry& entry, session_id session, const client_sessions& sessions) {
  const auto& open = sessions.open_ones().at(session);
  byte_writer out;
  out.number<std::uint64_t>(session.value);
  out.number<std::uint8_t>(static_cast<std::uint8_t>(open.window.mode()));
  out.number<std::uint64_t>(open.used);
  out.bytes(entry.opening.view());
  out.number<std::uint64_t>(open.window.floor().value);
  out.number<std::uint32_t>(static_cast<std::uint32_t>(entry.replies.size()));
  for (const auto& [when, each] : entry.replies) {
    out.number<std::uint64_t>(when.value);
    out.bytes(each.request.view());
    // This number is written even if the outcome was dropped, because the answer in its place needs one result for each
    // operation.
    out.number<std::uint32_t>(each.operations);
    out.number<std::uint8_t>(each.outcome ? 1 : 0);
    if (each.outcome) write_outcome(out, *each.outcome);
  }
  return out.take();
}

void client_table::make_chunks(client_id client, client_entry& entry) {
  byte_writer out;
  out.number<std::uint32_t>(client.value);
  // Uses and ended numbers are part of the state too, because they decide which requests are fresh (attack 25).
  out.number<std::uint64_t>(entry.sessions.uses());
  out.number<std::uint64_t>(entry.sessions.forgotten().value);
  out.number<std::uint32_t>(static_cast<std::uint32_t>(entry.sessions.ended().size()));
  for (const auto each : entry.sessions.ended())
    out.number<std::uint64_t>(each.value);
  out.number<std::uint32_t>(static_cast<std::uint32_t>(entry.replies.size()));
  for (auto& [session, replies] : entry.replies) {
    // A large session that did not change keeps its chunks.
    if (!replies.chunks.empty()) continue;
    const auto bytes = written(replies, session, entry.sessions);
    // Small sessions share the chunks of their client. If each session had its own chunk, many small sessions could use
    // up the number of chunks that a state may have.
    if (bytes.size() < own_chunks_min) {
      out.bytes(bytes);
    } else {
      replies.chunks = chunks_of(bytes);
    }
  }
  entry.chunks = chunks_of(out.take());
}

state_snapshot client_table::snapshot() {
  state_snapshot all;
  for (auto& [client, entry] : entries_) {
    // Only changed clients are written again, so the cost of a checkpoint is proportional to the changes since the last
    // one.
    if (entry.chunks.empty()) make_chunks(client, entry);
    all.insert(all.end(), entry.chunks.begin(), entry.chunks.end());
    for (const auto& [session, replies] : entry.replies)
      all.insert(all.end(), replies.chunks.begin(), replies.chunks.end());
  }
  return all;
}

or_reason<void> client_table::read_session(byte_reader& in, session_entry& into,
                                           client_sessions::open_session& window) {
  // The bytes come from other replicas or from the disk. A certified root does not prove that the bytes are
  // well-formed, so each bound is checked here.
  const auto mode = in.number<std::uint8_t>();
  if (mode > static_cast<std::uint8_t>(session_mode_last)) return invalid("a session has an unknown mode");
  window.used = in.number<std::uint64_t>();
  into.opening = read_digest(in);
  const timestamp floor{in.number<std::uint64_t>()};
  const auto count = in.number<std::uint32_t>();
  if (count > limits::requests_in_flight_max) return invalid("a session has more cached replies than allowed");
  std::set<timestamp> done;
  for (std::uint32_t index = 0; index < count; ++index) {
    const timestamp when{in.number<std::uint64_t>()};
    const auto request = read_digest(in);
    const auto operations = in.number<std::uint32_t>();
    const auto kept = in.number<std::uint8_t>();
    shared_outcome outcome;
    if (kept == 1) outcome = read_outcome(in, operations);
    const bool is_whole = !in.failed() && operations > 0 && operations <= limits::operations_per_request_max;
    if (!is_whole || kept > 1 || (kept == 1 && outcome == nullptr))
      return invalid("the client table is cut short or malformed");
    // Timestamps ascend. Otherwise one table would have two encodings, and so two roots.
    if (when <= (done.empty() ? floor : *done.rbegin())) return invalid("a session's timestamps are not in order");
    done.insert(when);
    into.cached_bytes += cost_of(outcome);
    into.replies.emplace(when, kept_reply{request, std::move(outcome), operations});
  }
  window.window = timestamp_window{static_cast<session_mode>(mode)};
  window.window.assign(floor, std::move(done));
  return {};
}

or_reason<void> client_table::read_client(byte_reader& in, client_entry& into) {
  const auto uses = in.number<std::uint64_t>();
  const session_id forgotten{in.number<std::uint64_t>()};
  const auto ended_count = in.number<std::uint32_t>();
  if (ended_count > limits::ended_sessions_max) return invalid("a client has more ended sessions than are remembered");
  std::deque<session_id> ended;
  for (std::uint32_t index = 0; index < ended_count; ++index)
    ended.emplace_back(in.number<std::uint64_t>());
  const auto count = in.number<std::uint32_t>();
  // One more than can be opened, because session 0 is always open.
  if (count > limits::sessions_per_client_max + 1) return invalid("a client has more open sessions than allowed");
  std::map<session_id, client_sessions::open_session> open;
  for (std::uint32_t index = 0; index < count; ++index) {
    const session_id session{in.number<std::uint64_t>()};
    // A second entry of a session would replace the window of the first entry, and requests that are done could run
    // again (I4).
    if (open.contains(session)) return invalid("a session of a client comes twice");
    if (auto done = read_session(in, into.replies[session], open[session]); !done) return done;
    into.cached_bytes += into.replies[session].cached_bytes;
  }
  if (in.failed()) return invalid("the client table is cut short");
  into.sessions.assign(uses, forgotten, std::move(ended), std::move(open));
  return {};
}

or_reason<void> client_table::restore(std::span<const state_chunk> chunks) {
  // The borders between chunks have no meaning: a client or session may continue in the next chunk.
  byte_vector joined;
  for (const auto& chunk : chunks)
    joined.insert(joined.end(), chunk.bytes->begin(), chunk.bytes->end());
  byte_reader in{joined};
  // The bytes are parsed into a new table, which replaces the present one only if all of them are valid.
  std::map<client_id, client_entry> entries;
  while (!in.is_empty()) {
    const client_id client{in.number<std::uint32_t>()};
    // Client numbers must ascend like the timestamps of a session, so that one table has one encoding and no client
    // appears twice.
    if (!entries.empty() && client <= entries.rbegin()->first) return invalid("the client table is not in order");
    if (auto done = read_client(in, entries[client]); !done) return done;
  }
  entries_ = std::move(entries);
  return {};
}

}  // namespace hypermesh::protocol
