#pragma once

#include <map>
#include <memory>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/base/replica_position.hpp"
#include "actors/protocol/ordering/replica_effects.hpp"
#include "messages/limits.hpp"

namespace hypermesh::actors {

/// Notes when each batch reached its phases (§4.2) and when the votes for it arrived, and gives the times to the
/// observation of its commit. Pure: the replica actor gives the time of each step. It is no part of the protocol,
/// because it decides nothing and no core reads the times.
///
/// Memory: one entry for each sequence number between the watermarks, with at most two votes of each replica of 48
/// bytes; and one for each batch that was cut in this view and is not committed, at most
/// `limits::watermark_window_max`.
class phase_clock {
 public:
  /// A vote of another replica arrived, and the position of this replica is `at`. Votes that the replica does not count
  /// now are not noted, so a faulty replica has room for one vote of each kind in each slot of the window.
  void note_vote(const message& received, const replica_position& at, moment now) {
    const auto* vote = vote_in(received);
    if (vote == nullptr || !at.active || vote->view != at.view) return;
    if (vote->sequence <= at.decided || vote->sequence <= at.stable || vote->sequence > at.high) return;
    auto& noted = votes_[vote->sequence];
    const auto kind = kind_of(received);
    // The first vote counts. A second one with another digest is evidence, and not a vote that came later.
    for (const auto& each : noted) {
      if (each.seen.replica == vote->replica && each.seen.kind == kind) return;
    }
    noted.push_back({{vote->replica, kind, now}, vote->value});
  }

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
      votes_.clear();
    }
    for (const auto& each : step.records)
      note_record(each, now);
    for (auto& each : step.observations) {
      if (auto* committed = std::get_if<slot_committed>(&each)) finish(*committed, now);
    }
    if (!step.forget_through) return;
    open_.erase(open_.begin(), open_.upper_bound(*step.forget_through));
    votes_.erase(votes_.begin(), votes_.upper_bound(*step.forget_through));
  }

  /// The number of entries, for tests of the bound.
  [[nodiscard]] std::size_t size() const { return open_.size() + cut_.size() + votes_.size(); }

 private:
  struct noted_vote {
    vote_arrival seen;
    digest value;
  };
  static_assert(sizeof(noted_vote) <= 48);

  /// The content of a PREPARE or COMMIT; null for another message.
  [[nodiscard]] static const statement* vote_in(const message& received) {
    if (const auto* it = std::get_if<prepare>(&received)) return &it->vote.content;
    const auto* it = std::get_if<commit>(&received);
    return it == nullptr ? nullptr : &it->vote.content;
  }

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
    if (const auto noted = votes_.extract(committed.content.sequence); !noted.empty()) {
      for (const auto& each : noted.mapped()) {
        if (each.value == committed.content.value) committed.votes.push_back(each.seen);
      }
    }
    const auto cut = cut_.find(committed.content.body);
    if (cut == cut_.end()) return;
    committed.times.requested = cut->second;
    cut_.erase(cut);
  }

  std::map<sequence_number, phase_times> open_;
  std::map<sequence_number, std::vector<noted_vote>> votes_;
  /// By the batch itself and not by its address. If the core drops a batch, another one may get its address, but the
  /// entry of the dropped one never matches it.
  std::map<std::weak_ptr<const batch>, moment, std::owner_less<>> cut_;
};

}  // namespace hypermesh::actors
