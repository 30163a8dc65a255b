#pragma once

#include <cstdint>

#include "actors/protocol/ordering/replica_core.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

namespace hypermesh::testing {

/// One replica. The test sends the messages of the other replicas.
struct replica_world {
  request_factory factory;
  replica_core core;

  replica_world(std::uint32_t replicas, std::uint32_t self)
      : factory(small_cluster(replicas)),
        core(factory.cluster(), replica_id{self}, factory.keys_of(replica_id{self})) {}

  [[nodiscard]] std::uint32_t quorum() const { return factory.cluster().group().quorum(); }
  [[nodiscard]] pre_prepare proposal(std::uint64_t n, std::uint64_t content) const {
    return factory.pre_prepare_of(view_number{0}, sequence_number{n}, factory.batch_number(content));
  }
  [[nodiscard]] pre_prepare proposal(std::uint64_t n) const { return proposal(n, n); }

  replica_effects hear(std::uint32_t from, const message& value) {
    auto effects = testing::hear(core, factory, principal::of(replica_id{from}), value);
    execute(effects);
    return effects;
  }
  /// Executes all committed batches at once, like an executor that never lags.
  void execute(const replica_effects& effects) {
    for (const auto& each : effects.committed) {
      if (factory.cluster().is_checkpoint(each.sequence)) (void)core.on_taken(each.sequence);
    }
  }
  replica_effects hear_prepare(std::uint32_t from, const pre_prepare& of) {
    return hear(from, factory.prepare_of(replica_id{from}, of));
  }
  replica_effects hear_commit(std::uint32_t from, const pre_prepare& of) {
    return hear(from, factory.commit_of(replica_id{from}, of));
  }
  /// Sends all messages of the other replicas for one sequence. Returns the number of batches that were committed.
  std::size_t order(const pre_prepare& of, std::uint32_t self) {
    std::size_t committed = hear(0, of).committed.size();
    for (std::uint32_t from = 1; from < factory.cluster().replicas; ++from) {
      if (from != self) committed += hear_prepare(from, of).committed.size();
    }
    for (std::uint32_t from = 0; from < factory.cluster().replicas; ++from) {
      if (from != self) committed += hear_commit(from, of).committed.size();
    }
    return committed;
  }
};

}  // namespace hypermesh::testing
