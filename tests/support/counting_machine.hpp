#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "actors/ports.hpp"
#include "messages/digest.hpp"

namespace hypermesh::testing {

/// A state machine that remembers the order of its operations. Two such machines are in the same state only when they
/// applied the same operations in the same order. It applies any operation, except that the empty operation is
/// malformed and an operation that begins with '!' is refused. The answer to the k-th operation is k and the chain of
/// hashes so far, as text. The answer to an operation "large:N" has N bytes.
///
/// The state has `bucket_count` buckets of one chunk each, and one chunk for the chain. So a snapshot has several
/// chunks, and an operation changes two of them.
class counting_machine final : public state_machine {
 public:
  static constexpr std::size_t bucket_count = 7;

  /// `padding` bytes are added to each bucket's chunk. `ballast` chunks of this size are added that never change. Both
  /// make transfers take long.
  explicit counting_machine(std::size_t padding = 0, std::size_t ballast = 0);

  [[nodiscard]] std::string_view name() const override { return "counting"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  /// The query "count" returns the number of applied operations. All other queries are refused.
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
