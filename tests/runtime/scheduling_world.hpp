#pragma once

#include <memory>
#include <string>
#include <vector>

#include "messages/require.hpp"
#include "runtime/scheduling/scheduler_client.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::testing {

/// The faults of the ways to the replicas, in percent of the calls.
struct way_faults {
  /// The answer is lost, after the operation was executed.
  std::uint64_t lost = 0;
  /// The operation is ordered twice, as by a client that repeats it.
  std::uint64_t doubled = 0;
  /// The answer of a query comes from a replica that lags.
  std::uint64_t stale = 0;
};

/// A replicated scheduler in one process, without consensus: one sequence of operations, a replica that has executed
/// all of it, and one that lags. It stands for a cluster behind `scheduler_port`.
class scheduling_world {
 public:
  /// Small leaves, so that a state has many.
  static constexpr std::size_t leaf_bytes = 128;

  explicit scheduling_world(std::uint64_t seed, scheduler_bounds bounds = {})
      : random_(seed), bounds_(bounds), front_(leaf_bytes, bounds), lagging_(leaf_bytes, bounds) {}

  way_faults faults;
  /// The ordered time of the next operations.
  scheduler::ordered_time now{std::chrono::seconds{1'000}};

  operation_result order(byte_vector operation, client_id client = client_id{0}) {
    operation_context context{};
    context.client = client;
    context.ordered_time = now;
    auto result = front_.apply(context, operation);
    ordered_.push_back({context, std::move(operation)});
    return result;
  }
  operation_result order(const scheduler::operation& operation) { return order(scheduler::encode(operation)); }

  /// Lets the lagging replica execute a part of what it lacks. Now and then it is replaced by a restored copy.
  void advance_lagging() {
    auto count = random_.below(ordered_.size() - executed_ + 1);
    for (; count > 0; --count, ++executed_)
      (void)lagging_.apply(ordered_[executed_].context, ordered_[executed_].bytes);
    if (random_.below(10) != 0) return;
    resource_scheduler restored{leaf_bytes, bounds_};
    require(restored.restore(lagging_.snapshot()).has_value(), "a replica restores its own snapshot");
    lagging_ = std::move(restored);
  }

  [[nodiscard]] bool draw(std::uint64_t percent) { return random_.below(100) < percent; }
  [[nodiscard]] resource_scheduler& front() { return front_; }
  [[nodiscard]] const resource_scheduler& lagging() const { return lagging_; }
  [[nodiscard]] splitmix64& random() { return random_; }

 private:
  struct ordered_operation {
    operation_context context;
    byte_vector bytes;
  };

  splitmix64 random_;
  scheduler_bounds bounds_;
  resource_scheduler front_;
  resource_scheduler lagging_;
  std::vector<ordered_operation> ordered_;
  std::size_t executed_ = 0;
};

/// A way to the world that loses, doubles and delays.
class faulty_port : public scheduling::scheduler_port {
 public:
  explicit faulty_port(scheduling_world& world) : world_(&world) {}

  submit_outcome submit(byte_vector operation) override {
    if (world_->draw(world_->faults.doubled)) (void)world_->order(operation);
    auto result = world_->order(std::move(operation));
    return outcome_of(std::move(result));
  }
  submit_outcome query(byte_vector operation) override {
    if (world_->faults.stale > 0) world_->advance_lagging();
    const auto& replica = world_->draw(world_->faults.stale) ? world_->lagging() : world_->front();
    return outcome_of(replica.query(operation));
  }

 private:
  submit_outcome outcome_of(operation_result result) {
    if (world_->draw(world_->faults.lost)) return client_error::timed_out;
    return result;
  }

  scheduling_world* world_;
};

/// A connection with its own port and client.
struct connection : private faulty_port, public scheduling::scheduler_client {
  explicit connection(scheduling_world& world, std::uint64_t seen = 0)
      : faulty_port(world), scheduler_client(static_cast<faulty_port&>(*this), seen) {}

  using scheduling::scheduler_client::submit;
};

}  // namespace hypermesh::testing
