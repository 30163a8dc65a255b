#pragma once

#include <cstdint>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// Buffers that the decoder has parsed since the start. `counted/messages/verify.hpp` counts them.
extern std::uint64_t buffers_parsed;

/// Allocations of this binary since the start, and those of at least `large_bytes`.
struct allocation_counts {
  /// Larger than everything that is not made of the bytes of a large operation.
  static constexpr std::size_t large_bytes = 100'000;

  std::uint64_t all = 0;
  std::uint64_t large = 0;
};
[[nodiscard]] allocation_counts allocations();

/// Counts the signatures that a node verifies.
class counting_authenticator final : public authenticator {
 public:
  explicit counting_authenticator(const authenticator& real) : real_(&real) {}

  [[nodiscard]] principal self() const override { return real_->self(); }
  [[nodiscard]] signature sign(byte_span signing_input) const override { return real_->sign(signing_input); }
  [[nodiscard]] bool verify(principal signer, byte_span signing_input, const signature& claimed) const override {
    ++verified_;
    return real_->verify(signer, signing_input, claimed);
  }

  [[nodiscard]] std::uint64_t verified() const { return verified_; }

 private:
  const authenticator* real_;
  mutable std::uint64_t verified_ = 0;
};

/// The cost of a step: the counts since the last call of `take`. The state of all counters is read at once, so that a
/// test cannot attribute a cost to the wrong step.
struct step_cost {
  std::uint64_t parsed = 0;
  std::uint64_t verified = 0;
  std::uint64_t allocated = 0;
  /// Allocations of at least `allocation_counts::large_bytes`: where a large operation was copied, or got room.
  std::uint64_t large = 0;
};

class cost_meter {
 public:
  explicit cost_meter(const counting_authenticator& keys);

  [[nodiscard]] step_cost take();

  /// The cost of `step` alone, without that of the assertions before it.
  template <class Step>
  [[nodiscard]] step_cost of(Step step) {
    (void)take();
    step();
    return take();
  }

 private:
  [[nodiscard]] step_cost now() const;

  const counting_authenticator* keys_;
  step_cost before_;
};

}  // namespace hypermesh::testing
