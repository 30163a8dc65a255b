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
  return runtime::health_event(now.report, now.is_live && now.is_ready, now.attention, false);
}

}  // namespace hypermesh::http
