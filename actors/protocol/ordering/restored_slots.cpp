#include "actors/protocol/ordering/restored_slots.hpp"

namespace hypermesh::protocol {

namespace {

/// The steps of `restore_slots`, in order. A slot gets its proposal first, because votes need the proposal.
class slot_restoration {
 public:
  slot_restoration(const recovered_replica& past, replica_id self, slot_log& log)
      : past_(past), self_(self), log_(log) {}

  void put_proposals() {
    // A proposal of an earlier view gets no slot. Its body is in `body_store`, for a NEW-VIEW that names it
    // (attack 17).
    for (const auto& each : past_.proposals) {
      if (is_here(each.header.content)) log_.at(each.header.content.sequence).proposal = each;
    }
  }

  void put_own_prepares(const active_view& here, const body_store& bodies) {
    for (const auto& vote : past_.own_prepares) {
      if (!is_here(vote.content)) continue;
      auto& slot = log_.at(vote.content.sequence);
      // The replica sends no second vote in a slot whose vote was sent, so it does not PREPARE a second proposal of the
      // primary (attack 9).
      slot.prepare_sent = true;
      (void)slot.prepares.add(vote);
      // A batch that the NEW-VIEW names was recorded in the view that proposed it first.
      const auto named = here.reproposals.find(vote.content.sequence);
      if (slot.proposal || named == here.reproposals.end()) continue;
      auto body = bodies.find(vote.content.sequence, vote.content.value);
      if (body != nullptr) slot.proposal = pre_prepare{named->second, std::move(body), nullptr};
    }
  }

  void put_prepared() {
    for (const auto& certificate : past_.prepared) {
      if (!is_here(certificate.pre_prepare.content)) continue;
      auto& slot = log_.at(certificate.pre_prepare.content.sequence);
      for (const auto& vote : certificate.prepares) {
        // The certificate contains the PREPAREs of other replicas, so the slot is prepared again without any message.
        (void)slot.prepares.add(vote);
        // The certificate with this replica's PREPARE proves that it was sent.
        slot.prepare_sent = slot.prepare_sent || vote.content.replica == self_;
      }
    }
  }

  void put_commits() {
    for (const auto& vote : past_.own_commits) {
      if (!is_here(vote.content)) continue;
      auto& slot = log_.at(vote.content.sequence);
      slot.commit_sent = true;
      (void)slot.commits.add(vote);
    }
    // A commit certificate makes a slot committed-local again, so the other replicas need not send their COMMITs again.
    for (const auto& certificate : past_.committed) {
      if (!is_here(certificate.commits.front().content)) continue;
      for (const auto& vote : certificate.commits)
        (void)log_.at(vote.content.sequence).commits.add(vote);
    }
  }

 private:
  [[nodiscard]] bool is_here(const statement& content) const {
    // A statement of an earlier view still binds the replica, but through P (`prepared_set`). A statement at or below h
    // no longer binds it.
    return content.view == past_.view && log_.marks().contains(content.sequence);
  }

  const recovered_replica& past_;
  replica_id self_;
  slot_log& log_;
};

}  // namespace

void restore_slots(const recovered_replica& past, replica_id self, const active_view& here, const body_store& bodies,
                   slot_log& log) {
  slot_restoration slots{past, self, log};
  slots.put_proposals();
  slots.put_own_prepares(here, bodies);
  slots.put_prepared();
  slots.put_commits();
}

sequence_number last_proposal(const slot_log& log) {
  // A primary that forgot its last proposal would propose another batch at the same sequence number (attack 9).
  auto last = log.marks().low();
  for (const auto& [sequence, slot] : log.slots()) {
    if (slot.proposal) last = sequence;
  }
  return last;
}

}  // namespace hypermesh::protocol
