#include "runtime/state_machines/contained_machine.hpp"

#include <array>
#include <exception>

#include <fmt/format.h>

#include "actors/protocol/execution/checkpoint_parts.hpp"
#include "messages/require.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::machines {

namespace {

std::int64_t steady_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

/// The first bytes of an operation, which are enough to find it in the audit trail.
constexpr std::size_t shown_bytes = 32;

std::string text_of(const operation_context& context, byte_span operation) {
  return fmt::format("operation {} of request {} in session {} of client {}, sequence {} ({} bytes: {}{})",
                     context.index, context.when.value, context.session.value, context.client.value,
                     context.sequence.value, operation.size(), to_hex(operation, shown_bytes),
                     operation.size() > shown_bytes ? "…" : "");
}

/// The text of an exception, whose bytes and length a client may have chosen.
std::string shown(const char* why) {
  return base::visible_text(base::clipped_text(why, contained_machine::why_bytes_max));
}

/// Keeps the watch running for the time of a call.
class watched_call {
 public:
  watched_call(machine_watch& watch, machine_watch::call what, sequence_number sequence) : watch_(&watch) {
    watch_->begin(what, sequence);
  }
  ~watched_call() { watch_->end(); }
  watched_call(const watched_call&) = delete;
  watched_call& operator=(const watched_call&) = delete;

 private:
  machine_watch* watch_;
};

}  // namespace

void machine_watch::begin(call what, sequence_number sequence) {
  what_.store(what, std::memory_order_relaxed);
  sequence_.store(sequence.value, std::memory_order_relaxed);
  // Stored last: whoever sees the time sees the two values above.
  began_us_.store(steady_us(), std::memory_order_release);
}

std::optional<machine_watch::activity> machine_watch::now() const {
  const auto began = began_us_.load(std::memory_order_acquire);
  if (began == 0) return std::nullopt;
  const std::chrono::microseconds since{steady_us() - began};
  return activity{what_.load(std::memory_order_relaxed), sequence_number{sequence_.load(std::memory_order_relaxed)},
                  std::chrono::duration_cast<std::chrono::milliseconds>(since)};
}

std::optional<std::string> machine_watch::complaint(std::chrono::milliseconds bound) const {
  const auto busy = now();
  if (!busy || busy->since < bound) return std::nullopt;
  static constexpr std::array<std::string_view, static_cast<std::size_t>(call_last) + 1> names = {
      "nothing", "apply", "query", "snapshot", "restore", "root"};
  static_assert(!names.back().empty(), "a name for each call");
  const auto name = names.at(static_cast<std::size_t>(busy->what));
  const auto where = busy->what == call::apply ? fmt::format(" for sequence {}", busy->sequence.value) : std::string{};
  return fmt::format("the state machine has been in '{}'{} for {} s; it executes nothing meanwhile", name, where,
                     std::chrono::duration_cast<std::chrono::seconds>(busy->since).count());
}

contained_machine::contained_machine(std::unique_ptr<state_machine> inner, std::shared_ptr<machine_watch> watch,
                                     failure_handler on_failure)
    : inner_(std::move(inner)), watch_(std::move(watch)), on_failure_(std::move(on_failure)) {
  require(inner_ != nullptr && watch_ != nullptr, "a contained machine has a machine and a watch");
  name_ = inner_->name();
}

/// A frozen state of a machine that may throw. Another thread finishes it, while the machine executes.
class contained_machine::contained_state final : public frozen_state {
 public:
  contained_state(std::shared_ptr<frozen_state> inner, std::string name, failure_handler on_failure)
      : inner_(std::move(inner)), name_(std::move(name)), on_failure_(std::move(on_failure)) {}

  [[nodiscard]] const state_snapshot& finish() override {
    try {
      return inner_->finish();
    } catch (const std::exception& error) {
      fail(error.what());
    } catch (...) {
      fail("an exception that is not a std::exception");
    }
  }

 private:
  [[noreturn]] void fail(const char* why) const {
    auto error = error_of(name_, "the finish of a frozen state", why);
    if (on_failure_) on_failure_(error);
    throw machine_failure{std::move(error)};
  }

  std::shared_ptr<frozen_state> inner_;
  std::string name_;
  failure_handler on_failure_;
};

world_error contained_machine::error_of(std::string_view name, std::string_view doing, const char* why) {
  return {fmt::format("the state machine '{}' failed in {}: {}", base::visible_text(name), doing, shown(why)),
          "correct the machine at all replicas, then restart this one; it executes the operation again"};
}

void contained_machine::fail(std::string doing, const char* why) {
  has_failed_ = true;
  auto error = error_of(name_, doing, why);
  if (on_failure_) on_failure_(error);
  throw machine_failure{std::move(error)};
}

template <class Run, class Doing>
auto contained_machine::guarded(machine_watch::call what, sequence_number sequence, const Run& run,
                                const Doing& doing) {
  if (has_failed_) {
    throw machine_failure{{fmt::format("the state machine '{}' failed before", base::visible_text(name_)),
                           "see the first error of this replica"}};
  }
  try {
    const watched_call call{*watch_, what, sequence};
    return run();
  } catch (const std::exception& error) {
    fail(doing(), error.what());
  } catch (...) {
    fail(doing(), "an exception that is not a std::exception");
  }
}

operation_result contained_machine::apply(const operation_context& context, byte_span operation) {
  root_.reset();
  return guarded(
      machine_watch::call::apply, context.sequence, [&] { return inner_->apply(context, operation); },
      [&] { return text_of(context, operation); });
}

operation_result contained_machine::query(byte_span operation) const {
  try {
    const watched_call call{*watch_, machine_watch::call::query, {}};
    return inner_->query(operation);
  } catch (const std::exception& error) {
    throw query_failure(error.what(), operation);
  } catch (...) {
    throw query_failure("an exception that is not a std::exception", operation);
  }
}

machine_failure contained_machine::query_failure(const char* why, byte_span operation) const {
  return machine_failure{{fmt::format("'{}' threw: {} ({} bytes: {})", base::visible_text(name_), shown(why),
                                      operation.size(), to_hex(operation, shown_bytes)),
                          "correct the machine"}};
}

state_snapshot contained_machine::snapshot() {
  return guarded(
      machine_watch::call::snapshot, {}, [&] { return inner_->snapshot(); }, [] { return std::string{"snapshot()"}; });
}

std::shared_ptr<frozen_state> contained_machine::freeze() {
  auto frozen = guarded(
      machine_watch::call::snapshot, {}, [&] { return protocol::freeze(*inner_); },
      [] { return std::string{"freeze()"}; });
  return std::make_shared<contained_state>(std::move(frozen), name_, on_failure_);
}

or_reason<void> contained_machine::restore(const state_snapshot& snapshot) {
  root_.reset();
  return guarded(
      machine_watch::call::restore, {}, [&] { return inner_->restore(snapshot); },
      [] { return std::string{"restore()"}; });
}

digest contained_machine::root() {
  const auto computed = [&] {
    if (!root_) root_ = inner_->root();
    return *root_;
  };
  return guarded(machine_watch::call::root, {}, computed, [] { return std::string{"root()"}; });
}

}  // namespace hypermesh::machines
