#include "runtime/node_news.hpp"

#include <fmt/format.h>

#include "actors/protocol/base/quorum.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

namespace {

std::string_view explain(suspicion_reason reason) {
  switch (reason) {
    case suspicion_reason::mute:
      return "requests are pending and none is executed";
    case suspicion_reason::starving:
      return "one client waits much longer than the others";
    case suspicion_reason::slow:
      return "all clients wait longer than the load explains";
    case suspicion_reason::proven:
      return "there is evidence against it";
    case suspicion_reason::behind:
      return "the times that it proposes are behind this node's clock; compare both clocks";
  }
  return "unknown";
}

/// Explains the reason why a link was refused, lost or not opened, and says what the operator should check.
std::string_view explain(link_error reason) {
  switch (reason) {
    case link_error::not_hypermesh:
      return "it uses another protocol than HyperMesh";
    case link_error::wrong_version:
      return "it uses another version of the protocol; run one version on all nodes";
    case link_error::wrong_cluster:
      return "it belongs to another cluster; compare the genesis files";
    case link_error::unknown_principal:
      return "it is not a member; compare the genesis files";
    case link_error::wrong_responder:
      return "it dialed another replica; compare the addresses in genesis.toml";
    case link_error::wrong_direction:
      return "it may not dial this replica; look for a second node with this replica's number";
    case link_error::bad_signature:
      return "its key is not the one in the genesis; compare its secret.key and the genesis files";
    case link_error::other_replica:
      return "another replica answers there; compare the addresses in genesis.toml";
    case link_error::connect_failed:
      return "nothing listens at this address; check that the replica runs and that the address is right";
    case link_error::handshake_timeout:
      return "it did not answer the handshake in time";
    case link_error::closed:
    case link_error::truncated:
      return "it closed the connection during the handshake; look for the reason in its log";
    case link_error::too_many_connections:
      return "too many connections are not authenticated yet; raise handshakes_max or "
             "handshakes_per_address_max of [links]";
    case link_error::too_many_client_links:
      return "too many client links are open; raise client_links_max or links_per_client_max of "
             "[links]";
    case link_error::dead_link:
      return "nothing was received before the timeout";
    case link_error::ended:
      return "the other side closed it";
    case link_error::stopped:
      return "this node is stopping";
    default:
      return to_string(reason);
  }
}

std::string deed_text(const standing_changed& it) {
  if (it.happened == standing_changed::what::complained) {
    const bool known = it.reason >= 1 && it.reason <= complaint_reason_last;
    return std::string{known ? to_string(static_cast<complaint_reason>(it.reason)) : "unknown"};
  }
  const bool known = it.reason >= 1 && it.reason <= misbehaviour_kind_last;
  return std::string{known ? to_string(static_cast<misbehaviour_kind>(it.reason)) : "unknown"};
}

std::string claimed(const link_event& event) {
  const auto& claim = event.claim;
  if (!claim.initiator) return {};
  auto text = fmt::format(" that claims to be {}", to_string(*claim.initiator));
  if (claim.responder) text += fmt::format(" and dialed {}", to_string(*claim.responder));
  return text;
}

}  // namespace

struct node_news::teller {
  node_news& of;
  time now;

  /// Returns "this replica", or the name of another member.
  [[nodiscard]] std::string name(principal who) const {
    return who == principal::of(of.self_) ? "this replica" : to_string(who);
  }

