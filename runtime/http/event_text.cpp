#include "runtime/http/event_text.hpp"

#include <nlohmann/json.hpp>

namespace hypermesh::http {

namespace {

using json = nlohmann::ordered_json;

named_event made(std::string name, const json& data) {
  return {std::move(name), data.dump(-1, ' ', false, json::error_handler_t::replace)};
}

std::string_view word_of(standing_changed::what happened) {
  switch (happened) {
    case standing_changed::what::convicted:
      return "convicted";
    case standing_changed::what::complained:
      return "complained";
    case standing_changed::what::quarantined:
      return "quarantined";
    case standing_changed::what::released:
      return "released";
  }
  return "";
}

struct event_maker {
  std::optional<named_event> operator()(const checkpoint_became_stable& it) const {
    return made("checkpoint_stable", {{"sequence", it.sequence.value}, {"root", to_hex(it.root.view())}});
  }
  std::optional<named_event> operator()(const state_was_installed& it) const {
    return made("state_installed", {{"sequence", it.sequence.value}, {"root", to_hex(it.root.view())}});
  }
  std::optional<named_event> operator()(const divergence_found& it) const {
    return made("state_diverged", {{"sequence", it.sequence.value}});
  }
  std::optional<named_event> operator()(const view_was_entered& it) const {
    return made("view_entered", {{"view", it.view.value}});
  }
  std::optional<named_event> operator()(const primary_suspected& it) const {
    return made("primary_suspected", {{"view", it.view.value}, {"reason", to_string(it.reason)}});
  }
  std::optional<named_event> operator()(const donor_replaced& it) const {
    return made("donor_replaced", {{"replica", it.replica.value}, {"reason", to_string(it.reason)}});
  }
  std::optional<named_event> operator()(const probation_changed& it) const {
    return made("probation", {{"over", it.over}, {"above", it.floor.value}, {"view", it.first_view.value}});
  }
  std::optional<named_event> operator()(const move_agreed& it) const {
    return made("move_agreed", {{"kind", to_string(it.wanted.kind)}, {"sequence", it.sequence.value}});
  }
  std::optional<named_event> operator()(const fault_proven& it) const {
    return made("fault_proven", {{"accused", to_string(it.accused)}, {"misbehaviour", it.misbehaviour_kind}});
  }
  std::optional<named_event> operator()(const standing_changed& it) const {
    return made("standing_changed", {{"member", to_string(it.about)},
                                     {"happened", word_of(it.happened)},
                                     {"sequence", it.sequence.value},
                                     {"until", it.until.value}});
  }
  std::optional<named_event> operator()(const audit_interrupted& it) const {
    return made("audit_interrupted", {{"error", it.error.what}, {"fix", it.error.remedy}});
  }
  std::optional<named_event> operator()(const node_failed& it) const {
    return made("node_failed", {{"error", it.error.what}, {"fix", it.error.remedy}});
  }
  template <class Frequent>
  std::optional<named_event> operator()(const Frequent&) const {
    return std::nullopt;
  }
};

}  // namespace

std::optional<named_event> event_of(const observation& what) { return std::visit(event_maker{}, what); }

named_event event_of(const health_answer& now) {
  const auto& report = now.report;
  auto reasons = json::array();
  for (const auto& each : report.reasons)
    reasons.push_back({{"replica", each.replica.value}, {"condition", to_string(each.condition)}});
  auto safe = json::array();
  for (const auto& each : report.safe_to_restart)
    safe.push_back(each.value);
  return made("health_changed", {{"live", now.is_live},
                                 {"ready", now.is_ready},
                                 {"faults_tolerated", report.faults_tolerated},
                                 {"safe_to_restart", safe},
                                 {"reasons", reasons},
                                 {"attention", now.attention}});
}

std::optional<named_event> event_of(const links::link_event& what) {
  if (!what.remote || !what.remote->is_replica()) return std::nullopt;
  if (what.happened == links::link_event::what::up) return made("link_up", {{"replica", what.remote->number}});
  if (what.happened != links::link_event::what::down) return std::nullopt;
  return made("link_down", {{"replica", what.remote->number}, {"reason", to_string(what.reason)}});
}

}  // namespace hypermesh::http
