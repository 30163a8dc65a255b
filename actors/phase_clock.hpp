#pragma once

#include <map>
#include <memory>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/ordering/replica_effects.hpp"
#include "messages/limits.hpp"

namespace hypermesh::actors {

/// Notes when each batch reached its phases (§4.2), and gives the times to the observation of its commit. Pure: the
/// replica actor gives the time of each step. It is no part of the protocol, because it decides nothing and no core
/// reads the times.
///
/// Memory: one entry for each sequence number between the watermarks, and one for each batch that was cut in this view
/// and is not committed, at most `limits::watermark_window_max`.
class phase_clock {
 public:
  /// The batcher cut this batch; its oldest request became pending at `oldest`.
  void note_cut(const std::shared_ptr<const batch>& content, moment oldest) {
    // A batch that the core dropped has no owner any more.
    if (cut_.size() >= limits::watermark_window_max)
      std::erase_if(cut_, [](auto& each) { return each.first.expired(); });
    if (cut_.size() < limits::watermark_window_max) cut_.insert_or_assign(content, oldest);
  }

  /// Notes the phases of one step of the core, and fills in the times of the batches that it committed.
  void note(replica_effects& step, moment now) {
    if (step.view_entered || step.view_left) {
      // The times of the old view do not count for the batches that the NEW-VIEW proposes again.
      cut_.clear();
      open_.clear();
    }
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
  void note_record(const storage_record& written, moment now) {
    if (written.kind == record_kind::pre_prepare) {
      open_[written.sequence] = {.requested = {}, .proposed = now, .prepared = {}, .committed = {}};
    } else if (written.kind == record_kind::prepared) {
      const auto found = open_.find(written.sequence);
      if (found != open_.end()) found->second.prepared = now;
    }
  }

  void finish(slot_committed& committed, moment now) {
    auto found = open_.extract(committed.content.sequence);
    if (!found.empty()) committed.times = found.mapped();
    committed.times.committed = now;
    const auto cut = cut_.find(committed.content.body);
    if (cut == cut_.end()) return;
    committed.times.requested = cut->second;
    cut_.erase(cut);
  }

  std::map<sequence_number, phase_times> open_;
  /// By the batch itself and not by its address. If the core drops a batch, another one may get its address, but the
  /// entry of the dropped one never matches it.
  std::map<std::weak_ptr<const batch>, moment, std::owner_less<>> cut_;
};

}  // namespace hypermesh::actors
