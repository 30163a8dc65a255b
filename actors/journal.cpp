#include "actors/journal.hpp"

#include <algorithm>
#include <utility>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace hypermesh {

namespace {

using journal_self = journal_actor::stateful_pointer<journal_state>;

void send_out(journal_self self, const outgoing_message& sent) {
  const auto& peers = self->state.with->peers;
  if (sent.to) return self->send(peers.at(sent.to->value), outgoing_frame{sent.frame});
  for (const auto& peer : peers) {
    if (peer) self->send(peer, outgoing_frame{sent.frame});
  }
}

/// False when the disk failed, now or before.
bool succeeded(journal_self self, const std::optional<world_error>& error) {
  if (!error || self->state.failed) return !self->state.failed;
  self->state.failed = true;
  self->state.waiting.clear();
  self->send(self->state.with->monitor, observed{node_failed{*error}});
  return false;
}

/// Commit certificates are written after the fact, so nothing waits for them: they go with the next vote.
bool can_wait(const persist_and_send& wanted) {
  return wanted.sends->empty() &&
         std::ranges::all_of(*wanted.records, [](const auto& record) { return record.kind == record_kind::committed; });
}

/// What is executed is answered, and an answer is a promise: a client that has f+1 of them counts on the COMMITs that
/// they rest on to be in every later VIEW-CHANGE (§4.5.1), so the own one is durable before this.
void hand_over(journal_self self, const persist_and_send& wanted) {
  if (wanted.committed == nullptr) return;
  for (const auto& each : *wanted.committed)
    self->send(self->state.with->executor, batch_committed{each});
}

/// Everything that came since the last write becomes durable together, then leaves in order.
void flush(journal_self self) {
  auto& state = self->state;
  state.flush_is_due = false;
  const auto group = std::exchange(state.waiting, {});
  std::vector<storage_record> records;
  for (const auto& each : group)
    records.insert(records.end(), each.records->begin(), each.records->end());
  if (!records.empty() && !succeeded(self, state.storage->write(records))) return;
  for (const auto& record : records)
    state.keeper->on_written(record.bytes->size());
  for (const auto& each : group) {
    for (const auto& sent : *each.sends)
      send_out(self, sent);
    hand_over(self, each);
  }
  for (const auto& each : std::exchange(state.taken, {}))
    self->send(state.with->replica, each);
}

void schedule_flush(journal_self self) {
  if (std::exchange(self->state.flush_is_due, true)) return;
  self->send(self, flush_records{});
}

void take(journal_self self, const persist_and_send& wanted) {
  auto& state = self->state;
  if (state.failed) return;
  if (!can_wait(wanted)) schedule_flush(self);
  if (state.flush_is_due) return state.waiting.push_back(wanted);
  // Everything that binds is durable.
  hand_over(self, wanted);
  state.waiting.push_back({wanted.records, wanted.sends});
}

void schedule_piece(journal_self self) {
  auto& state = self->state;
  if (state.piece_is_due || !state.keeper->is_writing()) return;
  state.piece_is_due = true;
  self->send(self, write_piece{});
}

/// The replica hears of a state through the disk: so it is never more than a window ahead of a disk that is slow or
/// hangs, and what waits here is bounded (attack 33).
void note_taken(journal_self self, const checkpoint_taken& taken) {
  auto& state = self->state;
  if (state.failed) return;
  state.keeper->on_taken(taken.sequence, taken.snapshot);
  state.taken.push_back(taken);
  schedule_flush(self);
  schedule_piece(self);
}

/// What builds on a transferred state may go on once the disk holds it.
void tell_installed(journal_self self) {
  auto& state = self->state;
  if (!state.untold || state.keeper->is_writing(state.untold->sequence)) return;
  self->send(state.with->replica, *state.untold);
  state.untold.reset();
}

/// A state goes to disk piece by piece, so that votes find their way in between.
void write_next(journal_self self) {
  auto& state = self->state;
  state.piece_is_due = false;
  const auto piece = state.keeper->next();
  if (!piece || state.failed) return;
  if (!succeeded(self, state.storage->store_chunks(piece->chunks))) return;
  if (!piece->is_last) return schedule_piece(self);
  if (!succeeded(self, state.storage->keep_state(piece->sequence, state.keeper->leaves()))) return;
  const auto proof = state.keeper->on_kept();
  if (proof && !succeeded(self, state.storage->write({&*proof, 1}))) return;
  if (!succeeded(self, state.storage->forget_through(piece->sequence))) return;
  self->send(state.with->monitor, observed{state_was_kept{piece->sequence, state.storage->bytes_held()}});
  tell_installed(self);
  schedule_piece(self);
}

void keep_installed(journal_self self, const state_to_keep& fetched) {
  auto& state = self->state;
  state.untold = fetched.installed;
  // States of before: older, or wrong, when this one replaces a state that had diverged.
  state.taken.clear();
  state.keeper->on_installed(fetched.installed.sequence, fetched.snapshot, *fetched.installed.certificate);
  tell_installed(self);
  schedule_piece(self);
}

}  // namespace

journal_actor::behavior_type journal(journal_self self, node_identity identity, std::shared_ptr<stable_storage> storage,
                                     std::uint64_t retained_bytes, kept_before before) {
  self->state.identity = std::move(identity);
  self->state.storage = std::move(storage);
  self->state.keeper = std::make_unique<state_keeper>(retained_bytes);
  self->state.keeper->restore(before.kept, std::move(before.leaves), before.record_bytes);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const persist_and_send& wanted) { take(self, wanted); },
      [self](const checkpoint_taken& taken) { note_taken(self, taken); },
      [self](const forget_records& covered) {
        self->state.keeper->on_stable(covered.through);
        schedule_piece(self);
      },
      [self](const state_to_keep& fetched) { keep_installed(self, fetched); },
      [self](const flush_records&) { flush(self); },
      [self](const write_piece&) { write_next(self); },
  };
}

}  // namespace hypermesh
