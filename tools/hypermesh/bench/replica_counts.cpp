#include "tools/hypermesh/bench/replica_counts.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "runtime/links/secure_channel.hpp"
#include "tools/hypermesh/client/cluster_reports.hpp"

namespace hypermesh::cli {

namespace {

constexpr double signature_bytes = 64;

/// A line of the text format of Prometheus.
struct sample {
  std::string_view name;
  std::string_view labels;
  double value = 0;
};

std::optional<sample> sample_of(std::string_view line) {
  if (line.empty() || line.front() == '#') return std::nullopt;
  const auto space = line.rfind(' ');
  if (space == std::string_view::npos) return std::nullopt;
  sample found;
  const auto number = line.substr(space + 1);
  const auto [end, wrong] = std::from_chars(number.data(), number.data() + number.size(), found.value);
  if (wrong != std::errc{} || end != number.data() + number.size() || !std::isfinite(found.value)) return std::nullopt;
  const auto head = line.substr(0, space);
  const auto brace = std::min(head.find('{'), head.size());
  found.name = head.substr(0, brace);
  found.labels = head.substr(brace);
  return found;
}

/// The value of a label: "in" of {direction="in",kind="reply"}.
std::string label_of(std::string_view labels, std::string_view name) {
  const auto begin = fmt::format("{}=\"", name);
  const auto at = labels.find(begin);
  if (at == std::string_view::npos) return {};
  labels.remove_prefix(at + begin.size());
  return std::string{labels.substr(0, labels.find('"'))};
}

std::uint64_t whole(double value) { return value > 0 && value < 1e18 ? static_cast<std::uint64_t>(value + 0.5) : 0; }

/// Puts the samples of one text into counts.
class metrics_reading {
 public:
  void note(const sample& it) {
    const bool is_in = label_of(it.labels, "direction") == "in";
    if (it.name == "hypermesh_requests_executed_total") {
      counts_.requests_executed = whole(it.value);
      ++needed_;
    } else if (it.name == "hypermesh_batches_committed_total") {
      counts_.batches_committed = whole(it.value);
      ++needed_;
    } else if (it.name == "hypermesh_views_entered_total") {
      counts_.views_entered = whole(it.value);
    } else if (it.name == "hypermesh_storage_write_seconds_count") {
      counts_.writes = whole(it.value);
    } else if (it.name == "hypermesh_storage_write_seconds_sum") {
      counts_.write_us = whole(it.value * 1e6);
    } else if (it.name == "hypermesh_process_cpu_seconds_total") {
      counts_.processor_us = whole(it.value * 1e6);
    } else if (it.name == "hypermesh_process_resident_memory_bytes") {
      counts_.resident_bytes = whole(it.value);
    } else if (it.name == "hypermesh_link_wire_bytes_total") {
      (is_in ? counts_.wire_bytes_in : counts_.wire_bytes_out) = whole(it.value);
    } else if (it.name == "hypermesh_link_frames_total") {
      kind_in(is_in, it).frames = whole(it.value);
    } else if (it.name == "hypermesh_link_frame_bytes_total") {
      kind_in(is_in, it).bytes = whole(it.value);
    }
  }

  [[nodiscard]] or_reason<replica_counts> result() const {
    if (needed_ < 2) return invalid("the answer of /metrics has no requests or batches");
    return counts_;
  }

 private:
  kind_traffic& kind_in(bool is_in, const sample& it) {
    return (is_in ? counts_.frames_in : counts_.frames_out)[label_of(it.labels, "kind")];
  }

