#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <vector>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "tests/support/effect_reader.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

namespace hypermesh::testing {

inline constexpr view_number v0{0};
inline constexpr view_number v1{1};
inline constexpr view_number v2{2};
inline constexpr view_number v3{3};
inline constexpr sequence_number n1{1};
inline constexpr sequence_number n2{2};
inline constexpr sequence_number n3{3};

/// Replica `self` of four replicas. The test sends the messages of the others.
struct paper_world {
  request_factory factory{small_cluster(4)};
  replica_core core;
  validator checks;

  explicit paper_world(std::uint32_t self)
      : core(factory.cluster(), replica_id{self}, factory.keys_of(replica_id{self})),
        checks(factory.cluster(), factory.keys_of(replica_id{self})) {}

  replica_effects hear(std::uint32_t from, const message& value) {
    return testing::hear(core, factory, principal::of(replica_id{from}), value);
  }
  [[nodiscard]] pre_prepare proposal(view_number view, std::uint64_t n) const {
    return factory.pre_prepare_of(view, sequence_number{n}, factory.batch_number(n));
  }
  [[nodiscard]] digest value_of(std::uint64_t n) const { return digest_of_batch(*factory.batch_number(n)); }
  /// Makes the slot `n` of view 0 prepared at this replica.
  void prepare_here(std::uint64_t n) {
    const auto given = proposal(v0, n);
    (void)hear(0, given);
    for (const std::uint32_t from : {1U, 2U, 3U})
      (void)hear(from, factory.prepare_of(replica_id{from}, given));
    REQUIRE(progress(n).prepared);
  }
  [[nodiscard]] slot_progress progress(std::uint64_t n) {
    // After two ticks without progress, the replica always sends a STATUS.
    for (int tick = 0; tick < 5; ++tick) {
      const auto told = sent<status>(core.on_tick().sends);
      if (told.empty()) continue;
      const auto index = n - told[0].last_decided.value - 1;
      return index < told[0].slots.size() ? told[0].slots[index] : slot_progress{};
    }
    return {};
  }
  /// A NEW-VIEW with VIEW-CHANGEs of replicas 1, 2 and 3, which contain the certificates in `prepared`.
  [[nodiscard]] new_view opened(view_number view, std::vector<std::vector<prepared_certificate>> prepared) const {
    std::vector<view_change> changes;
    for (std::uint32_t index = 0; index < 3; ++index) {
      auto given = index < prepared.size() ? prepared[index] : std::vector<prepared_certificate>{};
      changes.push_back(factory.view_change_of(replica_id{1 + index}, view, nullptr, std::move(given)));
    }
    return factory.new_view_of(view, std::move(changes));
  }
};

inline std::optional<rejection> verdict(const paper_world& world, std::uint32_t sender, const message& value) {
  return world.checks.check(principal::of(replica_id{sender}), value);
}

}  // namespace hypermesh::testing
