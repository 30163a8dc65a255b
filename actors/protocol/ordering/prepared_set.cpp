#include "actors/protocol/ordering/prepared_set.hpp"

#include "messages/require.hpp"

namespace hypermesh::protocol {

prepared_certificate certificate_of(const slot& prepared, group_size group) {
  require(prepared.is_prepared(group), "only a prepared slot has a certificate");
  prepared_certificate certificate{prepared.proposal->header,
                                   prepared.prepares.votes_for(prepared.proposal->header.content.value)};
  // The header is the vote of the primary, so it makes a quorum with one PREPARE less. More PREPAREs would only make
  // VIEW-CHANGEs larger, and the validator refuses them.
  certificate.prepares.resize(group.quorum() - 1);
  return certificate;
}

void prepared_set::collect(const slot_log& log) {
  for (const auto& [sequence, each] : log.slots()) {
    // A slot that is not prepared proves nothing. Its body is kept all the same (`body_store`), because another replica
    // may have prepared it.
    if (each.is_prepared(group_)) keep(certificate_of(each, group_));
  }
}

void prepared_set::restore(prepared_certificate certificate) {
  require(certificate.prepares.size() + 1 >= group_.quorum(), "a kept certificate has a quorum");
  keep(std::move(certificate));
}

void prepared_set::keep(prepared_certificate certificate) {
  const auto& content = certificate.pre_prepare.content;
  const auto [place, added] = by_sequence_.try_emplace(content.sequence, certificate);
  // The certificate of the highest view wins (attack 10). Example: A prepared in view 0 and B in view 2. P holds B.
  if (!added && place->second.pre_prepare.content.view < content.view) place->second = std::move(certificate);
}

void prepared_set::cut_through(sequence_number stable) {
  // P has no certificate at or below h (§4.4), because the proof of the stable checkpoint covers these sequence
  // numbers.
  by_sequence_.erase(by_sequence_.begin(), by_sequence_.upper_bound(stable));
}

std::vector<prepared_certificate> prepared_set::certificates() const {
  std::vector<prepared_certificate> all;
  all.reserve(by_sequence_.size());
  for (const auto& [sequence, certificate] : by_sequence_)
    all.push_back(certificate);
  return all;
}

void body_store::collect(const slot_log& log) {
  for (const auto& [sequence, each] : log.slots()) {
    if (each.proposal) keep(sequence, each.proposal->header.content.value, each.proposal->body);
  }
}

void body_store::keep(sequence_number sequence, const digest& value, std::shared_ptr<const batch> body) {
  require(body != nullptr, "a body to keep exists");
  // One digest has one body, so a second copy changes nothing.
  if (value != null_request_digest()) bodies_[sequence].try_emplace(value, std::move(body));
}

void body_store::cut_through(sequence_number stable) { bodies_.erase(bodies_.begin(), bodies_.upper_bound(stable)); }

std::shared_ptr<const batch> body_store::find(sequence_number sequence, const digest& value) const {
  // §4.4: the null request "goes through the protocol like other requests, but its execution is a no-op".
  static const auto null_request = std::make_shared<const batch>();
  if (value == null_request_digest()) return null_request;
  // The body is found by its digest and not by its view, because O may contain a batch of any earlier view.
  const auto held = bodies_.find(sequence);
  if (held == bodies_.end()) return nullptr;
  const auto found = held->second.find(value);
  return found == held->second.end() ? nullptr : found->second;
}

}  // namespace hypermesh::protocol
