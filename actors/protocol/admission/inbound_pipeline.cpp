#include "actors/protocol/admission/inbound_pipeline.hpp"

#include <utility>

#include "messages/codec.hpp"

namespace hypermesh {

namespace {

bool is_of_view_change(const message& value) {
  const auto kind = kind_of(value);
  return kind == message_kind::view_change || kind == message_kind::new_view;
}

}  // namespace

inbound_pipeline::inbound_pipeline(const cluster_parameters& cluster, const authenticator& keys,
                                   std::uint64_t frames_per_second)
    : validator_(cluster, keys),
      frames_(frames_per_second),
      budget_(cluster),
      detector_(cluster, validator_),
      filter_(cluster) {}

std::variant<message, rejection> inbound_pipeline::examine(principal sender, const frame_ptr& frame,
                                                           microseconds_t now) {
  if (!frames_.admit(sender, now)) return rejection::throttled;
  auto decoded = decode(frame);
  if (std::holds_alternative<rejection>(decoded)) return decoded;
  if (const auto bad = examine_message(sender, std::get<message>(decoded), now)) return *bad;
  return decoded;
}

std::optional<rejection> inbound_pipeline::examine_message(principal sender, const message& value, microseconds_t now) {
  if (!budget_.admits(sender, value, now)) return rejection::overloaded;
  const auto before = checks_made();
  const auto refused = pass_filters(sender, value, now);
  // The detector checks signatures too, and of messages that a filter refuses.
  budget_.spend(sender, value, checks_made() - before);
  return refused;
}

std::optional<rejection> inbound_pipeline::pass_filters(principal sender, const message& value, microseconds_t now) {
  if (std::holds_alternative<request>(value) && sender.is_client() &&
      pauses_.is_paused(client_id{sender.number}, now)) {
    return rejection::client_quota;
  }
  const bool is_view_change = is_of_view_change(value);
  const bool is_watched = sender.is_replica();
  if (is_watched && !is_view_change) add(detector_.on_message(replica_id{sender.number}, value));
  const auto refused = filter_.objection_to(sender, value);
  // A VIEW-CHANGE for a view that is over may still contradict another one.
  if (refused && !(is_view_change && refused == rejection::other_view)) return refused;
  if (!costly_.admit(sender, value, now)) return rejection::overloaded;
  if (is_watched && is_view_change) add(detector_.on_message(replica_id{sender.number}, value));
  if (refused) return refused;
  return verify(sender, value, now);
}

std::optional<rejection> inbound_pipeline::verify(principal sender, const message& value, microseconds_t now) {
  const auto* proof = std::get_if<checkpoint_proof>(&value);
  checks_made_ += proof != nullptr ? proof->certificate.votes.size() : 1;
  const bool is_watched = sender.is_replica();
  if (const auto bad = validator_.check(sender, value)) {
    // A signed message that no correct replica sends is evidence.
    if (is_watched) add(detector_.on_refused(value, *bad));
    if (*bad == rejection::unproven) costly_.on_unproven(sender, now);
    return bad;
  }
  if (is_watched) add(detector_.on_verified(value));
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
  frames_.throttle(now.throttled);
  detector_.on_avoided_as_primary(now.avoided_as_primary);
}

}  // namespace hypermesh
