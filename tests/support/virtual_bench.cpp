#include "tests/support/virtual_bench.hpp"

#include <algorithm>

#include <caf/actor_registry.hpp>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

virtual_bench::virtual_bench(replica_id self, const cluster_parameters& cluster) : make_(cluster), self_(self) {
  auto probes = std::make_shared<node_actors>();
  probes->ingress = probe<ingress_actor>("ingress");
  probes->client_ingress = probe<ingress_actor>("client-ingress");
  probes->batcher = probe<batcher_actor>("batcher");
  probes->coordinator = probe<coordinator_actor>("coordinator");
  probes->replica = probe<replica_actor>("replica");
  probes->executor = probe<executor_actor>("executor");
  probes->checkpointer = probe<checkpointer_actor>("checkpointer");
  probes->state_transfer = probe<state_transfer_actor>("state-transfer");
  probes->journal = probe<journal_actor>("journal");
  probes->monitor = probe<monitor_actor>("monitor");
  probes->fault_detector = probe<fault_detector_actor>("fault-detector");
  probes->reputation_tracker = probe<reputation_tracker_actor>("reputation-tracker");
  probes->peers.resize(cluster.replicas);
  for (std::uint32_t number = 0; number < cluster.replicas; ++number) {
    if (number != self.value) probes->peers[number] = probe<peer_actor>("peer-" + std::to_string(number));
  }
  probes_ = std::move(probes);
}

virtual_bench::~virtual_bench() {
  for (const auto& each : kept_)
    caf::anon_send_exit(each, caf::exit_reason::user_shutdown);
  scheduler_.run_all();
}

node_identity virtual_bench::identity() const {
  return {make_.cluster(), self_, make_.keys().of(principal::of(self_)), clock_};
}

void virtual_bench::write_down(const std::string& probe, const caf::type_erased_tuple& content) {
  notes_.push_back({probe, caf::message::copy(content)});
  if (on_probe_) on_probe_(probe);
}

void virtual_bench::advance(duration by) {
  const auto until = scheduler_.now() + by;
  for (auto next = scheduler_.next_timer(); next && *next <= until; next = scheduler_.next_timer()) {
    scheduler_.advance_to(*next);
    scheduler_.run_all();
  }
  scheduler_.advance_to(until);
  scheduler_.run_all();
}

std::vector<message> virtual_bench::take_frames(const std::string& probe) {
  std::vector<message> decoded;
  for (const auto& each : take<outgoing_frame>(probe)) {
    auto one = decode(each.frame);
    require(one.has_value(), "our own frames decode");
    decoded.push_back(std::move(*one));
  }
  return decoded;
}

std::vector<std::string> virtual_bench::order() const {
  std::vector<std::string> names;
  names.reserve(notes_.size());
  for (const auto& each : notes_)
    names.push_back(each.probe);
  return names;
}

}  // namespace hypermesh::testing
