#include "runtime/dashboard/replica_claims.hpp"

namespace hypermesh::runtime {

void replica_claims::note(const observation& what, moment now) {
  const auto* it = std::get_if<status_was_heard>(&what);
  if (it == nullptr || it->replica == self_ || it->replica.value >= all_.size()) return;
  auto& of = all_[it->replica.value];
  of.heard = now;
  of.view = it->view;
  of.is_active = it->active;
  of.last_decided = it->last_decided;
  of.low_watermark = it->low_watermark;
  of.is_on_probation = it->on_probation;
}

void replica_claims::on_link(replica_id to, bool is_up) {
  if (to == self_ || to.value >= all_.size()) return;
  all_[to.value] = {};
  all_[to.value].is_linked = is_up;
}

}  // namespace hypermesh::runtime
