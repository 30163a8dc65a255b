#include "runtime/dashboard/dashboard_hub.hpp"

namespace hypermesh::runtime {

dashboard_hub::dashboard_hub(replica_id self, const cluster_parameters& cluster)
    : cluster_(cluster), claims_(self, cluster.replicas), proofs_(cluster) {}

void dashboard_hub::note(const observation& what, moment now, wall_time wall_now) {
  const std::scoped_lock lock{guard_};
  claims_.note(what, now);
  proofs_.note(what, wall_now);
  const auto* complete = batches_.note(what);
  if (complete == nullptr) return;
  const auto first = complete->times.requested != moment{} ? complete->times.requested : complete->times.proposed;
  activity_.note_batch(complete->requests, first == moment{} ? duration{} : complete->replied - first);
}

void dashboard_hub::on_link(replica_id to, bool is_up) {
  const std::scoped_lock lock{guard_};
  claims_.on_link(to, is_up);
}

void dashboard_hub::on_event(const taped_event& what) {
  const std::scoped_lock lock{guard_};
  events_.push_back(what);
  if (events_.size() > events_max) events_.pop_front();
}

void dashboard_hub::close_second(const std::optional<std::vector<reputation>>& reputations, wall_time now) {
  const std::scoped_lock lock{guard_};
  activity_.close(now);
  if (reputations) standings_.note(*reputations, now);
}

dashboard_hub::present dashboard_hub::now() const {
  const std::scoped_lock lock{guard_};
  present out{claims_.all(), batches_.batches(), {}, proofs_.proofs().size(), 0};
  if (!activity_.samples().empty()) out.last_second = activity_.samples().back();
  for (const auto& each : proofs_.proofs())
    out.proofs_turn += each.ordered_at.value;
  return out;
}

dashboard_hub::past dashboard_hub::before() const {
  const std::scoped_lock lock{guard_};
  return {activity_.samples(), standings_.points(), events_};
}

std::vector<shown_batch> dashboard_hub::batches() const {
  const std::scoped_lock lock{guard_};
  return batches_.batches();
}

std::deque<shown_proof> dashboard_hub::proofs() const {
  const std::scoped_lock lock{guard_};
  return proofs_.proofs();
}

}  // namespace hypermesh::runtime
