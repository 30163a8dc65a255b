#pragma once

#include "actors/ports.hpp"
#include "runtime/state_machines/redis/redis_call.hpp"
#include "runtime/state_machines/redis/redis_keyspace.hpp"
#include "runtime/state_machines/redis/redis_operations.hpp"

namespace hypermesh::machines::redis {

/// The machine "redis": the data types and commands of Redis 7.0. redis_operations.hpp defines its operations and
/// results; the README says how it differs from Redis.
///
/// A transaction is executed as a whole. As in Redis, a command in it that fails does not undo the others.
///
/// Memory: `content_bytes_max` of keys, values and elements, about 200 bytes for each of them, and the content once
/// more while a snapshot is held. Commands that may need memory are refused beyond the bound; one operation may exceed
/// it by what it writes, at most 7 MB.
class redis_machine final : public state_machine {
 public:
  /// One GiB. All replicas use the same value, because it decides which commands are refused.
  static constexpr std::uint64_t content_bytes_max_default = 1ULL << 30U;

  explicit redis_machine(std::size_t bucket_count = authenticated_map::bucket_count_default,
                         std::uint64_t content_bytes_max = content_bytes_max_default);

  [[nodiscard]] std::string_view name() const override { return "redis"; }
  operation_result apply(const operation_context& context, byte_span bytes) override;
  /// The time of a query is that of the last operation that was applied, or of the last write before a restoration.
  [[nodiscard]] operation_result query(byte_span bytes) const override;
  [[nodiscard]] state_snapshot snapshot() override { return data_.snapshot(); }
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override { return data_.restore(snapshot); }
  [[nodiscard]] digest root() override { return data_.root(); }

 private:
  keyspace data_;
  std::uint64_t content_bytes_max_;
};

}  // namespace hypermesh::machines::redis
