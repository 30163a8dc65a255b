#pragma once

#include <cstdint>

#include "actors/ports.hpp"

namespace hypermesh::testing {

/// The number of buffers that the decoder has parsed since the start, counted by `counted/messages/verify.hpp`.
extern std::uint64_t buffers_parsed;

/// The number of allocations of this binary since the start, and the number of allocations of at least `large_bytes`.
struct allocation_counts {
  /// The size is larger than every allocation that does not contain the bytes of a large operation.
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

/// The cost of a step: the counts since the last call of `take`. All counters are read at once, so a test cannot
/// attribute a cost to the wrong step.
struct step_cost {
  std::uint64_t parsed = 0;
  std::uint64_t verified = 0;
  std::uint64_t allocated = 0;
  /// Allocations of at least `allocation_counts::large_bytes`. Each is a copy of a large operation, or a buffer for a
  /// copy.
  std::uint64_t large = 0;
};

class cost_meter {
 public:
  explicit cost_meter(const counting_authenticator& keys);

  [[nodiscard]] step_cost take();

  /// The cost of `step` alone, without the cost of the assertions before it.
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
