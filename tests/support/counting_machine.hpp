#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh::testing {

/// A state machine that remembers the order of everything it was given: two of them are in the same state
/// only when they applied the same operations in the same order. Any operation applies, but the empty one
/// is malformed and one that begins with '!' is refused. The answer to the k-th operation is its number
/// and the chain of hashes so far, as text. An operation "large:N" is answered with N bytes.
///
/// The state is `bucket_count` buckets of one chunk each, and one chunk for the chain, so a snapshot has
/// several chunks of which an operation changes two.
class counting_machine final : public state_machine {
 public:
  static constexpr std::size_t bucket_count = 7;

  /// Each bucket's chunk is filled up with `padding` bytes, and `ballast` chunks of as many bytes are added that never
  /// change; for transfers that take long.
  explicit counting_machine(std::size_t padding = 0, std::size_t ballast = 0);

  [[nodiscard]] std::string_view name() const override { return "counting"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  /// "count" gives the number of operations applied; anything else is refused.
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override;
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override { return state_root(snapshot()); }

  [[nodiscard]] std::uint64_t applied() const { return applied_; }

 private:
  std::size_t padding_;
  state_snapshot ballast_;
  /// The last snapshot without the ballast.
  state_snapshot held_;
  std::uint64_t applied_ = 0;
  digest chain_;
  std::array<std::uint64_t, bucket_count> buckets_{};
};

}  // namespace hypermesh::testing
