#include "actors/protocol/slot_repair.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh {

namespace {

/// Slots for which one STATUS is answered: a checkpoint period of the usual length, so that who has fetched a state
/// closes the hole behind it before the next one is stable; its votes cost the asker a tenth of a second of checks.
constexpr std::uint64_t slots_sent_again_max = 128;
/// Bytes after which the answer to one STATUS ends: with full batches the slots alone would let a small
/// frame cause one of 64 MiB, more than a link's outbound queue holds (attack 33).
constexpr std::size_t bytes_sent_again_max = 2 * limits::batch_bytes_max;

}  // namespace

std::vector<slot_progress> progress_after(const slot_log& log, group_size group, sequence_number last_decided) {
  std::vector<slot_progress> all;
  for (auto sequence = last_decided.next(); sequence <= log.last(); sequence = sequence.next()) {
    const auto* slot = log.find(sequence);
    if (slot == nullptr) {
      all.emplace_back();
    } else {
      all.push_back({slot->proposal.has_value(), slot->is_prepared(group), slot->is_committed_local(group)});
    }
  }
  return all;
}

void slot_repair::answer(const status& asked, std::vector<outgoing_message>& sends) const {
  const auto first = std::max(asked.last_decided, log_->marks().low()).next();
  const auto last = std::min(log_->last(), asked.last_decided.plus(slots_sent_again_max));
  std::size_t bytes = 0;
  for (auto sequence = first; sequence <= last && bytes < bytes_sent_again_max; sequence = sequence.next()) {
    const auto index = sequence.value - asked.last_decided.value - 1;
    const auto has = index < asked.slots.size() ? asked.slots[index] : slot_progress{};
    bytes += send(asked.replica, sequence, has, sends);
  }
}

/// Returns the bytes of what it sends.
std::size_t slot_repair::send(replica_id to, sequence_number sequence, slot_progress has,
                              std::vector<outgoing_message>& sends) const {
  if (log_->find(sequence) == nullptr || has.committed) return 0;
  auto* slot = &log_->at(sequence);
  const auto before = sends.size();
  // A null request that the NEW-VIEW names needs no body.
  const bool has_body = slot->proposal && (slot->proposal->raw != nullptr || !slot->proposal->body->requests.empty());
  if (!has.has_pre_prepare && has_body && relays(sequence)) {
    // A batch of an earlier view has no frame in this one until somebody lacks it; then it is made once, however often
    // it is asked for.
    auto& [header, body, raw] = *slot->proposal;
    if (raw == nullptr) raw = encode_pre_prepare(header, *body);
    sends.push_back({to, raw});
  }
  if (!has.prepared && slot->prepare_sent) {
    sends.push_back({to, encode_vote(message_kind::prepare, *slot->prepares.of(self_))});
  }
  if (slot->commit_sent) sends.push_back({to, encode_vote(message_kind::commit, *slot->commits.of(self_))});
  std::size_t bytes = 0;
  for (auto index = before; index < sends.size(); ++index)
    bytes += sends[index].frame->size();
  return bytes;
}

bool slot_repair::relays(sequence_number sequence) const {
  return !relay_turn_ || (sequence.value + *relay_turn_) % group_.replicas() == self_.value;
}

}  // namespace hypermesh
