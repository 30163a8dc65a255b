#include "runtime/dashboard/proof_list.hpp"

#include <algorithm>

#include "actors/protocol/reputation/system_request.hpp"

namespace hypermesh::runtime {

namespace {

shown_item item_of_statement(message_kind kind, const signed_statement& said) {
  const auto bytes = statement_bytes(said.content);
  return {kind, said.content.replica, byte_vector{bytes.begin(), bytes.end()}, bytes.size(), said.by};
}

shown_item item_of_document(const evidence_item& shown) {
  shown_item out;
  out.kind = shown.kind;
  if (const auto* change = document_in<view_change>(shown)) {
    out.signer = change->replica;
    out.by = change->by;
  } else if (const auto* opened = document_in<new_view>(shown)) {
    out.signer = opened->replica;
    out.by = opened->by;
  }
  const auto all = document_of(shown).view;
  // The signature stands behind the buffer and is not part of what it signs.
  out.content_bytes = all.size() - std::min(all.size(), signature::size);
  const auto signed_bytes = all.first(out.content_bytes);
  if (out.content_bytes <= proof_list::content_bytes_max) out.content.assign(signed_bytes.begin(), signed_bytes.end());
  return out;
}

}  // namespace

void proof_list::note(const observation& what, wall_time now) {
  if (const auto* found = std::get_if<fault_proven>(&what)) {
    if (found->proof != nullptr) add(*found->proof, {}, now);
  } else if (const auto* done = std::get_if<batch_was_executed>(&what)) {
    if (done->body == nullptr) return;
    for (const auto& each : done->body->system_requests)
      add(*each.shown, done->sequence, now);
  }
}

void proof_list::add(const evidence& shown, sequence_number ordered_at, wall_time now) {
  const auto claim = claim_in(shown, cluster_);
  const auto* about = claim ? std::get_if<misbehaviour>(&*claim) : nullptr;
  if (about == nullptr || !about->accused.is_replica()) return;
  const auto known = std::ranges::find(proofs_, *about, &shown_proof::about);
  if (known != proofs_.end()) {
    if (known->ordered_at == sequence_number{0}) known->ordered_at = ordered_at;
    return;
  }
  shown_proof proof{*about, now, ordered_at, {}};
  for (const auto& each : shown.items) {
    if (proof.items.size() == items_max) break;
    const auto* said = std::get_if<signed_statement>(&each.content);
    proof.items.push_back(said != nullptr ? item_of_statement(each.kind, *said) : item_of_document(each));
  }
  proofs_.push_back(std::move(proof));
  if (proofs_.size() > proofs_max) proofs_.pop_front();
}

}  // namespace hypermesh::runtime
