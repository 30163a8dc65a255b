#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "runtime/events/event_maker.hpp"

namespace hypermesh::runtime {

namespace {

using kind = operator_event_kind;
using found = std::optional<operator_event>;

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
      return "the connection failed";
    case link_error::handshake_timeout:
      return "it did not answer the handshake in time";
    case link_error::closed:
    case link_error::truncated:
      return "it closed the connection during the handshake; look for the reason in its log";
    case link_error::too_many_connections:
      return "too many connections are not authenticated yet; raise handshakes_max or "
             "handshakes_per_address_max of [links]";
    case link_error::too_many_client_links:
      return "too many client links are open; raise client_links_max or links_per_client_max of [links]";
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

/// Explains why a connection was not established. The system's own words follow, because each error has other causes.
std::string explain_connect(int system_error) {
  switch (system_error) {
    case 0:
      return std::string{explain(link_error::connect_failed)};
    case ECONNREFUSED:
      return "nothing listens at this address; check that the replica runs and that the address is right";
    case ETIMEDOUT:
      return "nothing answers at this address; check that the machine is on, its network cable, and the firewalls "
             "between";
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
      return fmt::format("the network does not reach this address ({}); check network cables and routes (ip route)",
                         std::strerror(system_error));
    case ENOENT:
      return "the host name has no address; check DNS or /etc/hosts on this machine";
    default:
      return fmt::format("the connection failed ({})", std::strerror(system_error));
  }
}

std::string explain(const link_event& what) {
  return what.reason == link_error::connect_failed ? explain_connect(what.system_error)
                                                   : std::string{explain(what.reason)};
}

std::string text_of_claim(const hello_claim& claim) {
  if (!claim.initiator) return {};
  auto text = fmt::format(" that claims to be {}", to_string(*claim.initiator));
  if (claim.responder) text += fmt::format(" and dialed {}", to_string(*claim.responder));
  return text;
}

event_field reason_field(link_error reason) { return {"reason", std::string{to_string(reason)}}; }

operator_event of_refusal(const link_event& what) {
  auto event = event_of(kind::connection_refused,
                        {{"address", what.address}, {"claim", text_of_claim(what.claim)}, reason_field(what.reason)},
                        std::string{explain(what.reason)});
  // Each reason has a rate limit of its own, so that a scan of the port does not hide a wrong key.
  event.subject = static_cast<std::uint32_t>(what.reason);
  return event;
}

operator_event of_session(const link_event& what) {
  const auto who = to_string(*what.remote);
  auto event = what.happened == link_event::what::up
                   ? event_of(kind::session_opened, {{"member", who}})
                   : event_of(kind::session_ended, {{"member", who}, reason_field(what.reason)},
                              std::string{explain(what.reason)});
  event.subject = subject_of(*what.remote);
  return event;
}

}  // namespace

found link_events::of(const link_event& what) {
  if (what.happened == link_event::what::refused) return of_refusal(what);
  if (!what.remote) return std::nullopt;
  if (what.remote->is_client()) return of_session(what);
  auto event = of_replica(what);
  if (event) event->subject = subject_of(*what.remote);
  return event;
}

found link_events::of_replica(const link_event& what) {
  const auto number = what.remote->number;
  std::vector<event_field> fields = {{"member", to_string(*what.remote)}, {"address", what.address}};
  if (what.happened == link_event::what::up) {
    failures_.erase(number);
    return event_of(kind::link_up, std::move(fields));
  }
  fields.push_back(reason_field(what.reason));
  if (what.happened == link_event::what::down) {
    if (what.reason == link_error::stopped) return std::nullopt;
    const auto why = what.reason == link_error::closed ? "the connection was closed" : explain(what.reason);
    auto event = event_of(kind::link_down, std::move(fields), std::string{why});
    if (what.reason == link_error::ended) event.level = event_level::info;
    return event;
  }
  const auto known = failures_.find(number);
  const auto failure = std::pair{what.reason, what.system_error};
  if (known != failures_.end() && known->second == failure) return std::nullopt;
  failures_[number] = failure;
  return event_of(kind::link_failed, std::move(fields), explain(what));
}

}  // namespace hypermesh::runtime