  std::optional<news> operator()(const primary_suspected& it) const {
    of.suspicion_ = it.reason;
    of.leaving_ = it.view;
    return news{news_level::warning, fmt::format("view {}: this replica suspects the primary, {}: {}", it.view.value,
                                                 to_string(principal::of(group_size{of.replicas_}.primary_of(it.view))),
                                                 explain(it.reason))};
  }
  std::optional<news> operator()(const replica_progress& it) const {
    if (it.active || of.leaving_ == it.view) return std::nullopt;
    of.leaving_ = it.view;
    return news{news_level::info,
                fmt::format("waiting for NEW-VIEW of view {}{}", it.view.value,
                            of.suspicion_ ? "" : ": other replicas suspect the primary, or the group hands over")};
  }
  std::optional<news> operator()(const view_was_entered& it) const {
    const auto primary = group_size{of.replicas_}.primary_of(it.view);
    const auto why =
        of.suspicion_ ? fmt::format("; the previous primary was suspected because {}", explain(*of.suspicion_)) : "";
    of.leaving_ = std::nullopt;
    of.suspicion_ = std::nullopt;
    return news{news_level::info,
                fmt::format("entered view {}, the primary is {}{}", it.view.value, name(principal::of(primary)), why)};
  }
  std::optional<news> operator()(const standing_changed& it) const {
    const auto who = name(it.about);
    switch (it.happened) {
      case standing_changed::what::convicted:
        return news{news_level::warning, fmt::format("{} is convicted of {}", who, deed_text(it))};
      case standing_changed::what::complained:
        return news{news_level::warning, fmt::format("f + 1 replicas complain about {}: {}", who, deed_text(it))};
      case standing_changed::what::quarantined:
        return news{news_level::warning, fmt::format("{} is in quarantine from sequence {} until {}", who,
                                                     it.sequence.value, it.until.value)};
      case standing_changed::what::released:
        return news{news_level::info,
                    fmt::format("{} is released from quarantine at sequence {}", who, it.sequence.value)};
    }
    return std::nullopt;
  }
  std::optional<news> operator()(const probation_changed& it) const {
    const auto& last = of.probation_;
    if (last && last->over == it.over && last->floor == it.floor && last->first_view == it.first_view) {
      return std::nullopt;
    }
    of.probation_ = it;
    if (it.over) return news{news_level::info, "probation ended: this replica is a full member again"};
    return news{news_level::warning,
                fmt::format("this replica is on probation because it lost its disk: it votes above sequence {} and "
                            "commits from view {} on",
                            it.floor.value, it.first_view.value)};
  }
  std::optional<news> operator()(const state_was_installed& it) const {
    return news{news_level::info,
                fmt::format("the state after sequence {} was fetched from other replicas", it.sequence.value)};
  }
  std::optional<news> operator()(const divergence_found& it) const {
    return news{
        news_level::error,
        fmt::format(
            "the state of this replica after sequence {} differs from the certified one: the replica stops voting "
            "and fetches the certified state; keep its files for an investigation",
            it.sequence.value)};
  }
  std::optional<news> operator()(const fault_proven& it) const {
    const bool known = it.misbehaviour_kind >= 1 && it.misbehaviour_kind <= misbehaviour_kind_last;
    return news{news_level::warning,
                fmt::format("evidence against {}: {}", name(it.accused),
                            known ? to_string(static_cast<misbehaviour_kind>(it.misbehaviour_kind)) : "unknown")};
  }
  std::optional<news> operator()(const audit_interrupted& it) const {
    return news{news_level::error,
                visible_text(fmt::format("the audit trail is interrupted: {}; {}", it.error.what, it.error.remedy))};
  }
  std::optional<news> operator()(const query_failed& it) const {
    const auto line = fmt::format("the state machine failed to answer a query: {}", it.why);
    return of.queries_.limited(now, {news_level::error, visible_text(line)});
  }
  template <class Other>
  std::optional<news> operator()(const Other&) const {
    return std::nullopt;
  }
};

std::optional<news> node_news::of(const observation& what, time now) { return std::visit(teller{*this, now}, what); }

std::optional<news> line_allowance::limited(time now, news made) {
  if (now - since >= interval) {
    const auto earned = (now - since) / interval;
    lines = static_cast<int>(std::min<std::int64_t>(lines + earned, lines_at_once));
    since = now;
  }
  if (lines == 0) {
    ++left_out;
    return std::nullopt;
  }
  --lines;
  if (left_out > 0) made.line += fmt::format(" ({} similar lines omitted)", std::exchange(left_out, 0));
  return made;
}

std::optional<news> link_news::of(const link_event& event, time now) {
  if (event.happened == link_event::what::refused) return of_refusal(event, now);
  if (!event.remote) return std::nullopt;
  if (event.remote->is_replica()) return of_replica(event, now);
  const bool is_up = event.happened == link_event::what::up;
  return news{news_level::debug,
              is_up ? fmt::format("{} opened a session", to_string(*event.remote))
                    : fmt::format("a session of {} ended: {}", to_string(*event.remote), explain(event.reason))};
}

std::optional<news> link_news::of_replica(const link_event& event, time now) {
  const auto number = event.remote->number;
  const auto who = fmt::format("{} ({})", to_string(*event.remote), visible_text(event.address));
  if (event.happened == link_event::what::up) {
    failures_.erase(number);
    return links_[number].limited(now, {news_level::info, fmt::format("the link to {} is up", who)});
  }
  if (event.happened == link_event::what::down) {
    if (event.reason == link_error::stopped) return std::nullopt;
    const bool is_orderly = event.reason == link_error::ended;
    const auto why = event.reason == link_error::closed ? "the connection was closed" : explain(event.reason);
    return links_[number].limited(now, {is_orderly ? news_level::info : news_level::warning,
                                        fmt::format("the link to {} is lost: {}", who, why)});
  }
  const auto told = failures_.find(number);
  if (told != failures_.end() && told->second == event.reason) return std::nullopt;
  failures_[number] = event.reason;
  return links_[number].limited(
      now, {news_level::warning, fmt::format("cannot open the link to {}, retrying: {}", who, explain(event.reason))});
}

std::optional<news> link_news::of_refusal(const link_event& event, time now) {
  auto& by = refusals_.at(static_cast<std::size_t>(event.reason));
  return by.limited(
      now, {news_level::warning, fmt::format("refused a connection from {}{}: {} ({})", visible_text(event.address),
                                             claimed(event), explain(event.reason), to_string(event.reason))});
}

}  // namespace hypermesh::runtime
