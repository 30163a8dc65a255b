#include "runtime/trace/chrome_trace.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

namespace {

/// A phase of a batch between two moments.
struct phase_slice {
  std::string_view name;
  moment begin;
  moment end;
};

std::array<phase_slice, 5> phases_of(const traced_batch& batch) {
  const auto& times = batch.times;
  return {{{"wait", times.requested, times.proposed},
           {"pre-prepare", times.proposed, times.prepared},
           {"prepare", times.prepared, times.committed},
           {"commit", times.committed, batch.executed},
           {"execute", batch.executed, batch.replied}}};
}

/// A phase is shown if both moments are known and in their order: a batch that was restored from the disk has the times
/// of two runs.
bool is_shown(const phase_slice& each) { return each.begin != moment{} && each.end >= each.begin; }

/// Writes the events of one node.
class node_writer {
 public:
  node_writer(const node_trace& node, std::int64_t origin_us, std::string& into)
      : pid_(node.replica.value), shift_(node.wall_minus_steady_us - origin_us), into_(into) {
    add(R"("ph":"M","name":"process_name","args":{{"name":"{}"}})", to_string(principal::of(node.replica)));
    add(R"("ph":"M","name":"process_sort_index","args":{{"sort_index":{}}})", pid_);
  }

  void write(const traced_batch& batch) {
    const auto phases = phases_of(batch);
    const auto first = std::ranges::find_if(phases, is_shown);
    if (first == phases.end()) return;
    auto begin = first->begin;
    auto end = first->end;
    for (const auto& each : phases) {
      if (!is_shown(each)) continue;
      begin = std::min(begin, each.begin);
      end = std::max(end, each.end);
    }
    const auto id = fmt::format("{}", batch.sequence.value);
    const auto args = fmt::format(R"({{"sequence":{},"view":{},"requests":{}}})", batch.sequence.value,
                                  batch.view.value, batch.requests_total);
    slice("batch", id, fmt::format("batch {}", batch.sequence.value), begin, end, args, phases);
    for (const auto& request : batch.requests) {
      const auto name = fmt::format("client-{} {}/{}", request.client.value, request.session.value, request.when.value);
      slice("request", name, name, begin, end, args, phases);
    }
  }

 private:
  /// A slice with its phases inside. Slices of one category and id are nested by their times.
  void slice(std::string_view category, std::string_view id, std::string_view name, moment begin, moment end,
             std::string_view args, const std::array<phase_slice, 5>& phases) {
    edge('b', category, id, name, begin, args);
    for (const auto& each : phases) {
      if (!is_shown(each)) continue;
      edge('b', category, id, each.name, each.begin, "{}");
      edge('e', category, id, each.name, each.end, "{}");
    }
    edge('e', category, id, name, end, "{}");
  }

  void edge(char phase, std::string_view category, std::string_view id, std::string_view name, moment when,
            std::string_view args) {
    add(R"("ph":"{}","cat":"{}","id2":{{"local":"{}"}},"name":"{}","ts":{},"args":{})", phase, category, id, name,
        when.time_since_epoch().count() + shift_, args);
  }

  template <class... Values>
  void add(fmt::format_string<Values...> format, Values&&... values) {
    if (into_.back() != '[') into_ += ",\n";
    into_ += fmt::format("{{\"pid\":{},\"tid\":0,", pid_) + fmt::format(format, std::forward<Values>(values)...) + "}";
  }

  std::uint32_t pid_;
  std::int64_t shift_;
  std::string& into_;
};

/// The wall clock time of the first known moment of all nodes, in microseconds.
std::int64_t origin_of(const std::vector<node_trace>& nodes) {
  auto first = std::numeric_limits<std::int64_t>::max();
  for (const auto& node : nodes) {
    for (const auto& batch : node.batches) {
      for (const auto& each : phases_of(batch)) {
        if (!is_shown(each)) continue;
        first = std::min(first, each.begin.time_since_epoch().count() + node.wall_minus_steady_us);
      }
    }
  }
  return first == std::numeric_limits<std::int64_t>::max() ? 0 : first;
}

}  // namespace

std::string chrome_trace_text(const std::vector<node_trace>& nodes) {
  const auto origin = origin_of(nodes);
  auto text = fmt::format("{{\"displayTimeUnit\":\"ms\",\"otherData\":{{\"origin_unix_us\":\"{}\"", origin);
  for (const auto& node : nodes) {
    text += fmt::format(",\"clock_offset_us_replica_{}\":\"{}\"", node.replica.value,
                        node.wall_minus_steady_us - nodes.front().wall_minus_steady_us);
  }
  text += "},\"traceEvents\":[";
  for (const auto& node : nodes) {
    node_writer writer{node, origin, text};
    for (const auto& batch : node.batches)
      writer.write(batch);
  }
  return text + "]}\n";
}

}  // namespace hypermesh::runtime
