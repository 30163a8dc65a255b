#include "tools/hypermesh/load/increment_load.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_operations.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"

namespace hypermesh::cli {

namespace {

std::string key_of(std::size_t counter) { return fmt::format("counter-{}", counter); }

void add(const counter_check& checked, load_findings& into) {
  into.acknowledged += checked.acknowledged;
  into.failed += checked.failed;
  into.lost += checked.wrong_sums;
  into.wrong_results += checked.wrong_sums;
  const auto held = static_cast<std::uint64_t>(std::max<std::int64_t>(checked.final_value, 0));
  if (held < checked.acknowledged) into.lost += checked.acknowledged - held;
  // An increment without an answer may still have been executed once.
  if (held > checked.acknowledged + checked.failed) into.doubled += held - checked.acknowledged - checked.failed;
}

}  // namespace

increment_load::increment_load(hosted_client& client)
    : client_(&client), records_(counters), last_answer_(clock::now()) {}

byte_vector increment_load::reading_of(std::size_t counter) {
  const auto key = key_of(counter);
  return key_value::encode(key_value::get{as_byte_span(key)});
}

void increment_load::expect_milestones(std::vector<std::uint64_t> answered) {
  const std::scoped_lock lock{guard_};
  expected_ = std::move(answered);
}

std::vector<increment_load::milestone> increment_load::milestones_after(std::size_t after) const {
  const std::scoped_lock lock{guard_};
  const auto known = static_cast<std::ptrdiff_t>(std::min(after, milestones_.size()));
  return {milestones_.begin() + known, milestones_.end()};
}

void increment_load::begin(std::size_t in_flight) {
  for (std::size_t index = 0; index < in_flight; ++index)
    submit(index % counters);
}

increment_load::clock::time_point increment_load::last_answer() const {
  const std::scoped_lock lock{guard_};
  return last_answer_;
}

void increment_load::watch_gaps() {
  const std::scoped_lock lock{guard_};
  last_answer_ = clock::now();
  longest_gap_ = clock::duration{0};
}

double increment_load::longest_gap() const {
  const std::scoped_lock lock{guard_};
  return std::chrono::duration<double>(std::max(longest_gap_, clock::now() - last_answer_)).count();
}

counter_check increment_load::check(std::size_t counter, std::int64_t final_value) const {
  const std::scoped_lock lock{guard_};
  const auto& record = records_.at(counter);
  return {record.acknowledged, record.failed, final_value, record.wrong_sums};
}

or_run_failure<load_findings> increment_load::judge(hosted_client& client) const {
  load_findings findings;
  for (std::size_t counter = 0; counter < counters; ++counter) {
    auto answer = client.submit(reading_of(counter));
    const auto result = answer.get();
    if (const auto* error = std::get_if<client_error>(&result))
      return tl::unexpected(run_failure{exit_code_of(*error), explain(*error)});
    const auto value = key_value::found_value(std::get<operation_result>(result));
    const auto number = value ? key_value::parse_number(as_text(*value)) : std::optional<std::int64_t>{0};
    add(check(counter, number.value_or(-1)), findings);
  }
  return findings;
}

void increment_load::counter_record::note_sum(std::int64_t sum) {
  ++acknowledged;
  // A counter never exceeds the total that was added to it. This also bounds the memory that a wrong answer can cost.
  if (sum < 1 || static_cast<std::uint64_t>(sum) > submitted) {
    ++wrong_sums;
    return;
  }
  const auto index = static_cast<std::size_t>(sum);
  if (index >= seen.size()) seen.resize(std::max<std::size_t>(2 * seen.size(), index + 1));
  if (seen[index]) ++wrong_sums;
  seen[index] = true;
}

void increment_load::submit(std::size_t counter) {
  ++under_way_;
  {
    const std::scoped_lock lock{guard_};
    ++records_[counter].submitted;
  }
  const auto key = key_of(counter);
  client_->submit(key_value::encode(key_value::increment{as_byte_span(key), 1}),
                  [load = shared_from_this(), counter, now = clock::now()](const submit_outcome& outcome) {
                    load->note(counter, now, outcome);
                  });
}

void increment_load::note(std::size_t counter, clock::time_point submitted_at, const submit_outcome& outcome) {
  {
    const std::scoped_lock lock{guard_};
    const auto* result = std::get_if<operation_result>(&outcome);
    const auto sum = result == nullptr ? std::nullopt : key_value::parse_number(as_text(result->payload));
    if (sum && result->status == operation_status::applied) {
      records_[counter].note_sum(*sum);
      const auto now = clock::now();
      longest_gap_ = std::max(longest_gap_, now - last_answer_);
      last_answer_ = now;
      const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - submitted_at);
      latencies_.record(static_cast<std::uint64_t>(took.count()));
    } else {
      ++records_[counter].failed;
    }
    ++noted_;
    while (milestones_.size() < expected_.size() && noted_ >= expected_[milestones_.size()])
      milestones_.push_back({clock::now(), noted_, std::exchange(latencies_, {})});
  }
  ++answered_;
  if (!ending_) submit(counter);
  --under_way_;
}

}  // namespace hypermesh::cli
