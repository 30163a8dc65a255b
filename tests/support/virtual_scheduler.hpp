#pragma once

#include <memory>
#include <optional>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/protocol/client/client_core.hpp"

namespace caf::scheduler {
class test_coordinator;
}

namespace hypermesh::testing {

/// One actor system on this thread in which nothing happens by itself. A step runs one message of one actor, and the
/// clock moves only by a call. Time starts at zero.
class virtual_scheduler {
 public:
  virtual_scheduler();
  ~virtual_scheduler();
  virtual_scheduler(const virtual_scheduler&) = delete;
  virtual_scheduler& operator=(const virtual_scheduler&) = delete;

  [[nodiscard]] caf::actor_system& system() { return *system_; }

  /// The number of actors that have messages.
  [[nodiscard]] std::size_t jobs() const;
  /// The actor at `index`, which must be less than jobs().
  [[nodiscard]] caf::actor_id actor_of(std::size_t index) const;
  /// Runs one message of the actor at `index` < jobs(). The actor that ran last comes first if it has more messages.
  void run_job(std::size_t index);
  /// Runs one message of the actor that has waited longest.
  void run_next();
  /// Runs messages in the order of their arrival until no actor has messages.
  void run_all();

  [[nodiscard]] moment now() const;
  /// The time when the next delayed message is due.
  [[nodiscard]] std::optional<moment> next_timer() const;
  /// Moves the clock and puts the delayed messages that became due into their mailboxes.
  void advance_to(moment time);

 private:
  std::unique_ptr<caf::actor_system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* coordinator_;
};

}  // namespace hypermesh::testing
