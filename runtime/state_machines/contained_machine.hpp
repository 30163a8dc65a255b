#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include <hypermesh/large_state.hpp>

#include "actors/ports.hpp"

namespace hypermesh::machines {

/// What a machine is doing, for a watchdog on another thread.
class machine_watch {
 public:
  /// The functions of a machine that may take long.
  enum class call : std::uint8_t { none, apply, query, snapshot, restore, root };
  static constexpr auto call_last = call::root;

  struct activity {
    call what = call::none;
    /// The sequence of the operation; 0 for the other functions.
    sequence_number sequence;
    /// The time since the call began.
    std::chrono::milliseconds since{0};
  };

  void begin(call what, sequence_number sequence = {});
  void end() { began_us_.store(0, std::memory_order_release); }

  /// The call that has not returned; nothing when the machine is idle.
  [[nodiscard]] std::optional<activity> now() const;

  /// A sentence about a machine that has been blocked for `bound` or longer; nothing otherwise.
  [[nodiscard]] std::optional<std::string> complaint(std::chrono::milliseconds bound) const;

 private:
  /// Microseconds of the steady clock; 0 while the machine is idle.
  std::atomic<std::int64_t> began_us_{0};
  std::atomic<call> what_{call::none};
  std::atomic<std::uint64_t> sequence_{0};
};

/// An exception of a machine, with an error for the operator.
class machine_failure : public std::runtime_error {
 public:
  explicit machine_failure(world_error of) : std::runtime_error(of.what), error(std::move(of)) {}

  world_error error;
};

/// Stands around the machine of a host, which may throw or block. After an exception the state of the machine is
/// unknown, so nothing of it may become an answer, a snapshot or a root:
/// - An exception of `query`, which cannot change the state, is passed on as `machine_failure`. The executor does not
///   answer the query.
/// - After an exception of any other function, every call throws. `on_failure` is called once, before the exception
///   leaves, and the executor ends.
///
/// It computes the root at most once for each change of the state. Clients ask for the root when they ask a node for
/// its position, and a small machine saves and hashes its whole state for it.
///
/// Owns the machine. Memory: none of its own. A text of the machine is kept up to `why_bytes_max`.
class contained_machine final : public state_machine, public freezable_state {
 public:
  /// Bytes of the text of an exception that an error repeats. The text may contain an operation, which has up to
  /// 256 KiB, and clients choose operations.
  static constexpr std::size_t why_bytes_max = 256;

  using failure_handler = std::function<void(const world_error&)>;

  /// `watch` is shared with the watchdog. `on_failure` is called on the thread that called the machine.
  contained_machine(std::unique_ptr<state_machine> inner, std::shared_ptr<machine_watch> watch,
                    failure_handler on_failure);

  [[nodiscard]] std::string_view name() const override { return name_; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override;
  /// The state of the inner machine. An exception of `frozen_state::finish` is reported like one of `snapshot`.
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() override;
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override;

 private:
  class contained_state;

  /// Calls `run` under the watch. `doing` describes the call for the error, and is called only after an exception.
  template <class Run, class Doing>
  auto guarded(machine_watch::call what, sequence_number sequence, const Run& run, const Doing& doing);
  [[noreturn]] void fail(std::string doing, const char* why);
  [[nodiscard]] static world_error error_of(std::string_view name, std::string_view doing, const char* why);
  [[nodiscard]] machine_failure query_failure(const char* why, byte_span operation) const;

  std::unique_ptr<state_machine> inner_;
  std::string name_;
  std::shared_ptr<machine_watch> watch_;
  failure_handler on_failure_;
  bool has_failed_ = false;
  /// The root of the present state; nothing after a call that may have changed it.
  std::optional<digest> root_;
};

}  // namespace hypermesh::machines
