#include "runtime/events/event_table.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::runtime {

namespace {

using kind = operator_event_kind;
using group = event_group;
using enum event_level;

constexpr std::array rows = {
    event_row{kind::primary_suspected,
              "primary_suspected",
              group::views,
              warn,
              "view {view}: this replica suspects the primary, {primary}: {why}",
              "This replica wants to leave the view. It leaves it when f + 1 replicas do.",
              {"view", "primary", "reason"},
              true,
              event_kind::primary_suspected},
    event_row{kind::view_left,
              "view_left",
              group::views,
              info,
              "left view {view}, waiting for NEW-VIEW of view {next_view}: {why}",
              "The replica orders nothing until the next view is entered.",
              {"view", "next_view", "cause"},
              true},
    event_row{kind::view_entered,
              "view_entered",
              group::views,
              info,
              "entered view {view}, the primary is {primary}, after {elapsed_ms} ms; the last view ended because {why}",
              "The replica takes part in the view.",
              {"view", "primary", "cause", "elapsed_ms"},
              true,
              event_kind::view_entered},
    event_row{kind::move_agreed,
              "move_agreed",
              group::views,
              info,
              "the group agreed at sequence {sequence} on a {request} for {member}",
              "A hand-over moves the primary. A readmission lets a replica vote again that had lost its disk.",
              {"request", "member", "cause", "view", "sequence"},
              true,
              event_kind::move_agreed},

    event_row{kind::fault_proven,
              "fault_proven",
              group::members,
              warn,
              "evidence {evidence} against {member}: {misbehaviour}",
              "This node saw a signed contradiction, or a signed message that no correct member signs. The evidence "
              "is in the audit trail.",
              {"member", "misbehaviour", "evidence"},
              true,
              event_kind::fault_proven},
    event_row{kind::standing_changed,
              "standing_changed",
              group::members,
              warn,
              "sequence {sequence}: {member} {why}",
              "Ordered evidence, complaints of f + 1 replicas, or the end of a term changed the agreed standing of a "
              "member. Find out who controls a convicted member before its release.",
              {"member", "happened", "reason", "sequence", "until", "evidence"},
              true,
              event_kind::standing_changed},
    event_row{kind::trust_changed,
              "trust_changed",
              group::members,
              warn,
              "{member} is now {trust} by this node, local score {score}",
              "This node alone changed what it does about a replica: it examines fewer of its frames, or suspects it "
              "sooner when it leads. Looked for four times a second, so short changes are missed.",
              {"member", "trust", "score"}},
    event_row{kind::sender_limited,
              "sender_limited",
              group::members,
              warn,
              "frames of {member} are dropped: {reason}",
              "The sender exceeded a rate, or the node has no room. Info for clients, which only harm themselves.",
              {"member", "reason"}},

    event_row{kind::checkpoint_stable,
              "checkpoint_stable",
              group::state,
              debug,
              "the checkpoint after sequence {sequence} is stable",
              "Older records are not needed any more.",
              {"sequence", "root"},
              true,
              event_kind::checkpoint_stable},
    event_row{kind::checkpoint_lagging,
              "checkpoint_lagging",
              group::state,
              warn,
              "no checkpoint became stable for {elapsed_ms} ms: this replica executed through sequence {sequence}, its "
              "last stable checkpoint is {stable}, and the window between them is full",
              "Nothing is ordered here until a quorum certifies a checkpoint. Look for replicas that are down, slow or "
              "have another state.",
              {"sequence", "stable", "elapsed_ms"},
              true},
    event_row{kind::checkpoint_lag_ended,
              "checkpoint_lag_ended",
              group::state,
              info,
              "the checkpoint after sequence {stable} is stable, the window has room again",
              "The end of checkpoint_lagging.",
              {"stable"},
              true},
    event_row{kind::transfer_began,
              "transfer_began",
              group::state,
              info,
              "fetching a certified state from other replicas; this replica has executed through sequence {sequence}",
              "The replica lags, or its state is wrong. Looked for four times a second, so a shorter transfer shows "
              "only its end, state_installed.",
              {"sequence"}},
    event_row{kind::donor_replaced,
              "donor_replaced",
              group::state,
              info,
              "{member} no longer gives this replica its state: {reason}",
              "Warn if the donor sent a part that does not match the certified root.",
              {"member", "reason"},
              true},
    event_row{kind::state_installed,
              "state_installed",
              group::state,
              info,
              "the state after sequence {sequence} was fetched from other replicas",
              "The end of a transfer. The replica did not execute the operations before it itself.",
              {"sequence", "root"},
              true,
              event_kind::state_installed},
    event_row{kind::state_diverged,
              "state_diverged",
              group::state,
              error,
              "the state of this replica after sequence {sequence} differs from the certified one: the replica stops "
              "voting and fetches the certified state; keep its files for an investigation",
              "The machine is not deterministic, or memory or disk of this host are faulty.",
              {"sequence"},
              true,
              event_kind::state_diverged},
    event_row{kind::probation_changed,
              "probation_changed",
              group::state,
              warn,
              "{why}",
              "A replica that lost its disk must not contradict votes that it forgot. Info when it is over.",
              {"over", "sequence", "view"},
              true,
              event_kind::probation_changed},

    event_row{kind::link_up,
              "link_up",
              group::links,
              info,
              "the link to {member} ({address}) is up",
              "The other replica has proven its identity.",
              {"member", "address"},
              true},
    event_row{kind::link_down,
              "link_down",
              group::links,
              warn,
              "the link to {member} ({address}) is lost: {why}",
              "Info if the other replica said good-bye, as it does when it stops.",
              {"member", "address", "reason"},
              true},
    event_row{kind::link_failed,
              "link_failed",
              group::links,
              warn,
              "cannot open the link to {member} ({address}), retrying: {why}",
              "Once for each new reason until the link is open.",
              {"member", "address", "reason"}},
    event_row{kind::connection_refused,
              "connection_refused",
              group::links,
              warn,
              "refused a connection from {address}{claim}: {why} ({reason})",
              "Strangers choose how often they connect, so each reason has a rate limit.",
              {"address", "claim", "reason"}},
    event_row{kind::session_opened,
              "session_opened",
              group::links,
              debug,
              "{member} opened a session",
              "A client connected.",
              {"member"}},
    event_row{kind::session_ended,
              "session_ended",
              group::links,
              debug,
              "a session of {member} ended: {why}",
              "A client went away.",
              {"member", "reason"}},
    event_row{kind::address_misdirected,
              "address_misdirected",
              group::links,
              warn,
              "the address of replica {listed} reaches replica {answers}; correct the addresses in this node's genesis",
              "Once for each address.",
              {"listed", "answers"}},

    event_row{kind::node_started,
              "node_started",
              group::process,
              info,
              "cluster '{cluster}' ({cluster_id}), {replicas} replicas, machine '{machine}', listening on port {port}",
              "The node has restored its state and listens.",
              {"cluster", "cluster_id", "replicas", "machine", "port"}},
    event_row{kind::http_started,
              "http_started",
              group::process,
              info,
              "HTTP on {address}",
              "The HTTP server listens.",
              {"address"}},
    event_row{kind::limits_lowered,
              "limits_lowered",
              group::process,
              warn,
              "{detail}",
              "The system allows too few open files, so the node lowered its bounds.",
              {"detail"}},
    event_row{kind::core_dumps_allowed,
              "core_dumps_allowed",
              group::process,
              warn,
              "{error}; fix: {fix}",
              "A core dump of this process could contain its secret key.",
              {"error", "fix"}},
    event_row{kind::health_changed,
              "health_changed",
              group::process,
              warn,
              "health: live {live}, ready {ready}, tolerates {faults_tolerated} faults; degraded: {reasons}",
              "The judgement behind /livez and /readyz changed. Info if the node is live and ready.",
              {"live", "ready", "faults_tolerated", "safe_to_restart", "reasons", "attention"},
              true},
    event_row{kind::position_noted,
              "position_noted",
              group::process,
              debug,
              "view {view}, executed {sequence}, stable checkpoint {stable}, state root {root}",
              "Every 15 seconds.",
              {"view", "sequence", "stable", "root"}},
    event_row{kind::query_failed,
              "query_failed",
              group::process,
              error,
              "the state machine failed to answer a query: {error}",
              "A fault of the state machine. Only this query has no answer.",
              {"error"},
              true,
              event_kind::query_failed},
    event_row{kind::audit_interrupted,
              "audit_interrupted",
              group::process,
              error,
              "the audit trail is interrupted: {error}; fix: {fix}",
              "The node goes on without the trail. A later entry says how many entries are missing.",
              {"error", "fix"},
              true,
              event_kind::audit_interrupted},
    event_row{kind::disk_nearly_full,
              "disk_nearly_full",
              group::process,
              warn,
              "the disk of {directory} has only {free_mib} MiB left of {size_mib}",
              "A node stops when it cannot store its votes. Free space, or lower retain_mib of [storage] or [audit].",
              {"directory", "free_mib", "size_mib"}},
    event_row{kind::disk_has_room,
              "disk_has_room",
              group::process,
              info,
              "the disk of {directory} has {free_mib} MiB left of {size_mib}",
              "The end of disk_nearly_full.",
              {"directory", "free_mib", "size_mib"}},
    event_row{kind::node_silent,
              "node_silent",
              group::process,
              warn,
              "the monitor of this node does not answer",
              "An actor is busy or hangs.",
              {}},
    event_row{kind::node_failed,
              "node_failed",
              group::process,
              error,
              "this node failed: {error}; fix: {fix}",
              "The node takes no part any more, and the process ends.",
              {"error", "fix"},
              true,
              event_kind::failed},
    event_row{kind::draining,
              "draining",
              group::process,
              info,
              "this replica is being drained",
              "Its host asked for a planned stop.",
              {},
              false,
              event_kind::draining},
    event_row{kind::hand_over_began,
              "hand_over_began",
              group::process,
              info,
              "handing the view over before the stop; a second signal stops at once",
              "SIGTERM reached a primary.",
              {}},
    event_row{kind::hand_over_ended,
              "hand_over_ended",
              group::process,
              info,
              "the view was handed over",
              "Another replica is the primary.",
              {}},
    event_row{kind::hand_over_failed,
              "hand_over_failed",
              group::process,
              warn,
              "the view was not handed over: {error}",
              "The replica stops, and the others replace it after their time-out.",
              {"error"}},
    event_row{kind::node_stopping,
              "node_stopping",
              group::process,
              info,
              "{signal}: stopping",
              "The process ends because somebody asked for it.",
              {"signal"}},

    event_row{kind::events_left_out,
              "events_left_out",
              group::log,
              warn,
              "{count} more of {kind} left out in {seconds} s",
              "A kind of event came more often than its rate limit allows, and then no more.",
              {"kind", "count", "seconds"}},
};
static_assert(rows.size() == static_cast<std::size_t>(operator_event_kind_last) + 1, "a row for each kind");

constexpr std::array field_rows = {
    event_field_row{"address",
                    "Host and port of a link as the genesis lists them, the host of a refused connection, or "
                    "the URL of the HTTP server."},
    event_field_row{"answers", "The number of the replica that answered."},
    event_field_row{"attention", "What an operator should look at, although the node works."},
    event_field_row{"cause",
                    "Why a view ended: a suspicion_reason of this replica (mute, starving, slow, proven, "
                    "behind); others, if f + 1 others suspect the primary; a hand_over_cause (readmission, "
                    "operators, step_down); restart, if the node stopped while it waited for the view."},
    event_field_row{"claim", "What a refused connection says about itself. Nothing of it is proven."},
    event_field_row{"cluster", "The name of the cluster."},
    event_field_row{"cluster_id", "The first bytes of the cluster's identity."},
    event_field_row{"count", "How many events were left out."},
    event_field_row{"detail", "A sentence for the operator."},
    event_field_row{"directory", "data or audit."},
    event_field_row{"elapsed_ms", "Milliseconds since the view was left, or since the window is full."},
    event_field_row{"error", "What is wrong, and where."},
    event_field_row{"evidence",
                    "The name of the case, 16 hexadecimal digits: equal at all nodes for one misbehaviour. "
                    "Empty if this node did not see the evidence, for example because it fetched the "
                    "state."},
    event_field_row{"faults_tolerated", "How many more replicas may fail."},
    event_field_row{"fix", "What an operator types or does."},
    event_field_row{"free_mib", "MiB that the node may still write."},
    event_field_row{"happened", "convicted, complained, quarantined or released."},
    event_field_row{"kind", "The kind of the events that were left out."},
    event_field_row{"listed", "The number of the replica that the genesis lists for the address."},
    event_field_row{"live", "Whether the process works."},
    event_field_row{"machine", "The name of the state machine."},
    event_field_row{"member", "replica-N or client-N."},
    event_field_row{"misbehaviour", "The name of the misbehaviour_kind."},
    event_field_row{"next_view", "The view that the replica waits for."},
    event_field_row{"over", "Whether the replica is a full member again."},
    event_field_row{"port", "The port for replicas and clients."},
    event_field_row{"primary", "The primary of the view."},
    event_field_row{"ready", "Whether clients should use the replica."},
    event_field_row{"reason",
                    "A word of the enum of the event: suspicion_reason, misbehaviour_kind, complaint_reason, "
                    "donor_fault, rejection or link_error."},
    event_field_row{"reasons", "Why the node is degraded or not ready."},
    event_field_row{"replicas", "The number of replicas."},
    event_field_row{"request", "HAND-OVER or READMISSION."},
    event_field_row{"root", "The root of the state."},
    event_field_row{"safe_to_restart", "The replicas of which any one may be restarted now."},
    event_field_row{"score", "From 0 to 1,000."},
    event_field_row{"seconds", "The time in which the events were left out."},
    event_field_row{"sequence", "A sequence number."},
    event_field_row{"signal", "The name of the signal."},
    event_field_row{"size_mib", "The size of the disk."},
    event_field_row{"stable", "The sequence number of the last stable checkpoint."},
    event_field_row{"trust", "throttled, avoided as primary, or trusted."},
    event_field_row{"until", "The sequence number at which a quarantine or rate limit ends; 0 for all other changes."},
    event_field_row{"view", "A view."},
};

/// Cuts the text between two characters of UTF-8 and marks the cut.
std::string cut(std::string text, std::size_t bytes_max) {
  constexpr std::string_view ellipsis = "...";
  if (text.size() <= bytes_max) return text;
  auto end = bytes_max - ellipsis.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0U) == 0x80U)
    --end;
  text.resize(end);
  text += ellipsis;
  return text;
}

