#pragma once

#include <optional>
#include <string>

#include "actors/protocol/base/observations.hpp"
#include "runtime/http/node_facts.hpp"
#include "runtime/links/link_event.hpp"

/// The events of a node as its event clients see them. Pure.
namespace hypermesh::http {

/// An event with one line of JSON.
struct named_event {
  std::string name;
  std::string data;
};

/// Nothing for observations that happen with every batch or frame: metrics count these.
[[nodiscard]] std::optional<named_event> event_of(const observation& what);
/// Links between replicas that go up or down. Nothing for clients and strangers, who choose how often they connect.
[[nodiscard]] std::optional<named_event> event_of(const links::link_event& what);
/// The health after it changed.
[[nodiscard]] named_event event_of(const health_answer& now);

}  // namespace hypermesh::http
