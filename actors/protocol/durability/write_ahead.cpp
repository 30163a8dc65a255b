#include "actors/protocol/durability/write_ahead.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Losing a commit certificate loses no promise: the COMMITs that it holds are records of their own. So a step of
/// certificates alone starts no write, and nothing that leaves waits for one.
bool binds_nobody(const persist_and_send& step) {
  return step.sends->empty() &&
         std::ranges::all_of(*step.records, [](const auto& record) { return record.kind == record_kind::committed; });
}

}  // namespace

write_ahead::accepted_step write_ahead::on_step(const persist_and_send& step) {
  require(step.records != nullptr && step.sends != nullptr, "a step has records and frames, if only none");
  // Nothing is handed over for execution either: the answers would rest on a COMMIT that may not be on disk (attack 9).
  if (failed_) return {};
  accepted_step out;
  // What the disk works on is not durable yet, so a certificate that comes meanwhile waits for the next write too.
  if (!binds_nobody(step) || !being_written_.empty()) out.write_became_due = request_write();
  if (write_is_due_) {
    // The batches stay in the step. They leave with its frames, when the COMMITs of all earlier steps are durable too.
    waiting_.push_back(step);
    return out;
  }
  // An answer to a client is a promise: a client that has f + 1 of them counts on the COMMITs that they rest on to be
  // in every later VIEW-CHANGE (§4.5.1), so the own COMMIT is durable before its batch is executed. No write is due, so
  // it is.
  out.executable = step.committed;
  // Without the batches: `on_written` would hand them over a second time.
  waiting_.push_back({step.records, step.sends});
  return out;
}

std::vector<storage_record> write_ahead::start_write() {
  require(being_written_.empty(), "one write at a time");
  // Reset before the disk works. A step that arrives meanwhile makes the next write due.
  write_is_due_ = false;
  being_written_ = std::exchange(waiting_, {});
  std::vector<storage_record> records;
  for (const auto& step : being_written_) {
    for (const auto& each : *step.records) {
      // An installed state has written its own, newer proof past this queue. An older proof behind it would win at a
      // restart, because the last one written counts.
      const bool is_outdated = each.kind == record_kind::stable_checkpoint && each.sequence < proof_written_;
      if (!is_outdated) records.push_back(each);
    }
  }
  return records;
}

std::vector<persist_and_send> write_ahead::on_written() {
  require(!failed_, "nothing leaves after a failed write");
  return std::exchange(being_written_, {});
}

void write_ahead::on_failed() {
  failed_ = true;
  // After a failed write it is unknown which records are durable, so no step is tried again (I7).
  waiting_.clear();
  being_written_.clear();
}

}  // namespace hypermesh