struct value_text {
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  /// Only the bytes that may be shown are escaped. A character that this divides is behind the cut.
  std::string operator()(const std::string& value) const {
    return base::visible_text(std::string_view{value}.substr(0, field_bytes_max + 4));
  }
  std::string operator()(const std::vector<std::string>& value) const {
    return base::visible_text(fmt::format("{}", fmt::join(value, ", ")));
  }
};

}  // namespace

std::string_view title_of(event_group which) {
  switch (which) {
    case group::views:
      return "Views";
    case group::members:
      return "Members";
    case group::state:
      return "Checkpoints and state";
    case group::links:
      return "Links";
    case group::process:
      return "The process and its machine";
    case group::log:
      return "The log itself";
  }
  return "";
}

std::span<const event_row> event_table() { return rows; }

std::span<const event_field_row> field_table() { return field_rows; }

const event_row& row_of(operator_event_kind which) {
  const auto& row = rows.at(static_cast<std::size_t>(which));
  require(row.kind == which, "the rows are in the order of the enumerators");
  return row;
}

std::string_view to_string(operator_event_kind which) { return row_of(which).name; }

std::string_view to_string(event_level level) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(event_level_last) + 1> names = {
      "debug", "info", "warn", "error"};
  return names.at(static_cast<std::size_t>(level));
}

operator_event event_of(operator_event_kind which, std::vector<event_field> fields, std::string why) {
  return {which, row_of(which).level, std::move(fields), std::move(why)};
}

std::string text_of(const event_value& value) { return cut(std::visit(value_text{}, value), field_bytes_max); }

const event_value* field_in(const operator_event& event, std::string_view name) {
  const auto found = std::ranges::find(event.fields, name, &event_field::name);
  return found == event.fields.end() ? nullptr : &found->value;
}

std::string sentence_of(const operator_event& event) {
  std::string out;
  for (auto rest = row_of(event.kind).sentence; !rest.empty();) {
    const auto begin = rest.find('{');
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) break;
    const auto end = rest.find('}', begin);
    require(end != std::string_view::npos, "each brace of a sentence is closed");
    const auto name = rest.substr(begin + 1, end - begin - 1);
    if (name == "why") {
      out += event.why;
    } else if (const auto* value = field_in(event, name)) {
      out += text_of(*value);
    }
    rest.remove_prefix(end + 1);
  }
  return cut(std::move(out), sentence_bytes_max);
}

}  // namespace hypermesh::runtime
