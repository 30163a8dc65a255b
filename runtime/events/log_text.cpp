#include "runtime/events/log_text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

namespace {

using json = nlohmann::ordered_json;

std::int64_t seconds_of(duration over) { return std::chrono::duration_cast<std::chrono::seconds>(over).count(); }

struct value_json {
  json operator()(std::uint64_t value) const { return value; }
  json operator()(bool value) const { return value; }
  json operator()(const std::string& value) const { return text_of(value); }
  json operator()(const std::vector<std::string>& value) const {
    // A list with a bound: what does not fit into a field is left out.
    auto list = json::array();
    std::size_t bytes = 0;
    for (const auto& each : value) {
      const auto text = base::visible_text(each);
      bytes += text.size() + 3;
      if (bytes > field_bytes_max) break;
      list.push_back(text);
    }
    return list;
  }
};

void add_fields(const operator_event& event, json& into) {
  for (const auto& each : event.fields)
    into[std::string{each.name}] = std::visit(value_json{}, each.value);
}

std::string one_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string json_line(const log_heading& heading, const operator_event& event, const omission& before) {
  json line = {{"time", rfc3339(heading.time)},
               {"level", to_string(event.level)},
               {"node", heading.node},
               {"event", to_string(event.kind)},
               {"text", sentence_of(event)}};
  add_fields(event, line);
  if (before.count > 0) {
    line["left_out"] = before.count;
    line["left_out_s"] = seconds_of(before.over);
  }
  return one_line(line) + '\n';
}

std::string text_line(const log_heading& heading, const operator_event& event, const omission& before) {
  auto line = fmt::format("{} {} {} {}: {}", rfc3339(heading.time), to_string(event.level), heading.node,
                          to_string(event.kind), sentence_of(event));
  if (before.count > 0) {
    line += fmt::format(" ({} more of this kind left out in {} s)", before.count, seconds_of(before.over));
  }
  return line + '\n';
}

}  // namespace

std::string_view to_string(log_format format) { return format == log_format::json ? "json" : "text"; }

std::string rfc3339(wall_time time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)),
                     (time - seconds).count());
}

std::string log_line(log_format format, const log_heading& heading, const operator_event& event,
                     const omission& before) {
  auto line = format == log_format::json ? json_line(heading, event, before) : text_line(heading, event, before);
  require(line.size() <= log_line_bytes_max, "sentences and fields are cut");
  return line;
}

std::string json_of_fields(const operator_event& event) {
  auto fields = json::object();
  add_fields(event, fields);
  return one_line(fields);
}

}  // namespace hypermesh::runtime
