#pragma once

#include <map>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/ordering/replica_effects.hpp"
#include "messages/limits.hpp"

namespace hypermesh::protocol {

/// Notes when each batch reached its phases (§4.2), and gives the times to the observation of its commit. Pure: the
/// replica actor gives the time of each step. Decides nothing, and no core reads the times.
///
/// Memory: one entry for each sequence number between the watermarks, and one for each batch that was cut in this view
/// and is not committed.
class phase_clock {
 public:
  using time = phase_times::time;

  /// The batcher cut this batch; its oldest request became pending at `oldest`.
  void note_cut(const std::shared_ptr<const batch>& content, time oldest) {
    if (cut_.size() >= limits::watermark_window_max) cut_.clear();
    // The address names the batch only while it waits. The next batch at the same address replaces the entry.
    cut_[content.get()] = oldest;
  }

  /// Notes the phases of one step of the core, and fills in the times of the batches that it committed.
  void note(replica_effects& step, time now) {
    if (step.view_entered || step.view_left) cut_.clear();
    for (const auto& each : step.records)
      note_record(each, now);
    for (auto& each : step.observations) {
      if (auto* committed = std::get_if<slot_committed>(&each)) finish(*committed, now);
    }
    if (step.forget_through) open_.erase(open_.begin(), open_.upper_bound(*step.forget_through));
  }

  /// The number of entries, for tests of the bound.
  [[nodiscard]] std::size_t size() const { return open_.size() + cut_.size(); }

 private:
  /// The records tell the phases. A batch that a NEW-VIEW proposes again has no record of its PRE-PREPARE in the new
  /// view, so its times are unknown.
  void note_record(const storage_record& written, time now) {
    if (written.kind == record_kind::pre_prepare) {
      open_[written.sequence] = {.requested = {}, .proposed = now, .prepared = {}, .committed = {}};
    } else if (written.kind == record_kind::prepared) {
      const auto found = open_.find(written.sequence);
      if (found != open_.end()) found->second.prepared = now;
    }
  }

  void finish(slot_committed& committed, time now) {
    auto found = open_.extract(committed.content.sequence);
    if (!found.empty()) committed.times = found.mapped();
    committed.times.committed = now;
    const auto cut = cut_.extract(committed.content.body.get());
    if (!cut.empty()) committed.times.requested = cut.mapped();
  }

  std::map<sequence_number, phase_times> open_;
  std::map<const batch*, time> cut_;
};

}  // namespace hypermesh::protocol
