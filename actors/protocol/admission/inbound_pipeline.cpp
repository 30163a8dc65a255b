#include "actors/protocol/admission/inbound_pipeline.hpp"

#include <utility>

#include "messages/codec.hpp"

namespace hypermesh::protocol {

namespace {

bool is_of_view_change(const message& value) {
  const auto kind = kind_of(value);
  return kind == message_kind::view_change || kind == message_kind::new_view;
}

/// The signature checks that a message may cost, or as much time.
std::uint64_t checks_of(const message& value) {
  if (const auto* proof = std::get_if<checkpoint_proof>(&value)) return proof->certificate.votes.size();
  if (const auto* vouched = std::get_if<vouch>(&value))
    return 1 + vouched->requests.size() / verification_budget::vouched_for_a_check;
  return 1;
}

/// The VIEW-CHANGE or NEW-VIEW as a piece of evidence, which shares the message and does not copy it.
evidence_item as_evidence(const std::shared_ptr<const message>& value) {
  if (const auto* change = std::get_if<view_change>(value.get())) {
    return item_of(std::shared_ptr<const view_change>{value, change});
  }
  return item_of(std::shared_ptr<const new_view>{value, &std::get<new_view>(*value)});
}

}  // namespace

inbound_pipeline::inbound_pipeline(const cluster_parameters& cluster, const authenticator& keys,
                                   std::uint64_t frames_per_second)
    : memory_(cluster, keys),
      validator_(cluster, memory_),
      frames_(frames_per_second),
      budget_(cluster),
      detector_(cluster, validator_),
      filter_(cluster) {}

or_rejection<inbound_pipeline::passed> inbound_pipeline::examine(principal sender, const frame_ptr& frame, moment now) {
  // This check precedes the decoder, because an invalid frame costs time as well (attacks 33 and 37).
  if (!frames_.admit(sender, now)) return rejected(rejection::throttled);
  auto decoded = decode(frame);
  if (!decoded) return failure_of(decoded);
  passed examined{std::make_shared<const message>(std::move(*decoded)), nullptr};
  // This check precedes the detector and the validator, because both check signatures.
  if (!budget_.admits(sender, *examined.value, now)) return rejected(rejection::overloaded);
  const auto before = checks_made();
  const auto refused = pass_filters(sender, examined, now);
  // The budget also pays for the detector, which may check signatures of messages that the filter refuses.
  budget_.spend(sender, *examined.value, checks_made() - before);
  if (refused) return rejected(*refused);
  return examined;
}

std::optional<rejection> inbound_pipeline::pass_filters(principal sender, passed& examined, moment now) {
  const auto& value = *examined.value;
  // The pause applies only to the client's own link. A replica that forwards a request of a paused client is not
  // affected.
  if (std::holds_alternative<request>(value) && sender.is_client() &&
      pauses_.is_paused(client_id{sender.number}, now)) {
    return rejection::client_quota;
  }
  const bool is_view_change = is_of_view_change(value);
  const bool is_watched = sender.is_replica();
  // The detector sees the message before the filter drops it, because a second, conflicting vote often arrives late
  // (attack 8).
  if (is_watched && !is_view_change) add(detector_.on_message(replica_id{sender.number}, value));
  const auto refused = filter_.objection_to(sender, value);
  // A VIEW-CHANGE for an old view may still conflict with another one.
  if (refused && !(is_view_change && refused == rejection::other_view)) return refused;
  // This check follows the filter, so that a VIEW-CHANGE that is sent again after a STATUS does not count against the
  // limit.
  if (!costly_.admit(sender, value, now)) return rejection::overloaded;
  if (is_watched && is_view_change) return verify_document(sender, examined, refused);
  if (refused) return refused;
  return verify(sender, value, now);
}

/// Verifies the signature of a VIEW-CHANGE or NEW-VIEW once, for the detector and for the validator. `refused` is the
/// objection of the filter to a message that only the detector may need. Returns the reason to refuse the message;
/// nothing if it passes.
std::optional<rejection> inbound_pipeline::verify_document(principal sender, passed& examined,
                                                           std::optional<rejection> refused) {
  auto document = as_evidence(examined.value);
  if (refused && !detector_.compares(document)) return refused;
  ++checks_made_;
  const auto own = validator_.authenticate(std::move(document));
  // A document with a forged signature says nothing about the named signer (attack 39).
  if (own) add(detector_.on_document(*own));
  if (refused) return refused;
  if (const auto bad = check_document(sender, examined, own)) {
    // The signature is genuine, so a fault in the content is the fault of the signer (attack 39).
    if (own) add(detector_.on_refused(*own, *bad));
    return bad;
  }
  add(examined.opened != nullptr ? detector_.on_opened(*examined.opened) : detector_.on_verified(*examined.value));
  filter_.note_passed(*examined.value);
  return std::nullopt;
}

std::optional<rejection> inbound_pipeline::check_document(principal sender, passed& examined,
                                                          const std::optional<authentic_item>& own) const {
  if (const auto* change = std::get_if<view_change>(examined.value.get())) {
    return validator_.check_view_change(sender, *change, own);
  }
  auto verified = validator_.verify_new_view(
      sender, std::shared_ptr<const new_view>{examined.value, &std::get<new_view>(*examined.value)}, own);
  if (!verified) return verified.error();
  // The plan is passed on with the NEW-VIEW, so that no core computes it again.
  examined.opened = std::make_shared<const planned_new_view>(std::move(*verified));
  return std::nullopt;
}

std::optional<rejection> inbound_pipeline::verify(principal sender, const message& value, moment now) {
  // The checks are counted first, so that a refused proof costs its sender as much as a valid one (attack 33).
  checks_made_ += checks_of(value);
  const bool is_watched = sender.is_replica();
  if (const auto bad = validator_.check(sender, value)) {
    // A signed message that no correct replica sends is evidence.
    if (is_watched) add(detector_.on_refused(value, *bad));
    if (*bad == rejection::unproven) costly_.on_unproven(sender, now);
    return bad;
  }
  if (is_watched) add(detector_.on_verified(value));
  // Only a verified message is remembered as a duplicate. Otherwise a forged copy would block the genuine message
  // (attack 7).
  filter_.note_passed(value);
  return std::nullopt;
}

void inbound_pipeline::add(equivocation_detector::findings findings) {
  for (auto& each : findings.proofs)
    found_.proofs.push_back(std::move(each));
  for (auto& each : findings.shows)
    found_.shows.push_back(std::move(each));
}

void inbound_pipeline::on_position(const replica_position& at) {
  filter_.on_position(at);
  costly_.on_view(at.view);
  budget_.on_decided(at.decided);
  detector_.on_position(at);
}

void inbound_pipeline::on_trust(const trust& now) {
  // A throttled replica keeps a tenth of its frames, so its votes still count (attack 39).
  frames_.throttle(now.throttled);
  detector_.on_avoided_as_primary(now.avoided_as_primary);
}

}  // namespace hypermesh::protocol
