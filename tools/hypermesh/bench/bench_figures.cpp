#include "tools/hypermesh/bench/bench_figures.hpp"

#include <algorithm>

namespace hypermesh::cli {

namespace {

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

/// The share of the operations that are ordered. Reads are not, except linearizable ones on which the replicas did not
/// agree in time. Those of the warm-up are counted too, so the share may be slightly too large.
double ordered_share(const bench_run& run) {
  const auto unordered = run.result.reads - std::min(run.result.reads, run.result.reads_ordered);
  return 1 - ratio(static_cast<double>(unordered), static_cast<double>(run.result.latency.count()));
}

/// Divides each part by the number of operations.
wire_split for_one(wire_split split, double operations) {
  for (auto* part : {&split.total, &split.payload, &split.signatures, &split.headers, &split.framing})
    *part = ratio(*part, operations);
  return split;
}

void add_traffic(const replica_counts& all, double operations, floor_shape& into) {
  double frames = 0;
  double bytes = 0;
  for (const auto* direction : {&all.frames_in, &all.frames_out}) {
    for (const auto& [kind, traffic] : *direction) {
      frames += static_cast<double>(traffic.frames);
      bytes += static_cast<double>(traffic.bytes);
    }
  }
  into.frames_per_operation = ratio(frames, operations);
  into.kib_per_operation = ratio(bytes, operations) / 1'024;
}

/// The figures that need the counters of all replicas.
void add_counted(const bench_run& run, const target_facts& target, const crypto_costs& crypto, bench_figures& into) {
  const auto& all = *run.use.counts;
  const auto operations = static_cast<double>(into.operations);
  const auto requests = static_cast<double>(all.requests_executed);
  const auto batches = static_cast<double>(all.batches_committed);
  if (operations <= 0 || requests <= 0 || batches <= 0) return;
  const auto replicas = static_cast<double>(target.replicas);
  const auto of_request = ratio(operations * ordered_share(run) * replicas, requests);
  // The edges of the measured time are not the same at the replicas and at the clients, but no request has less than
  // one operation or more than a full bundle.
  into.operations_per_request =
      std::clamp(of_request, 1.0, static_cast<double>(std::max<std::size_t>(run.shape.bundle, 1)));
  into.requests_per_batch = requests / batches;
  into.writes_per_batch = static_cast<double>(all.writes) / batches;
  if (all.writes > 0) into.write_us = static_cast<double>(all.write_us) / static_cast<double>(all.writes);
  floor_shape shape{target.replicas, target.quorum, *into.requests_per_batch, into.operations_per_request,
                    run.result.operation_bytes};
  shape.ordered_share = ordered_share(run);
  shape.requests_are_signed = target.requests_are_signed;
  if (all.has_kinds()) {
    add_traffic(all, operations, shape);
    const operation_sizes sizes{run.result.operation_bytes, run.result.result_bytes, into.operations_per_request};
    into.wire = for_one(split_of(all, sizes), operations);
  } else {
    into.wire_bytes = ratio(static_cast<double>(all.wire_bytes_in + all.wire_bytes_out), operations);
  }
  into.floor = floor_of(crypto, shape);
  if (into.floor->replicas_us() > 0 && into.replicas_us > 0)
    into.times_floor = into.replicas_us / into.floor->replicas_us();
}

}  // namespace

bench_figures figures_of(const bench_run& run, const target_facts& target, const crypto_costs& crypto) {
  bench_figures figures;
  figures.operations = run.result.answered_in_time;
  // The counters cover `use.seconds`, which differ from the measured time by the time of taking the samples.
  const auto measured = static_cast<double>(run.shape.measured.count()) / 1e6;
  const auto operations = static_cast<double>(figures.operations) * ratio(run.use.seconds, measured);
  figures.replicas_us = ratio(run.use.replicas_total_s() * 1e6, operations);
  figures.loads_us = ratio(run.use.loads_s * 1e6, operations);
  for (const auto& [role, seconds] : run.use.roles_s)
    figures.roles_us[role] = ratio(seconds * 1e6, operations);
  if (run.use.counts) add_counted(run, target, crypto, figures);
  return figures;
}

}  // namespace hypermesh::cli
