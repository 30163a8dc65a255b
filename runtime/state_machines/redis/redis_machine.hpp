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
/// The work of an operation is bounded (redis_work.hpp), and so is that of all operations of a batch: a request may
/// have 1,024 operations, and each of them could read 100,000 keys.
///
/// So are the bytes of the replies of one request, and an operation whose reply does not fit is not executed
/// (redis_operations.hpp).
///
/// Memory: about twice `content_bytes_max` of keys, values and elements, which counts `keyspace::entry_bytes` for each
/// of them, and the chunks that changed since the oldest snapshot that is held. Commands that may need memory are refused beyond the
/// bound. One operation may exceed it by what it writes, at most 7 MB, because work_budget counts each 64 bytes.
class redis_machine final : public state_machine, public freezable_state {
 public:
  /// One GiB. All replicas use the same value, because it decides which commands are refused.
  static constexpr std::uint64_t content_bytes_max_default = 1ULL << 30U;

  explicit redis_machine(std::size_t leaf_bytes_max = authenticated_map::leaf_bytes_default,
                         std::uint64_t content_bytes_max = content_bytes_max_default);

  [[nodiscard]] std::string_view name() const override { return "redis"; }
  operation_result apply(const operation_context& context, byte_span bytes) override;
  /// The time of a query is that of the last operation that was applied, or of the last write before a restoration.
  [[nodiscard]] operation_result query(byte_span bytes) const override;
  [[nodiscard]] state_snapshot snapshot() override { return data_.snapshot(); }
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() override { return data_.freeze(); }
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override { return data_.restore(snapshot); }
  [[nodiscard]] digest root() override { return data_.root(); }

 private:
  [[nodiscard]] operation_result execute(const operation_context& context, byte_span bytes, std::size_t room);

  /// The whole state. What else the machine knows is a function of it or of the operation.
  keyspace data_;
  std::uint64_t content_bytes_max_;
  /// The batch of the last operation, and the work that is left in it. A state is taken and restored between batches,
  /// so this is no part of it.
  sequence_number batch_;
  std::size_t batch_work_left_ = 0;
  /// The bytes that the replies of the present request may still have.
  std::size_t request_reply_left_ = limits::reply_bytes_max;
};

}  // namespace hypermesh::machines::redis
