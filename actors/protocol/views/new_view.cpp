#include "actors/protocol/views/new_view.hpp"

#include <map>

#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

/// Whether the certificate for `candidate` wins over the one for `present`.
bool overrules(const statement& candidate, const statement& present) {
  // §4.4: of the certificates for n, the one "with the highest view number in V" wins; an older one may name a request
  // that a later view replaced, and proposing it again would commit two at n (attack 10).
  if (candidate.view != present.view) return candidate.view > present.view;
  // Two valid certificates of one view differ only if more than f replicas are faulty. Then the choice is arbitrary,
  // but it must not depend on the order of V.
  return candidate.value < present.value;
}

}  // namespace

new_view_plan plan_of(const std::vector<view_change>& view_changes) {
  require(!view_changes.empty(), "a new view rests on VIEW-CHANGEs");
  new_view_plan plan;
  for (const auto& each : view_changes) {
    // §4.4: min-s is "the sequence number of the latest stable checkpoint in V". One VIEW-CHANGE that has it is enough,
    // because its proof is a quorum (attack 14).
    if (each.stable_sequence <= plan.min_s) continue;
    plan.min_s = each.stable_sequence;
    plan.proof = each.stable_proof;
  }
  std::map<sequence_number, statement> winners;
  for (const auto& each : view_changes) {
    for (const auto& certificate : each.prepared) {
      const auto& header = certificate.pre_prepare.content;
      // The checkpoint at min-s covers this batch.
      if (header.sequence <= plan.min_s) continue;
      const auto [place, added] = winners.emplace(header.sequence, header);
      if (!added && overrules(header, place->second)) place->second = header;
    }
  }
  // max-s is the largest sequence number with a certificate. No batch above it is committed anywhere, because a
  // committed batch was prepared by a quorum, and a correct replica of that quorum is in V.
  if (winners.empty()) return plan;
  // §4.4: "a new pre-prepare message for view v + 1 for each sequence number n between min-s and max-s"; where V has no
  // certificate "the primary creates a new pre-prepare message ⟨PRE-PREPARE, v+1, n, d^null⟩".
  for (auto sequence = plan.min_s.next(); sequence <= winners.rbegin()->first; sequence = sequence.next()) {
    const auto found = winners.find(sequence);
    plan.digests.push_back(found == winners.end() ? null_request_digest() : found->second.value);
  }
  return plan;
}

std::vector<statement> reproposals_of(const new_view_plan& plan, view_number view, replica_id primary,
                                      epoch_number epoch) {
  std::vector<statement> all;
  all.reserve(plan.digests.size());
  for (std::size_t index = 0; index < plan.digests.size(); ++index) {
    all.push_back({view, plan.min_s.plus(index + 1), plan.digests[index], primary, epoch});
  }
  return all;
}

}  // namespace hypermesh::protocol
