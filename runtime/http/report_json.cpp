#include "runtime/http/report_json.hpp"

namespace hypermesh::http {

nlohmann::ordered_json json_of_report(const node_report& report) {
  auto counters = nlohmann::ordered_json::object();
  for (const auto& each : report.counters)
    counters[each.name] = each.value;
  return {{"view", report.view.value},
          {"low_watermark", report.low_watermark.value},
          {"high_watermark", report.high_watermark.value},
          {"last_executed", report.last_executed.value},
          {"stable_checkpoint", report.stable_checkpoint.value},
          {"counters", std::move(counters)}};
}

}  // namespace hypermesh::http
