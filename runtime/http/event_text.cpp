#include "runtime/http/event_text.hpp"

#include "runtime/events/event_table.hpp"
#include "runtime/events/log_text.hpp"
#include "runtime/events/sampled_events.hpp"

namespace hypermesh::http {

std::optional<named_event> streamed(const runtime::operator_event& event) {
  const auto& row = runtime::row_of(event.kind);
  if (!row.is_streamed) return std::nullopt;
  return named_event{std::string{row.name}, runtime::json_of_fields(event)};
}

runtime::operator_event event_of(const health_answer& now) {
  const auto& report = now.report;
  auto event = runtime::event_of(runtime::operator_event_kind::health_changed, runtime::health_fields(report));
  event.fields.push_back({"attention", now.attention});
  if (now.is_live && now.is_ready) event.level = runtime::event_level::info;
  return event;
}

}  // namespace hypermesh::http
