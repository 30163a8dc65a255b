#include "actors/protocol/durability/recovery.hpp"

#include <map>

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// The error for records that contradict each other. The replica has to restart as a learner.
tl::unexpected<world_error> broken(std::string_view what) {
  return tl::unexpected(
      world_error{fmt::format("the records on disk contradict each other: {}", what), std::string{learner_remedy}});
}

}  // namespace

/// Reads records one after the other into the node. Stops with an error at the first invalid record.
class record_reader {
 public:
  record_reader(const cluster_parameters& cluster, replica_id self) : cluster_(cluster), self_(self) {}

  [[nodiscard]] or_error<void> read(const storage_record& record);
  [[nodiscard]] or_error<recovered_node> finish(const stored_history& history);

 private:
  [[nodiscard]] bool read_frame(const storage_record& record);
  [[nodiscard]] bool read_certificate(const storage_record& record);
  [[nodiscard]] bool place_vote(const signed_statement& vote, std::vector<signed_statement>& own) const;
  void place_view();
  [[nodiscard]] or_error<void> place_execution(sequence_number kept);
  void drop_stable();

  cluster_parameters cluster_;
  replica_id self_;
  recovered_node node_;
};

or_error<void> record_reader::read(const storage_record& record) {
  // This record has no bytes, because only its existence matters.
  if (record.kind == record_kind::readmission) {
    node_.replica.readmitted = true;
    return {};
  }
  const bool is_certificate = record.kind == record_kind::prepared || record.kind == record_kind::committed;
  // No record is skipped, because an unreadable record may be a vote that the replica would forget (attack 9).
  if (is_certificate ? read_certificate(record) : read_frame(record)) return {};
  return broken(fmt::format("the record of kind {} for view {}, sequence {} cannot be read",
                            static_cast<unsigned>(record.kind), record.view.value, record.sequence.value));
}

bool record_reader::read_frame(const storage_record& record) {
  // The frames were sent or accepted before the restart. Their signatures are not verified again, because the checksums
  // of the storage protect them.
  auto decoded = decode(record.bytes);
  if (!decoded) return false;
  auto& value = *decoded;
  auto& replica = node_.replica;
  switch (record.kind) {
    case record_kind::pre_prepare:
      if (auto* it = std::get_if<pre_prepare>(&value)) {
        // Proposals of every view above h are kept. A NEW-VIEW has only digests, and the body is in the record of the
        // earlier view in which it was proposed (I7).
        replica.proposals.push_back(std::move(*it));
        return true;
      }
      return false;
    case record_kind::prepare:
      if (auto* it = std::get_if<prepare>(&value)) return place_vote(it->vote, replica.own_prepares);
      return false;
    case record_kind::commit:
      if (auto* it = std::get_if<commit>(&value)) return place_vote(it->vote, replica.own_commits);
      return false;
    case record_kind::checkpoint:
      if (auto* it = std::get_if<checkpoint>(&value)) return place_vote(it->vote, node_.own_checkpoints);
      return false;
    // The storage keeps only the newest record of this kind and of the next two kinds (`is_replaced`).
    case record_kind::stable_checkpoint:
      if (auto* it = std::get_if<checkpoint_proof>(&value)) {
        replica.stable = std::make_shared<const checkpoint_certificate>(std::move(it->certificate));
        return true;
      }
      return false;
    case record_kind::view_change:
      if (auto* it = std::get_if<view_change>(&value)) {
        replica.own_change = std::make_shared<const view_change>(std::move(*it));
        // As in `place_vote`, a VIEW-CHANGE of another replica means that the directory belongs to another replica.
        return replica.own_change->replica == self_;
      }
      return false;
    case record_kind::new_view:
      if (auto* it = std::get_if<new_view>(&value)) {
        // This NEW-VIEW was verified before it was written, so its plan is computed again from a genuine V.
        auto plan = plan_of(it->view_changes);
        auto opened = std::make_shared<const new_view>(std::move(*it));
        replica.opened = std::make_shared<const planned_new_view>(planned_new_view{std::move(opened), std::move(plan)});
        return true;
      }
      return false;
    default:
      return false;
  }
}

/// Adds a vote of the last run to `own`. Returns false if the vote names another replica, because then the directory
/// belongs to that replica.
bool record_reader::place_vote(const signed_statement& vote, std::vector<signed_statement>& own) const {
  own.push_back(vote);
  return vote.content.replica == self_;
}

bool record_reader::read_certificate(const storage_record& record) {
  auto statements = decode_statements(*record.bytes);
  // Fewer statements than a quorum prove nothing, so the record is damaged.
  if (!statements || statements->size() < cluster_.group().quorum()) return false;
  if (record.kind == record_kind::committed) {
    node_.replica.committed.push_back({std::move(*statements)});
    return true;
  }
  // The header of the PRE-PREPARE comes first (`encode_statements`).
  prepared_certificate certificate{statements->front(), {}};
  certificate.prepares.assign(statements->begin() + 1, statements->end());
  node_.replica.prepared.push_back(std::move(certificate));
  return true;
}

/// The later of VIEW-CHANGE and NEW-VIEW shows where the replica was. Example: a VIEW-CHANGE for view 3 and the
/// NEW-VIEW of view 2 mean that it had left view 2 and waited for view 3 (attack 21).
void record_reader::place_view() {
  auto& replica = node_.replica;
  const auto asked = replica.own_change ? replica.own_change->new_view : view_number{0};
  const auto entered = replica.opened ? replica.opened->message().view : view_number{0};
  replica.view = std::max(asked, entered);
  // A NEW-VIEW of the view that this replica's VIEW-CHANGE asked for, or of a later view, has ended the wait.
  const bool has_entered = asked <= entered;
  // Only one of the two messages is kept, because `replica_core::restore_view` accepts only one. The other message
  // belongs to an earlier view, or to the wait that the NEW-VIEW has ended.
  if (has_entered) {
    replica.own_change = nullptr;
  } else {
    replica.opened = nullptr;
  }
}

