#include "runtime/audit/contradiction_finder.hpp"

#include "messages/codec.hpp"

namespace hypermesh::audit {

namespace {

/// One contradiction already proves the fault, so more than a hundred add nothing.
constexpr std::size_t contradictions_max = 100;

}  // namespace

void contradiction_finder::look_at(std::uint64_t index, const audit_event& event) {
  if (const auto* it = std::get_if<proposal_noted>(&event)) note(index, message_kind::pre_prepare, it->header);
  if (const auto* it = std::get_if<vote_noted>(&event)) note(index, it->kind, it->vote);
  if (const auto* it = std::get_if<batch_was_prepared>(&event)) {
    note(index, message_kind::pre_prepare, it->certificate.pre_prepare);
    for (const auto& each : it->certificate.prepares)
      note(index, message_kind::prepare, each);
  }
  if (const auto* it = std::get_if<batch_was_committed>(&event)) note_certificate(index, it->certificate);
  const auto* proof = std::get_if<proof_noted>(&event);
  if (proof == nullptr || proof->kind != audit_kind::checkpoint_stable) return;
  const auto decoded = decode(proof->frame);
  const auto* stable = !decoded ? nullptr : std::get_if<checkpoint_proof>(&*decoded);
  if (stable != nullptr) forget_through(stable->certificate.sequence());
}

void contradiction_finder::note(std::uint64_t index, message_kind kind, const signed_statement& value) {
  const auto& content = value.content;
  const place where{content.sequence, kind, content.view, content.replica};
  const auto [found, is_first] = claims_.try_emplace(where, claim{content.value, index});
  if (!is_first) compare(found->second, index, content.value, {content.replica, kind, content.view, content.sequence});
}

void contradiction_finder::note_certificate(std::uint64_t index, const commit_certificate& certificate) {
  for (const auto& each : certificate.commits)
    note(index, message_kind::commit, each);
  const auto& content = certificate.commits.front().content;
  const auto [found, is_first] = committed_.try_emplace(content.sequence, claim{content.value, index});
  if (!is_first) {
    compare(found->second, index, content.value, {std::nullopt, message_kind::commit, content.view, content.sequence});
  }
}

void contradiction_finder::compare(const claim& before, std::uint64_t index, const digest& value,
                                   found_contradiction what) {
  if (before.value == value || found_.size() >= contradictions_max) return;
  what.first_index = before.index;
  what.second_index = index;
  found_.push_back(what);
}

void contradiction_finder::forget_through(sequence_number stable) {
  claims_.erase(claims_.begin(), claims_.lower_bound(place{stable.next(), message_kind{}, {}, {}}));
  committed_.erase(committed_.begin(), committed_.upper_bound(stable));
}

}  // namespace hypermesh::audit
