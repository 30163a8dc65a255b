#include "actors/protocol/ordering/retransmission.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Slots for which one STATUS is answered: a checkpoint period of the default length. So a replica that has fetched a
/// state gets all batches after it before the next checkpoint is stable. The votes for so many slots cost the replica a
/// tenth of a second of signature checks.
constexpr std::uint64_t slots_sent_again_max = 128;
/// Bytes after which the answer to one STATUS ends. With full batches the bound on slots alone would let a small frame
/// cause an answer of 256 MiB, more than the outbound queue of a link holds (attack 33).
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

void retransmission::answer(const status& asked, std::vector<outgoing_message>& sends) const {
  const auto first = std::max(asked.last_decided, log_->marks().low()).next();
  const auto last = std::min(log_->last(), asked.last_decided.plus(slots_sent_again_max));
  std::size_t bytes = 0;
  for (auto sequence = first; sequence <= last && bytes < bytes_sent_again_max; sequence = sequence.next()) {
    const auto index = sequence.value - asked.last_decided.value - 1;
    // If the STATUS does not contain a slot, the sender has no message of that slot.
    const auto has = index < asked.slots.size() ? asked.slots[index] : slot_progress{};
    bytes += send(asked.replica, sequence, has, sends);
  }
}

/// Sends to `to` its missing parts of one slot. Returns the number of bytes.
std::size_t retransmission::send(replica_id to, sequence_number sequence, slot_progress has,
                                 std::vector<outgoing_message>& sends) const {
  if (log_->find(sequence) == nullptr || has.committed) return 0;
  auto* slot = &log_->at(sequence);
  const auto before = sends.size();
  // A null request that the NEW-VIEW names has no frame, and every replica knows its body.
  const bool has_body = slot->proposal && (slot->proposal->raw != nullptr || !slot->proposal->body->is_null());
  if (!has.has_pre_prepare && has_body && relays(sequence)) {
    // A batch that the NEW-VIEW names has no PRE-PREPARE frame in this view at first. The frame is created when another
    // replica first lacks the batch.
    auto& [header, body, raw] = *slot->proposal;
    if (raw == nullptr) raw = encode_pre_prepare(header, *body);
    sends.push_back({to, raw});
  }
  // Only own votes are sent again: every other replica answers the STATUS with its own.
  if (!has.prepared && slot->prepare_sent) {
    sends.push_back({to, encode_vote(message_kind::prepare, *slot->prepares.of(self_))});
  }
  if (slot->commit_sent) sends.push_back({to, encode_vote(message_kind::commit, *slot->commits.of(self_))});
  std::size_t bytes = 0;
  for (auto index = before; index < sends.size(); ++index)
    bytes += sends[index].frame->size();
  return bytes;
}

bool retransmission::relays(sequence_number sequence) const {
  return !relay_turn_ || (sequence.value + *relay_turn_) % group_.replicas() == self_.value;
}

}  // namespace hypermesh::protocol
