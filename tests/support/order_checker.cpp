#include "tests/support/order_checker.hpp"

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "messages/digest.hpp"

namespace hypermesh::testing {

namespace {

/// The statement in a record of a vote or proposal; nothing for other records.
std::optional<statement> statement_in(const storage_record& record) {
  const auto decoded = decode(record.bytes);
  if (!decoded) return std::nullopt;
  const auto& value = *decoded;
  if (const auto* it = std::get_if<pre_prepare>(&value)) return it->header.content;
  if (const auto* it = std::get_if<prepare>(&value)) return it->vote.content;
  if (const auto* it = std::get_if<commit>(&value)) return it->vote.content;
  if (const auto* it = std::get_if<checkpoint>(&value)) return it->vote.content;
  return std::nullopt;
}

}  // namespace

void order_checker::hold(bool holds, replica_id replica, std::string_view claim) {
  if (!holds && !violation_) violation_ = fmt::format("replica {}: {}", replica.value, claim);
}

void order_checker::note(std::string_view what, replica_id replica, std::uint64_t number, byte_span bytes) {
  history_ = hasher{what}.add(history_).add(std::uint64_t{replica.value}).add(number).add(bytes).finish();
}

void order_checker::on_record(replica_id replica, const storage_record& record) {
  switch (record.kind) {
    case record_kind::prepared:
    case record_kind::committed:
      return hold(decode_statements(*record.bytes).has_value(), replica, "what is persisted can be read back");
    case record_kind::view_change:
    case record_kind::new_view: {
      auto& view = views_[{replica, record.kind}];
      hold(record.view > view, replica, "I8: views only grow");
      view = record.view;
      return note("view", replica, record.view.value, *record.bytes);
    }
    case record_kind::stable_checkpoint:
    case record_kind::readmission:
      return;
    default:
      break;
  }
  const auto content = statement_in(record);
  if (!content) return hold(false, replica, "what is persisted can be read back");
  const vote_place place{record.kind, content->view, content->sequence, replica};
  const auto [found, added] = votes_.emplace(place, content->value);
  hold(found->second == content->value, replica, "two votes of one kind for one view and sequence");
  hold(record.view == content->view && record.sequence == content->sequence, replica, "a record is filed elsewhere");
  if (added) note("record", replica, content->sequence.value, content->value.view());
}

bool order_checker::is_proven(const committed_batch& batch) const {
  std::set<replica_id> signers;
  for (const auto& vote : batch.certificate->commits) {
    const auto& content = vote.content;
    const auto input = signing_input(cluster_.signing, message_kind::commit, statement_bytes(content));
    const bool matches = content.view == batch.view && content.sequence == batch.sequence &&
                         content.value == batch.value && content.epoch == cluster_.signing.epoch;
    if (!matches || !verifier_->verify(principal::of(content.replica), input, vote.by)) return false;
    signers.insert(content.replica);
  }
  return signers.size() >= cluster_.group().quorum() && signers.size() == batch.certificate->commits.size();
}

void order_checker::on_committed(replica_id replica, const committed_batch& batch) {
  const auto [found, added] = committed_.emplace(batch.sequence, batch.value);
  hold(found->second == batch.value, replica, "I1: another value was committed at this sequence");
  hold(digest_of_batch(*batch.body) == batch.value, replica, "the body is not the certified one");
  hold(is_proven(batch), replica, "I6: the commit certificate is no proof");
  auto& last = last_committed_of_[replica];
  hold(batch.sequence == last.next(), replica, "I2: commits have a gap or a repetition");
  last = batch.sequence;
  note("committed", replica, batch.sequence.value, batch.value.view());
}

void order_checker::on_executed(replica_id replica, const committed_batch& batch,
                                const std::vector<replicated_state::answered_request>& answers) {
  auto& last = last_executed_of_[replica];
  hold(batch.sequence == last.next(), replica, "I2: execution has a gap or a repetition");
  last = batch.sequence;
  hold(answers.size() == batch.body->requests.size(), replica, "every request of a batch has an answer");
  for (std::size_t index = 0; index < answers.size() && index < batch.body->requests.size(); ++index) {
    const auto& asked = batch.body->requests[index];
    const auto input = signing_input(cluster_.signing, message_kind::request, asked.signed_bytes());
    const bool is_genuine =
        cluster_.requests_by == request_authentication::signature
            ? verifier_->verify(principal::of(asked.id.client), input, asked.client_signature)
            : sent_.contains(digest_of_request(asked)) &&
                  asked.client_signature == request_checksum(cluster_.signing, asked.signed_bytes());
    hold(is_genuine, replica, "I3: an operation that its client did not sign or send was executed");
    const auto& request = answers[index].request;
    const auto& outcome = answers[index].answer.outcome;
    hold(request.id == asked.id, replica, "an answer belongs to another request");
    hold((outcome == nullptr) == request.too_early, replica, "only what came too early has no answer");
    if (outcome == nullptr || outcome->status != reply_status::executed) continue;
    if (request.first_time) {
      const auto [place, added] = executed_at_.emplace(request.id, batch.sequence);
      hold(place->second == batch.sequence, replica, "I4: a request was executed at two sequences");
    }
    const auto [known, fresh] = outcomes_.emplace(request.id, *outcome);
    hold(known->second == *outcome, replica, "two replicas answered a request differently");
    for (std::size_t part = 0; fresh && part < outcome->statuses.size(); ++part) {
      const auto payload = outcome->result(part);
      results_.emplace(payload.begin(), payload.end());
    }
  }
  note("executed", replica, batch.sequence.value, batch.value.view());
}

void order_checker::on_root(replica_id replica, sequence_number sequence, const digest& root) {
  const auto [found, added] = roots_.emplace(sequence, root);
  hold(found->second == root, replica, "I10: another state after the same sequence");
  note("root", replica, sequence.value, root.view());
}

void order_checker::on_installed(replica_id replica, sequence_number sequence) {
  hold(sequence > last_executed_of_[replica], replica, "a state was installed that is not ahead");
  last_executed_of_[replica] = sequence;
  auto& committed = last_committed_of_[replica];
  committed = std::max(committed, sequence);
  note("installed", replica, sequence.value, {});
}

void order_checker::on_marks(replica_id replica, const watermarks& marks, sequence_number last_executed) {
  auto& low = low_of_[replica];
  hold(marks.low() >= low, replica, "I9: the low watermark moved back");
  low = marks.low();
  hold(marks.low().value % cluster_.checkpoint_period == 0, replica, "I9: the low watermark is no checkpoint");
  hold(marks.low() <= last_executed && last_executed <= marks.high(), replica, "I9: execution is outside the marks");
}

void order_checker::on_disk_lost(replica_id replica) {
  last_committed_of_.erase(replica);
  last_executed_of_.erase(replica);
  low_of_.erase(replica);
  // After the loss of its disk, a replica may enter a view a second time, but must not send a second VIEW-CHANGE for a
  // view.
  views_.erase({replica, record_kind::new_view});
}

void order_checker::on_result(byte_span payload) {
  if (!results_.contains(byte_vector{payload.begin(), payload.end()}) && !violation_) {
    violation_ = "a client accepted a result that no correct replica gave";
  }
}

sequence_number order_checker::last_committed() const {
  return committed_.empty() ? sequence_number{0} : committed_.rbegin()->first;
}

}  // namespace hypermesh::testing
