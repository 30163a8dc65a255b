#include "runtime/scheduling/scheduler_client.hpp"

#include <optional>
#include <variant>

#include <fmt/format.h>

#include "messages/limits.hpp"

namespace hypermesh::scheduling {

namespace {

namespace machine = machines::scheduler;

/// A text or a list that is too long has no encoding, so it never leaves the process.
std::string_view unencodable(std::string_view name) {
  return name.size() > machine::name_bytes_max ? "a name has 1 to 64 visible characters" : std::string_view{};
}

tl::unexpected<failure> refusal(std::string_view reason) {
  return tl::unexpected(failure{failure_kind::refused, std::string{reason}});
}

bool is_behind(const submit_outcome& outcome) {
  const auto* result = std::get_if<operation_result>(&outcome);
  return result != nullptr && result->status == operation_status::refused &&
         as_text(result->payload) == machine::behind_reason;
}

/// Whether an ordered read may succeed although this outcome of an unordered read is of no use. An overloaded or
/// stopped client cannot order either.
bool calls_for_order(const submit_outcome& outcome) {
  const auto* error = std::get_if<client_error>(&outcome);
  return is_behind(outcome) || (error != nullptr && *error == client_error::timed_out);
}

/// The failure that an outcome stands for; nothing if the operation was applied.
std::optional<failure> failure_in(const submit_outcome& outcome) {
  if (const auto* error = std::get_if<client_error>(&outcome)) {
    return failure{failure_kind::unreachable, std::string{to_string(*error)}};
  }
  const auto& result = std::get<operation_result>(outcome);
  const std::string reason{as_text(result.payload)};
  switch (result.status) {
    case operation_status::applied:
      return std::nullopt;
    case operation_status::refused:
      return failure{is_behind(outcome) ? failure_kind::behind : failure_kind::refused, reason};
    case operation_status::malformed:
      return failure{failure_kind::foreign, reason};
    case operation_status::result_too_large:
      return failure{failure_kind::unreachable, "the operation was executed, but its result is no longer available"};
  }
  return failure{failure_kind::foreign, "the result has an unknown status"};
}

template <class Decode>
using decoded_by = typename std::invoke_result_t<Decode, byte_span>::value_type;

template <class Decode>
or_failure<decoded_by<Decode>> interpret(const submit_outcome& outcome, const Decode& decode) {
  if (auto failed = failure_in(outcome)) return tl::unexpected(std::move(*failed));
  auto value = decode(byte_span{std::get<operation_result>(outcome).payload});
  if (value) return std::move(*value);
  return tl::unexpected(failure{failure_kind::foreign, "the result is not one of the scheduler"});
}

}  // namespace

template <class Decode>
auto scheduler_client::write(const machine::operation& operation, const Decode& decode) {
  auto result = interpret(port_->submit(machine::encode(operation)), decode);
  if (result) note_seen(result->event);
  return result;
}

template <class Decode>
auto scheduler_client::read(const machine::operation& operation, const Decode& decode) {
  const auto encoded = machine::encode(operation);
  auto outcome = port_->query(encoded);
  bool is_ordered = calls_for_order(outcome);
  if (is_ordered) outcome = port_->submit(encoded);
  auto result = interpret(outcome, decode);
  if (result && result->event < seen_ && !is_ordered) result = interpret(port_->submit(encoded), decode);
  if (result && result->event < seen_) {
    result = tl::unexpected(failure{failure_kind::behind, "the answer is older than one that this client has seen"});
  }
  if (result) note_seen(result->event);
  return result;
}

template <class Question>
or_failure<fit_view> scheduler_client::explain_pages(Question question) {
  fit_view sum;
  do {
    question.after = sum.next;
    question.seen = seen_;
    auto page = read(question, machine::decode_fit);
    if (!page) return page;
    const bool goes_on = page->next.empty() || page->next > sum.next;
    if (!goes_on) return tl::unexpected(failure{failure_kind::foreign, "the pages of nodes are not in order"});
    sum.event = page->event;
    sum.nodes += page->nodes;
    sum.fitting += page->fitting;
    sum.fitting_when_empty += page->fitting_when_empty;
    for (std::size_t kind = 0; kind < machine::fit_blockers; ++kind) {
      sum.first_blocker[kind] += page->first_blocker[kind];
      sum.only_blocker[kind] += page->only_blocker[kind];
    }
    sum.next = page->next;
  } while (!sum.next.empty());
  return sum;
}

or_failure<change_result> scheduler_client::register_node(const node_spec& node) {
  if (const auto flaw = machine::flaw_of(node); !flaw.empty()) return refusal(flaw);
  return write(machine::register_node{node}, machine::decode_change);
}

or_failure<change_result> scheduler_client::drain_node(std::string_view name) {
  if (const auto flaw = unencodable(name); !flaw.empty()) return refusal(flaw);
  return write(machine::drain_node{std::string{name}}, machine::decode_change);
}

or_failure<change_result> scheduler_client::undrain_node(std::string_view name) {
  if (const auto flaw = unencodable(name); !flaw.empty()) return refusal(flaw);
  return write(machine::undrain_node{std::string{name}}, machine::decode_change);
}

or_failure<removal_result> scheduler_client::remove_node(std::string_view name, removal_mode mode) {
  if (const auto flaw = unencodable(name); !flaw.empty()) return refusal(flaw);
  return write(machine::remove_node{std::string{name}, mode == removal_mode::evict}, machine::decode_removal);
}

or_failure<change_result> scheduler_client::submit(const submit_task& submission) {
  if (const auto flaw = machine::flaw_of(submission.task); !flaw.empty()) return refusal(flaw);
  if (const auto flaw = machine::flaw_of_key(submission.key); !flaw.empty()) return refusal(flaw);
  if (submission.lease.count() < 0 || submission.lease > machine::lease_max) {
    return refusal("a lease is 0 to 366 days long");
  }
  return write(submission, machine::decode_change);
}

or_failure<change_result> scheduler_client::place(std::string_view task) {
  if (const auto flaw = unencodable(task); !flaw.empty()) return refusal(flaw);
  return write(machine::place_task{std::string{task}}, machine::decode_change);
}

or_failure<change_result> scheduler_client::release(std::string_view task) {
  if (const auto flaw = unencodable(task); !flaw.empty()) return refusal(flaw);
  return write(machine::release_task{std::string{task}}, machine::decode_change);
}

or_failure<change_result> scheduler_client::end(std::string_view task) {
  if (const auto flaw = unencodable(task); !flaw.empty()) return refusal(flaw);
  return write(machine::end_task{std::string{task}}, machine::decode_change);
}

or_failure<renewal_result> scheduler_client::renew_lease(std::string_view task, std::chrono::milliseconds lease) {
  if (const auto flaw = unencodable(task); !flaw.empty()) return refusal(flaw);
  if (lease.count() < 0 || lease > machine::lease_max) return refusal("a lease is 0 to 366 days long");
  return write(machine::renew_lease{std::string{task}, lease}, machine::decode_renewal);
}

or_failure<expiry_result> scheduler_client::expire_leases() {
  return write(machine::expire_leases{}, machine::decode_expiry);
}

or_failure<node_view> scheduler_client::node(std::string_view name) {
  if (const auto flaw = unencodable(name); !flaw.empty()) return refusal(flaw);
  return read(machine::query_node{std::string{name}, seen_}, machine::decode_node_view);
}

or_failure<task_view> scheduler_client::task(std::string_view name) {
  if (const auto flaw = unencodable(name); !flaw.empty()) return refusal(flaw);
  return read(machine::query_task{std::string{name}, seen_}, machine::decode_task_view);
}

or_failure<summary_view> scheduler_client::summary() {
  return read(machine::query_summary{seen_}, machine::decode_summary_view);
}

or_failure<capacity_view> scheduler_client::capacity() {
  return read(machine::query_capacity{seen_}, machine::decode_capacity);
}

or_failure<fit_view> scheduler_client::explain(std::string_view task) {
  if (const auto flaw = unencodable(task); !flaw.empty()) return refusal(flaw);
  return explain_pages(machine::explain_task{std::string{task}, {}, seen_});
}

or_failure<fit_view> scheduler_client::explain_demand(const demand& needs) {
  if (const auto flaw = machine::flaw_of(needs); !flaw.empty()) return refusal(flaw);
  return explain_pages(machine::explain_demand{needs, {}, seen_});
}

or_failure<nodes_page> scheduler_client::nodes(std::string_view after, std::uint16_t limit) {
  if (const auto flaw = unencodable(after); !flaw.empty()) return refusal(flaw);
  return read(machine::list_nodes{std::string{after}, limit, seen_}, machine::decode_nodes_page);
}

or_failure<tasks_page> scheduler_client::tasks(std::string_view after, std::uint16_t limit) {
  if (const auto flaw = unencodable(after); !flaw.empty()) return refusal(flaw);
  return read(machine::list_tasks{std::string{after}, limit, seen_}, machine::decode_tasks_page);
}

or_failure<placed_page> scheduler_client::placed(std::uint64_t after, std::uint16_t limit) {
  return read(machine::list_placed{after, limit, seen_}, machine::decode_placed_page);
}

or_failure<events_page> scheduler_client::events(std::uint64_t since, std::uint16_t limit) {
  return read(machine::query_events{since, limit, seen_}, machine::decode_events_page);
}

}  // namespace hypermesh::scheduling
