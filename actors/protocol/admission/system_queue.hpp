#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "messages/types.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// The pending system requests of one replica, in the order of their arrival. Pure.
///
/// A system request is found by its name. Names have no order, so there is no window, no session and no early request:
/// each pending system request is ready. None of them makes room for another, because each one matters to the whole
/// group, and none needs a quota.
///
/// Memory: the open cases of the evidence pool (`evidence_pool::open_max`), which alone submits system requests, and
/// `names_executed_max` names.
class system_queue {
 public:
  /// Names of executed system requests that are recognised when they arrive again.
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

  /// Adds a system request behind the earlier ones. It is neither pending nor executed.
  void add(const system_request& value, microseconds_t now);
  /// The next system request to propose, or null: the first that is in no batch of this replica.
  [[nodiscard]] const system_request* next() const;
  /// `next()` is in a batch from now on.
  void propose_next();
  /// The batches that were proposed come to nothing, so all system requests wait again, and all waits start anew.
  void wait_again(microseconds_t now);

  /// The first pending system request, proposed or not. The others wait behind it.
  [[nodiscard]] std::optional<case_name> oldest() const;
  /// The time since when the oldest system request is the oldest; nothing if none is pending.
  [[nodiscard]] std::optional<microseconds_t> waits_since() const;
  /// The time since when the system request is pending. A new view starts it anew.
  [[nodiscard]] microseconds_t since(case_name name) const;
  [[nodiscard]] bool is_forwarded(case_name name) const;
  /// The system request was forwarded, so its wait counts against the primary from now on. A second copy gives the
  /// primary nothing new and changes nothing.
  void note_forwarded(case_name name, microseconds_t now);

  /// The system request was executed, pending here or not.
  void on_executed(case_name name, microseconds_t now);
  /// The system request needs no order any more. Changes nothing if it is not pending.
  void drop(case_name name, microseconds_t now);

  /// All pending system requests, in the order of their arrival.
  [[nodiscard]] std::vector<const system_request*> all() const;

 private:
  struct pending_case {
    system_request content;
    microseconds_t since = 0;
    /// In a batch of this replica.
    bool is_proposed = false;
    bool is_forwarded = false;
  };

  [[nodiscard]] const pending_case& get(case_name name) const;

  std::deque<pending_case> pending_;
  std::size_t bytes_ = 0;
  std::size_t waiting_ = 0;
  microseconds_t waits_since_ = 0;
  /// The newest last.
  std::deque<case_name> executed_;
};

}  // namespace hypermesh
