#pragma once

#include <optional>
#include <string>

#include "runtime/events/event.hpp"
#include "runtime/http/node_facts.hpp"

/// The events of a node as its event clients see them: the names and fields of `runtime/events`. Pure.
namespace hypermesh::http {

/// An event with one line of JSON.
struct named_event {
  std::string name;
  std::string data;
};

/// Nothing for events that are only logged, because strangers or clients cause them.
[[nodiscard]] std::optional<named_event> streamed(const runtime::operator_event& event);
/// The health after it changed. It is a warning unless the node is live and ready.
[[nodiscard]] runtime::operator_event event_of(const health_answer& now);

}  // namespace hypermesh::http
