#include "actors/protocol/durability/write_ahead.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// A lost commit certificate breaks no promise, because this replica's COMMIT is a separate record. So a step that has
/// only certificates starts no write, and no frame waits for a certificate.
bool binds_nobody(const persist_and_send& step) {
  return step.sends->empty() &&
         std::ranges::all_of(*step.records, [](const auto& record) { return record.kind == record_kind::committed; });
}

}  // namespace

write_ahead::accepted_step write_ahead::on_step(const persist_and_send& step) {
  require(step.records != nullptr && step.sends != nullptr, "a step has records and frames, if only none");
  // No batch is handed over for execution either, because the answers would depend on a COMMIT that may not be on disk
  // (attack 9).
  if (failed_) return {};
  accepted_step out;
  // The records of a running write are not durable yet, so a certificate that arrives meanwhile also waits for the next
  // write.
  if (!binds_nobody(step) || !being_written_.empty()) out.write_became_due = request_write();
  if (write_is_due_) {
    // The batches stay in the step. They are handed over together with its frames, when the COMMITs of all earlier
    // steps are durable too.
    waiting_.push_back(step);
    return out;
  }
  // An answer to a client is a promise: f + 1 equal answers imply that every later VIEW-CHANGE of these replicas proves
  // the batch (§4.5.1). So this replica's COMMIT must be durable before its batch is executed. It is durable here,
  // because no write is due.
  out.executable = step.committed;
  // The step is stored without its batches, because `on_written` would hand them over a second time.
  waiting_.push_back({step.records, step.sends});
  return out;
}

std::vector<storage_record> write_ahead::start_write() {
  require(being_written_.empty(), "one write at a time");
  // The flag is reset before the write, so that a step that arrives during the write makes the next one due.
  write_is_due_ = false;
  being_written_ = std::exchange(waiting_, {});
  std::vector<storage_record> records;
  for (const auto& step : being_written_) {
    for (const auto& each : *step.records) {
      // The newer proof of an installed state was written directly. If an older proof were written after it, a restart
      // would use the older one, because the last written proof counts.
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

}  // namespace hypermesh::protocol
