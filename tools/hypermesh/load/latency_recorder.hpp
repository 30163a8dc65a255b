#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "messages/expected.hpp"

namespace hypermesh::cli {

/// Counts durations in a logarithmic histogram. It takes 15 KiB for any number of durations, and each percentile is at
/// most 1.6 % too high. Not thread-safe.
class latency_recorder {
 public:
  void record(std::uint64_t microseconds);

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t max() const { return max_; }
  [[nodiscard]] double mean() const;
  /// The smallest bound that the fraction `share` (0 … 1) of all durations does not exceed; 0 without durations.
  [[nodiscard]] std::uint64_t percentile(double share) const;

  /// Adds the durations of another recorder.
  void add(const latency_recorder& other);

  /// The content as numbers, so that another process can add it to its own.
  struct content {
    /// The numbers of the buckets that are not empty, ascending, with their counts.
    std::vector<std::pair<std::uint64_t, std::uint64_t>> buckets;
    std::uint64_t sum = 0;
    std::uint64_t max = 0;
  };
  [[nodiscard]] content numbers() const;
  /// The recorder with this content. The failure says what is wrong with the numbers.
  [[nodiscard]] static or_reason<latency_recorder> of(const content& numbers);

 private:
  /// Each power of two is divided into 64 equal buckets. So the width of a bucket is at most 1/64 of its value.
  static constexpr std::size_t steps_bits = 6;
  static constexpr std::size_t steps = std::size_t{1} << steps_bits;
  /// 2³⁶ µs are 19 hours. Longer durations count as 19 hours.
  static constexpr std::size_t powers = 30;

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t microseconds);
  [[nodiscard]] static std::uint64_t upper_end_of(std::size_t bucket);

  std::array<std::uint64_t, steps*(powers + 1)> buckets_{};
  std::uint64_t count_ = 0;
  std::uint64_t sum_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace hypermesh::cli
