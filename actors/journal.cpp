#include "actors/journal.hpp"

#include <utility>

#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include "actors/frozen_checkpoint.hpp"

namespace hypermesh::actors {

namespace {

using journal_self = journal_actor::stateful_pointer<journal_state>;

void send_out(journal_self self, const outgoing_message& sent) {
  const auto& peers = self->state.with->peers;
  if (sent.to) return self->send(peers.at(sent.to->value), outgoing_frame{sent.frame});
  for (const auto& peer : peers) {
    if (peer) self->send(peer, outgoing_frame{sent.frame});
  }
}

/// Whether neither this write nor an earlier one has failed. Reports the first failure to the monitor.
bool succeeded(journal_self self, const or_error<void>& written) {
  if (written || self->state.outbox.has_failed()) return !self->state.outbox.has_failed();
  self->state.outbox.on_failed();
  self->send(self->state.with->monitor, observed{node_failed{written.error()}});
  return false;
}

void hand_over(journal_self self, const std::shared_ptr<const std::vector<committed_batch>>& committed) {
  if (committed == nullptr) return;
  for (const auto& each : *committed)
    self->send(self->state.with->executor, batch_committed{each});
}

void flush(journal_self self) {
  auto& state = self->state;
  if (state.outbox.has_failed()) return;
  const auto records = state.outbox.start_write();
  if (!records.empty() && !succeeded(self, state.storage->write(records))) return;
  for (const auto& record : records)
    state.keeper->on_written(record.bytes->size());
  for (const auto& each : state.outbox.on_written()) {
    for (const auto& sent : *each.sends)
      send_out(self, sent);
    hand_over(self, each.committed);
  }
  for (const auto& each : std::exchange(state.taken, {}))
    self->send(state.with->replica, each);
}

void store(journal_self self, const persist_and_send& step) {
  const auto accepted = self->state.outbox.on_step(step);
  if (accepted.write_became_due) self->send(self, flush_records{});
  hand_over(self, accepted.executable);
}

void schedule_piece(journal_self self) {
  auto& state = self->state;
  if (state.piece_is_due || !state.keeper->is_writing()) return;
  state.piece_is_due = true;
  self->send(self, write_piece{});
}

/// The replica gets `checkpoint_taken` only after the next write. So the replica is never more than a window ahead of a
/// slow disk, and the number of steps that wait here is bounded (attack 33).
void note_taken(journal_self self, const checkpoint_taken& taken) {
  auto& state = self->state;
  if (state.outbox.has_failed()) return;
  state.keeper->on_taken(taken.sequence, taken.state->finish().snapshot);
  state.taken.push_back(taken);
  if (state.outbox.request_write()) self->send(self, flush_records{});
  schedule_piece(self);
}

/// Reports an installed state to the replica once the state is on disk, because the replica then votes for sequences
/// after it.
void tell_installed(journal_self self) {
  auto& state = self->state;
  if (!state.installed_unreported || state.keeper->is_writing(state.installed_unreported->sequence)) return;
  self->send(state.with->replica, *state.installed_unreported);
  state.installed_unreported.reset();
}

/// Writes the next piece of a state. The pieces are separate messages, so that votes can be written between them.
void write_next(journal_self self) {
  auto& state = self->state;
  state.piece_is_due = false;
  const auto piece = state.keeper->next();
  if (!piece || state.outbox.has_failed()) return;
  if (!succeeded(self, state.storage->store_chunks(piece->chunks))) return;
  if (!piece->is_last) return schedule_piece(self);
  if (!succeeded(self, state.storage->keep_state(piece->sequence, state.keeper->leaves()))) return;
  const auto proof = state.keeper->on_kept();
  if (proof && !succeeded(self, state.storage->write({&*proof, 1}))) return;
  if (proof) state.outbox.on_proof_written(proof->sequence);
  if (!succeeded(self, state.storage->forget_through(piece->sequence))) return;
  self->send(state.with->monitor, observed{state_was_kept{piece->sequence, state.storage->bytes_held()}});
  tell_installed(self);
  schedule_piece(self);
}

void keep_installed(journal_self self, const state_to_keep& fetched) {
  auto& state = self->state;
  state.installed_unreported = fetched.installed;
  // The states in `taken` are older than the installed state, or wrong because the installed state replaces a diverged
  // state.
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
  self->state.keeper = std::make_unique<snapshot_writer>(retained_bytes);
  self->state.keeper->restore(before.kept, std::move(before.leaves), before.record_bytes);
  return {
      [self](const wired& all) { self->state.with = all.with; },
      [self](const persist_and_send& step) { store(self, step); },
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

}  // namespace hypermesh::actors