  replica_counts counts_;
  int needed_ = 0;
};

std::uint64_t fallen(std::uint64_t after, std::uint64_t before) { return after > before ? after - before : 0; }

std::map<std::string, kind_traffic> difference(const std::map<std::string, kind_traffic>& after,
                                               const std::map<std::string, kind_traffic>& before) {
  std::map<std::string, kind_traffic> rest;
  for (const auto& [kind, traffic] : after) {
    const auto found = before.find(kind);
    const auto old = found == before.end() ? kind_traffic{} : found->second;
    rest[kind] = {fallen(traffic.frames, old.frames), fallen(traffic.bytes, old.bytes)};
  }
  return rest;
}

kind_traffic traffic_of(const std::map<std::string, kind_traffic>& all, const std::string& kind) {
  const auto found = all.find(kind);
  return found == all.end() ? kind_traffic{} : found->second;
}

/// The kinds that replicas send to clients.
constexpr std::array<const char*, 4> kinds_to_clients = {"reply", "query_reply", "node_report", "receipt_reply"};

/// The kinds with one signature, besides REQUEST and PRE-PREPARE.
constexpr std::array<const char*, 9> signed_kinds = {"prepare",   "commit",  "checkpoint",  "status",   "suspicion",
                                                     "complaint", "release", "readmission", "hand_over"};

}  // namespace

void replica_counts::add(const replica_counts& other) {
  requests_executed += other.requests_executed;
  batches_committed += other.batches_committed;
  views_entered += other.views_entered;
  writes += other.writes;
  write_us += other.write_us;
  wire_bytes_in += other.wire_bytes_in;
  wire_bytes_out += other.wire_bytes_out;
  processor_us += other.processor_us;
  resident_bytes += other.resident_bytes;
  for (const auto& [kind, traffic] : other.frames_in) {
    frames_in[kind].frames += traffic.frames;
    frames_in[kind].bytes += traffic.bytes;
  }
  for (const auto& [kind, traffic] : other.frames_out) {
    frames_out[kind].frames += traffic.frames;
    frames_out[kind].bytes += traffic.bytes;
  }
}

replica_counts difference(const replica_counts& after, const replica_counts& before) {
  replica_counts rest;
  rest.requests_executed = fallen(after.requests_executed, before.requests_executed);
  rest.batches_committed = fallen(after.batches_committed, before.batches_committed);
  rest.views_entered = fallen(after.views_entered, before.views_entered);
  rest.writes = fallen(after.writes, before.writes);
  rest.write_us = fallen(after.write_us, before.write_us);
  rest.wire_bytes_in = fallen(after.wire_bytes_in, before.wire_bytes_in);
  rest.wire_bytes_out = fallen(after.wire_bytes_out, before.wire_bytes_out);
  rest.processor_us = fallen(after.processor_us, before.processor_us);
  rest.resident_bytes = after.resident_bytes;
  rest.frames_in = difference(after.frames_in, before.frames_in);
  rest.frames_out = difference(after.frames_out, before.frames_out);
  return rest;
}

or_reason<replica_counts> read_metrics(std::string_view text) {
  metrics_reading reading;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (const auto found = sample_of(text.substr(0, end))) reading.note(*found);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return reading.result();
}

replica_counts counts_of(const node_report& report) {
  replica_counts counts;
  counts.requests_executed = counter_of(report, "requests_executed_total");
  counts.batches_committed = counter_of(report, "batches_committed_total");
  counts.views_entered = counter_of(report, "views_entered_total");
  counts.writes = counter_of(report, "storage_writes_total");
  counts.write_us = counter_of(report, "storage_write_us_total");
  counts.wire_bytes_in = counter_of(report, "link_wire_bytes_in");
  counts.wire_bytes_out = counter_of(report, "link_wire_bytes_out");
  counts.processor_us = counter_of(report, "process_cpu_us_total");
  counts.resident_bytes = counter_of(report, "process_resident_bytes");
  return counts;
}

wire_split split_of(const replica_counts& all, const operation_sizes& sizes) {
  const auto frames = [](const kind_traffic& traffic) { return static_cast<double>(traffic.frames); };
  double frame_bytes = 0;
  double sealed = 0;
  for (const auto& [kind, traffic] : all.frames_in)
    frame_bytes += static_cast<double>(traffic.bytes);
  for (const auto* kind : kinds_to_clients) {
    const auto traffic = traffic_of(all.frames_out, kind);
    frame_bytes += static_cast<double>(traffic.bytes);
    sealed += frames(traffic) * static_cast<double>(links::secure_channel::overhead_bytes);
  }
  wire_split split;
  // The wire bytes that go to clients are not counted apart, so they are those of the frames.
  double to_clients = sealed;
  for (const auto* kind : kinds_to_clients)
    to_clients += static_cast<double>(traffic_of(all.frames_out, kind).bytes);
  split.total = static_cast<double>(all.wire_bytes_in) + to_clients;
  const auto requests = frames(traffic_of(all.frames_in, "request"));
  const auto proposals = frames(traffic_of(all.frames_in, "pre_prepare"));
  const auto batches = static_cast<double>(std::max<std::uint64_t>(all.batches_committed, 1));
  const auto requests_of_batch = static_cast<double>(all.requests_executed) / batches;
  const auto copies = requests + proposals * requests_of_batch;
  split.payload = copies * sizes.operations_per_request * sizes.operation_bytes +
                  frames(traffic_of(all.frames_out, "reply")) * sizes.operations_per_request * sizes.result_bytes;
  double signatures = copies + proposals;
  for (const auto* kind : signed_kinds)
    signatures += frames(traffic_of(all.frames_in, kind));
  split.signatures = signatures * signature_bytes;
  split.framing = std::max(split.total - frame_bytes, 0.0);
  split.headers = std::max(frame_bytes - split.payload - split.signatures, 0.0);
  return split;
}

}  // namespace hypermesh::cli
