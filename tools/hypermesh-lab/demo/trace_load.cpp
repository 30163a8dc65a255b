#include "tools/hypermesh-lab/demo/trace_load.hpp"

#include "runtime/state_machines/scheduler_results.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"

namespace hypermesh::lab {

namespace scheduler = machines::scheduler;

trace_load::trace_load(hosted_client& client, cli::workload history)
    : client_(&client), operations_(std::move(history)), last_answer_(clock::now()) {}

void trace_load::begin(std::size_t in_flight) {
  for (std::size_t index = 0; index < in_flight; ++index)
    submit();
}

trace_load::clock::time_point trace_load::last_answer() const {
  const std::scoped_lock lock{guard_};
  return last_answer_;
}

void trace_load::submit() {
  ++under_way_;
  const std::scoped_lock lock{submitting_};
  const auto& operation = operations_.next();
  client_->submit(operation, [load = shared_from_this(), expected = reference_.apply({}, operation)](
                                 const submit_outcome& outcome) { load->note(expected, outcome); });
}

void trace_load::note(const operation_result& expected, const submit_outcome& outcome) {
  {
    const std::scoped_lock lock{guard_};
    const auto* result = std::get_if<operation_result>(&outcome);
    if (result == nullptr) {
      ++findings_.failed;
      ending_ = true;
    } else {
      ++findings_.acknowledged;
      if (!(*result == expected)) ++findings_.wrong_results;
      last_answer_ = clock::now();
    }
  }
  ++answered_;
  if (!ending_) submit();
  --under_way_;
}

cli::or_run_failure<cli::load_findings> trace_load::judge(hosted_client& client) const {
  auto answer = client.query(scheduler::encode(scheduler::query_summary{}), read_mode::committed);
  const auto outcome = answer.get();
  if (const auto* error = std::get_if<client_error>(&outcome))
    return tl::unexpected(cli::run_failure{cli::exit_code_of(*error), cli::explain(*error)});
  const auto& result = std::get<operation_result>(outcome);
  auto totals = scheduler::decode_summary_view(result.payload);
  // A single scheduler has no ordered time.
  if (totals) totals->time = 0;
  const std::scoped_lock lock{guard_};
  auto findings = findings_;
  if (findings.failed == 0 && totals != reference_.summary()) ++findings.wrong_results;
  findings.lost = findings.wrong_results;
  return findings;
}

}  // namespace hypermesh::lab