or_error<void> record_reader::place_execution(sequence_number kept) {
  auto& replica = node_.replica;
  // A body may have been recorded in an earlier view than the one that committed it, so it is found by its digest.
  std::map<std::pair<sequence_number, digest>, std::shared_ptr<const batch>> bodies;
  for (const auto& each : replica.proposals) {
    bodies.emplace(std::pair{each.header.content.sequence, each.header.content.value}, each.body);
  }
  std::map<sequence_number, const commit_certificate*> certificates;
  for (const auto& each : replica.committed)
    // A sequence may have two certificates: after a repair its batch is handed over again, perhaps in a later view
    // (attack 27). Both name one batch (I1), so either certificate is enough.
    certificates[each.commits.front().content.sequence] = &each;
  // Nothing waits for the write of a commit certificate, so the last ones may be missing. Execution ends at the first
  // gap. The replica sends a STATUS, and the other replicas send it the batches after the gap again.
  replica.last_executed = kept;
  for (auto found = certificates.find(kept.next()); found != certificates.end();
       found = certificates.find(replica.last_executed.next())) {
    const auto& content = found->second->commits.front().content;
    auto body = std::make_shared<const batch>();
    // The null request needs no record, because every replica knows its body.
    if (content.value != null_request_digest()) {
      const auto held = bodies.find({content.sequence, content.value});
      if (held == bodies.end())
        return broken(fmt::format("sequence {} was committed without a body", content.sequence.value));
      body = held->second;
    }
    node_.to_execute.push_back({content.view, content.sequence, content.value, std::move(body),
                                std::make_shared<const commit_certificate>(*found->second)});
    replica.last_executed = content.sequence;
  }
  // h moves only after its state was executed or kept (attack 15), so an earlier record must have been lost.
  if (replica.stable && replica.stable->sequence() > replica.last_executed) {
    return broken(fmt::format("sequence {} is stable, but only {} can be executed", replica.stable->sequence().value,
                              replica.last_executed.value));
  }
  return {};
}

/// Statements that the stable checkpoint covers no longer bind the replica.
void record_reader::drop_stable() {
  auto& replica = node_.replica;
  const auto stable = replica.stable ? replica.stable->sequence() : sequence_number{0};
  const auto is_past = [stable](const signed_statement& each) { return each.content.sequence <= stable; };
  std::erase_if(replica.proposals, [&](const auto& each) { return is_past(each.header); });
  std::erase_if(replica.own_prepares, is_past);
  std::erase_if(replica.own_commits, is_past);
  std::erase_if(replica.prepared, [&](const auto& each) { return is_past(each.pre_prepare); });
  std::erase_if(replica.committed, [&](const auto& each) { return is_past(each.commits.front()); });
  std::erase_if(node_.own_checkpoints, is_past);
}

or_error<recovered_node> record_reader::finish(const stored_history& history) {
  place_view();
  const auto kept = history.state ? history.state->sequence : sequence_number{0};
  if (auto done = place_execution(kept); !done) return failure_of(done);
  // This step comes last, because execution may need records below the stable checkpoint if the kept state is older.
  drop_stable();
  return std::move(node_);
}

or_error<recovered_node> recover(const cluster_parameters& cluster, replica_id self, const stored_history& history) {
  record_reader reader{cluster, self};
  for (const auto& record : history.records) {
    if (auto done = reader.read(record); !done) return failure_of(done);
  }
  return reader.finish(history);
}

or_error<std::vector<taken_state>> replay(const cluster_parameters& cluster, const stored_history& history,
                                          const recovered_node& past, replicated_state& state) {
  require(state.last_executed() == sequence_number{0}, "a replay starts from the beginning");
  std::vector<taken_state> taken;
  const auto take = [&] {
    auto snapshot = std::make_shared<const state_snapshot>(state.snapshot());
    taken.push_back({state.last_executed(), state_root(*snapshot), std::move(snapshot)});
  };
  // The restored state is a checkpoint, and other replicas may need it.
  if (history.state) {
    const auto& [sequence, snapshot] = *history.state;
    if (auto done = state.restore(sequence, snapshot); !done) {
      return tl::unexpected(
          world_error{fmt::format("the kept state after sequence {} cannot be read: {}", sequence.value, done.error()),
                      std::string{learner_remedy}});
    }
    take();
  }
  // The state depends only on the order of the batches, so execution restores the state that the node had (I10).
  for (const auto& each : past.to_execute) {
    // The answers are dropped. A client that lacks an answer sends its request again and gets the cached reply.
    (void)state.execute(each.sequence, each.body);
    if (cluster.is_checkpoint(each.sequence)) take();
  }
  const auto& stable = past.replica.stable;
  // A replica must not vote or answer from a state that is not the certified one (attack 27).
  for (const auto& each : taken) {
    // Only the state at h has a certificate here. The root of a later state is compared when a quorum of CHECKPOINTs
    // has arrived.
    if (stable == nullptr || each.sequence != stable->sequence()) continue;
    if (each.root == stable->votes.front().content.value) continue;
    return broken(
        fmt::format("the state after sequence {} is not the one that the cluster certified", each.sequence.value));
  }
  return taken;
}

}  // namespace hypermesh::protocol
