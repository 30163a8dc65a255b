#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "messages/types.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The pending system requests of one replica, in the order of their arrival. Pure.
///
/// A system request is identified by its name. Names have no order, so there are no windows, sessions or early
/// requests: each pending system request is ready. A system request is never removed to make room for another one,
/// because each matters to the whole group. None has a quota.
///
/// Memory: the open cases of the evidence pool (`evidence_pool::open_max`), which alone submits system requests, and
/// `names_executed_max` names.
class system_queue {
 public:
  /// The number of executed system requests whose names are remembered, so that a copy is recognised.
  static constexpr std::size_t names_executed_max = 256;

  /// Whether the system request was executed, as far as this queue remembers.
  [[nodiscard]] bool was_executed(case_name name) const;
  /// The pending system request with this name; null if there is none.
  [[nodiscard]] const system_request* find(case_name name) const;
  [[nodiscard]] bool empty() const { return pending_.empty(); }
  [[nodiscard]] std::size_t size() const { return pending_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Number of system requests that are in no batch of this replica.
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

  /// Adds a system request behind the earlier ones. It must be neither pending nor executed.
  void add(const system_request& value, moment now);
  /// The next system request to propose, or null: the first that is in no batch of this replica.
  [[nodiscard]] const system_request* next() const;
  /// Marks the system request that `next()` returns as being in a batch.
  void propose_next();
  /// The proposed batches were dropped, so all system requests wait again, and the measurement of all waits starts
  /// again.
  void wait_again(moment now);

  /// The first pending system request, proposed or not. The others wait behind it.
  [[nodiscard]] std::optional<case_name> oldest() const;
  /// When the oldest system request became the oldest; nothing if none is pending.
  [[nodiscard]] std::optional<moment> waits_since() const;
  /// When the system request became pending. A new view sets this time to its own start.
  [[nodiscard]] moment since(case_name name) const;
  [[nodiscard]] bool is_forwarded(case_name name) const;
  /// The system request was forwarded, so its wait counts against the primary from now on. A second copy changes
  /// nothing, because the primary has the system request already.
  void note_forwarded(case_name name, moment now);

  /// The system request was executed. It need not be pending here.
  void on_executed(case_name name, moment now);
  /// The system request no longer needs to be ordered. Changes nothing if it is not pending.
  void drop(case_name name, moment now);

  /// All pending system requests, in the order of their arrival.
  [[nodiscard]] std::vector<const system_request*> all() const;

 private:
  struct pending_case {
    system_request content;
    moment since{};
    /// Whether the system request is in a batch of this replica.
    bool is_proposed = false;
    bool is_forwarded = false;
  };

  [[nodiscard]] const pending_case& get(case_name name) const;

  std::deque<pending_case> pending_;
  std::size_t bytes_ = 0;
  std::size_t waiting_ = 0;
  moment waits_since_{};
  /// Names of executed system requests, the newest last.
  std::deque<case_name> executed_;
};

}  // namespace hypermesh::protocol
