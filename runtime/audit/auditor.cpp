#include "runtime/audit/auditor.hpp"

#include <chrono>
#include <utility>

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace hypermesh::audit {

namespace {

using auditor_self = auditor_actor::stateful_pointer<auditor_state>;

/// Approximate memory in bytes of one event, in addition to the event's own bytes.
constexpr std::uint64_t event_overhead_bytes = 256;

/// Room in the queue for some events. The destructor frees the room.
class queue_credit {
 public:
  queue_credit(std::shared_ptr<std::atomic<std::uint64_t>> waiting, std::uint64_t bytes)
      : waiting_(std::move(waiting)), bytes_(bytes) {}
  ~queue_credit() { waiting_->fetch_sub(bytes_, std::memory_order_relaxed); }
  queue_credit(const queue_credit&) = delete;
  queue_credit& operator=(const queue_credit&) = delete;

 private:
  std::shared_ptr<std::atomic<std::uint64_t>> waiting_;
  std::uint64_t bytes_;
};

/// Whether records of this kind make no entry. Their entries are made from observations.
bool is_silent(record_kind kind) { return kind == record_kind::committed || kind == record_kind::readmission; }

bool is_vote(record_kind kind) {
  return kind == record_kind::pre_prepare || kind == record_kind::prepare || kind == record_kind::commit ||
         kind == record_kind::checkpoint || kind == record_kind::prepared;
}

std::uint64_t bytes_of(const audit_event& event) {
  auto bytes = event_overhead_bytes;
  if (const auto* it = std::get_if<guard_noted>(&event)) bytes += it->proof.size();
  if (const auto* it = std::get_if<batch_was_committed>(&event))
    bytes += it->certificate.commits.size() * sizeof(signed_statement);
  return bytes;
}

void schedule_flush(auditor_self self) {
  if (std::exchange(self->state.flush_is_due, true)) return;
  self->send(self, flush_trail{});
}

/// Sends the counters to the monitor: the progress of the trail, and whether writing fails.
void report(auditor_self self) {
  auto& state = self->state;
  if (state.with == nullptr) return;
  const auto progress = state.trail->progress();
  auto numbers = std::make_shared<std::vector<named_counter>>();
  *numbers = {{"audit_entries", progress.entries},      {"audit_entries_sealed", progress.sealed},
              {"audit_entries_lost", progress.lost},    {"audit_bytes", progress.bytes},
              {"audit_failures_total", state.failures}, {"audit_is_failing", state.is_failing ? 1U : 0U}};
  self->send(state.with->monitor, counters_reported{std::move(numbers)});
}

void count_lost(auditor_self self) {
  auto& state = self->state;
  if (const auto lost = state.queue->take_lost(); lost > 0)
    state.trail->note_lost(loss_reason::overload, lost, state.clock());
}

/// Reports once when writing begins to fail. A gauge stays set until a write succeeds again.
void judge(auditor_self self, const or_error<void>& written) {
  auto& state = self->state;
  if (!written) ++state.failures;
  const bool was_failing = std::exchange(state.is_failing, !written);
  if (!written && !was_failing && state.with != nullptr)
    self->send(state.with->monitor, observed{audit_interrupted{written.error()}});
  if (state.is_failing != was_failing) report(self);
}

void flush(auditor_self self) {
  auto& state = self->state;
  state.flush_is_due = false;
  if (state.trail == nullptr) return;
  count_lost(self);
  const auto now = state.clock();
  const auto checkpoint = std::exchange(state.to_seal, std::nullopt);
  judge(self, checkpoint ? state.trail->seal(now, *checkpoint) : state.trail->flush(now));
  if (checkpoint) report(self);
}

void record(auditor_self self, const records_written& written) {
  auto& state = self->state;
  if (state.trail == nullptr) return;
  const auto now = state.clock();
  for (const auto& record : *written.records) {
    const auto event = audit_event_of(record);
    if (!event) continue;
    state.trail->add(now, *event);
    if (record.kind == record_kind::stable_checkpoint) state.to_seal = record.sequence;
  }
  schedule_flush(self);
}

void record(auditor_self self, const event_happened& happened) {
  auto& state = self->state;
  if (state.trail == nullptr) return;
  state.trail->add(state.clock(), *happened.event);
  schedule_flush(self);
}

/// After the answer, the next run may use the folder.
void close(auditor_self self) {
  auto& state = self->state;
  if (state.trail != nullptr) {
    count_lost(self);
    const auto now = state.clock();
    state.trail->add(now, run_stopped{});
    judge(self, state.trail->seal(now, state.to_seal.value_or(sequence_number{0}), true));
    report(self);
  }
  state.trail = nullptr;
  state.with = nullptr;
  self->quit();
}

}  // namespace

std::shared_ptr<void> audit_queue::admit(const std::shared_ptr<audit_queue>& queue, std::uint64_t bytes,
                                         std::uint64_t events) {
  const auto before = queue->waiting_.fetch_add(bytes, std::memory_order_relaxed);
  std::shared_ptr<std::atomic<std::uint64_t>> waiting{queue, &queue->waiting_};
  auto credit = std::make_shared<queue_credit>(std::move(waiting), bytes);
  if (before + bytes <= queue->bytes_max_) return credit;
  queue->lost_.fetch_add(events, std::memory_order_relaxed);
  return nullptr;
}

void audit_tap::on_written(std::span<const storage_record> records) const {
  auto told = std::make_shared<std::vector<storage_record>>();
  told->reserve(records.size());
  std::uint64_t bytes = 0;
  for (const auto& each : records) {
    if (is_silent(each.kind) || (!votes_ && is_vote(each.kind))) continue;
    told->push_back(each);
    bytes += event_overhead_bytes + each.bytes->size();
  }
  if (told->empty()) return;
  const auto events = told->size();
  if (auto credit = audit_queue::admit(queue_, bytes, events))
    caf::anon_send(auditor_, records_written{std::move(told), std::move(credit)});
}

void audit_tap::on_observed(const observation& what) const {
  if (auto event = audit_event_of(what)) note(std::move(*event));
}

void audit_tap::note(audit_event event) const {
  auto credit = audit_queue::admit(queue_, bytes_of(event), 1);
  if (credit == nullptr) return;
  caf::anon_send(auditor_, event_happened{std::make_shared<const audit_event>(std::move(event)), std::move(credit)});
}

std::uint64_t wall_clock_us() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(since).count());
}

or_error<void> audited_storage::write(std::span<const storage_record> records) {
  if (auto done = storage_wrapper::write(records); !done) return done;
  tap_->on_written(records);
  return {};
}

auditor_actor::behavior_type auditor(auditor_self self, std::shared_ptr<std::unique_ptr<audit_trail>> trail,
                                     std::shared_ptr<audit_queue> queue, entry_clock clock) {
  auto& state = self->state;
  state.trail = std::move(*trail);
  state.queue = std::move(queue);
  state.clock = std::move(clock);
  return {
      [self](const wired& all) {
        self->state.with = all.with;
        // Schedules the write of the entry that was added before the actor existed and says that the node started.
        schedule_flush(self);
        report(self);
      },
      [self](const records_written& written) { record(self, written); },
      [self](const event_happened& happened) { record(self, happened); },
      [self](const flush_trail&) { flush(self); },
      [self](const close_trail&) { close(self); },
  };
}

}  // namespace hypermesh::audit
