#include "tools/hypermesh/load/latency_recorder.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace hypermesh::cli {

std::size_t latency_recorder::bucket_of(std::uint64_t microseconds) {
  if (microseconds < steps) return static_cast<std::size_t>(microseconds);
  const auto power = static_cast<std::size_t>(std::bit_width(microseconds)) - steps_bits;
  if (power > powers) return steps * (powers + 1) - 1;
  // The top seven bits are a one and the step within the power of two.
  const auto step = static_cast<std::size_t>(microseconds >> (power - 1)) - steps;
  return power * steps + step;
}

std::uint64_t latency_recorder::upper_end_of(std::size_t bucket) {
  if (bucket < steps) return bucket;
  const auto power = bucket / steps;
  const auto step = bucket % steps;
  return ((std::uint64_t{steps} + step + 1) << (power - 1)) - 1;
}

void latency_recorder::record(std::uint64_t microseconds) {
  ++buckets_[bucket_of(microseconds)];
  ++count_;
  sum_ += microseconds;
  max_ = std::max(max_, microseconds);
}

double latency_recorder::mean() const {
  return count_ == 0 ? 0 : static_cast<double>(sum_) / static_cast<double>(count_);
}

std::uint64_t latency_recorder::percentile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted && seen > 0) return std::min(upper_end_of(bucket), max_);
  }
  return max_;
}

void latency_recorder::add(const latency_recorder& other) {
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket)
    buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  sum_ += other.sum_;
  max_ = std::max(max_, other.max_);
}

latency_recorder::content latency_recorder::numbers() const {
  content all{{}, sum_, max_};
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    if (buckets_[bucket] > 0) all.buckets.emplace_back(bucket, buckets_[bucket]);
  }
  return all;
}

or_reason<latency_recorder> latency_recorder::of(const content& numbers) {
  latency_recorder made;
  for (const auto& [bucket, count] : numbers.buckets) {
    if (bucket >= made.buckets_.size()) return invalid("a bucket of latencies does not exist");
    made.buckets_[bucket] += count;
    made.count_ += count;
  }
  made.sum_ = numbers.sum;
  made.max_ = numbers.max;
  return made;
}

}  // namespace hypermesh::cli
