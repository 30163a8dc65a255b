#include "tools/hypermesh/bench/load_generator.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include <caf/send.hpp>

#include "runtime/base/steady_moment.hpp"
#include "tools/hypermesh/bench/load_process.hpp"
#include "tools/hypermesh/client/status_name.hpp"

namespace hypermesh::cli {

namespace {

using base::steady_moment;

/// How long a client may take to report its own counters.
constexpr std::chrono::milliseconds report_patience{1'000};

/// The name of the failure; empty for the result of an executed operation.
std::string failure_name_of(const submit_outcome& outcome) {
  if (const auto* error = std::get_if<client_error>(&outcome)) return std::string{to_string(*error)};
  const auto status = std::get<operation_result>(outcome).status;
  return status == operation_status::applied ? std::string{} : std::string{name_of(status)};
}

void sleep_until(moment when) {
  const auto left = when - steady_moment();
  if (left > duration{0}) std::this_thread::sleep_for(left);
}

/// An operation maker for one client. The seeds of clients differ, so that they do not write the same keys in step.
load_shape shape_of_lane(load_shape shape, std::size_t index) {
  shape.seed += index * 0xbf58476d1ce4e5b9U;
  return shape;
}

}  // namespace

load_generator::load_generator(const load_shape& shape, std::vector<std::unique_ptr<hosted_client>> clients)
    : shape_(shape) {
  for (std::size_t index = 0; index < clients.size(); ++index)
    lanes_.push_back(std::make_unique<lane>(shape_of_lane(shape, index), std::move(clients[index])));
}

std::string load_generator::warm_links() {
  std::vector<std::future<submit_outcome>> answers;
  for (const auto& each : lanes_)
    answers.push_back(each->client->submit(each->operations.next().bytes));
  std::string first;
  for (auto& each : answers) {
    auto failure = failure_name_of(each.get());
    if (first.empty()) first = std::move(failure);
  }
  return first;
}

void load_generator::send(lane& from, moment since) {
  ++under_way_;
  bench_operation next;
  {
    const std::scoped_lock lock{from.guard};
    next = from.operations.next();
  }
  const sent_operation sent{&from, since, next.bytes.size(), next.is_read};
  auto done = [self = shared_from_this(), sent](const submit_outcome& outcome) { self->note(sent, outcome); };
  if (next.is_read && shape_.reads == read_mode::committed) {
    caf::anon_send(from.client->actor(),
                   query_operation{std::move(next.bytes), std::make_shared<const completion>(std::move(done))});
  } else if (next.is_read) {
    // The operations of a bench are independent of each other, so its reads need not follow its writes.
    from.client->read(std::move(next.bytes), std::move(done));
  } else {
    from.client->submit(std::move(next.bytes), std::move(done));
  }
}

void load_generator::note(const sent_operation& sent, const submit_outcome& outcome) {
  const auto now = steady_moment();
  auto& by = *sent.by;
  if (!over_) {
    const std::scoped_lock lock{by.guard};
    const auto failure = failure_name_of(outcome);
    if (failure.empty() && is_measured(now)) ++by.result.answered_in_time;
    // Closed loop: the moment of the answer decides. Open loop: the intended moment, so that a late answer counts.
    if (is_measured(shape_.is_open() ? sent.since : now)) {
      if (failure.empty()) {
        by.result.latency.record(static_cast<std::uint64_t>(std::max(now - sent.since, duration{0}).count()));
        by.result.reads += sent.is_read ? 1 : 0;
        by.operation_bytes += static_cast<double>(sent.bytes);
        by.result_bytes += static_cast<double>(std::get<operation_result>(outcome).payload.size());
      } else {
        by.result.fail(failure);
      }
    }
  }
  // The next operation is in progress before this one ends, so `under_way_` reaches 0 only at the end.
  if (!shape_.is_open() && !ending_) send(by, steady_moment());
  --under_way_;
}

void load_generator::send_at_rate(moment begin) {
  arrival_times times{shape_.rate, shape_.spacing, shape_.seed};
  for (std::size_t turn = 0;; ++turn) {
    const auto intended = begin + times.next();
    if (intended >= measured_until_) return;
    sleep_until(intended);
    if (is_measured(intended)) {
      ++intended_;
      const auto late = std::max(steady_moment() - intended, duration{0});
      late_us_max_ = std::max(late_us_max_, static_cast<std::uint64_t>(late.count()));
    }
    send(*lanes_[turn % lanes_.size()], intended);
  }
}

load_result load_generator::run(moment begin) {
  measured_from_ = begin + shape_.warm_up;
  measured_until_ = measured_from_ + shape_.measured;
  sleep_until(begin);
  if (shape_.is_open()) {
    send_at_rate(begin);
  } else {
    for (std::size_t index = 0; index < shape_.in_flight; ++index)
      send(*lanes_[index % lanes_.size()], steady_moment());
  }
  sleep_until(measured_until_);
  ending_ = true;
  const auto deadline = steady_moment() + drain_patience;
  while (under_way_ > 0 && steady_moment() < deadline)
    std::this_thread::sleep_for(1ms);
  return total();
}

void load_generator::close() {
  ending_ = true;
  over_ = true;
  for (const auto& each : lanes_)
    each->client.reset();
}

load_result load_generator::total() {
  over_ = true;
  load_result all;
  for (const auto& each : lanes_) {
    // Without the lock, because the client may wait for it in `note`.
    const auto report = each->client->own_report(report_patience);
    const std::scoped_lock lock{each->guard};
    if (report) each->result.reads_ordered = report->reads_ordered;
    const auto count = static_cast<double>(std::max<std::uint64_t>(each->result.latency.count(), 1));
    each->result.operation_bytes = each->operation_bytes / count;
    each->result.result_bytes = each->result_bytes / count;
    all.add(each->result);
  }
  all.intended = intended_;
  all.late_us_max = late_us_max_;
  const auto known = all.latency.count() + all.failed();
  if (shape_.is_open() && intended_ > known) all.fail("no_answer", intended_ - known);
  return all;
}

}  // namespace hypermesh::cli
