#pragma once

#include "actors/ports.hpp"
#include "runtime/state_machines/authenticated_map.hpp"
#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::machines {

/// The machine "key-value": a replicated map of bytes to bytes. key_value_operations.hpp defines its operations and
/// results. Memory: `content_bytes_max` of keys and values, what `authenticated_map` needs for each entry, and the
/// chunks that changed since the oldest snapshot that is held. Writes beyond the bound, and values that do not fit a
/// chunk, are refused.
class key_value_store final : public state_machine, public freezable_state {
 public:
  /// One GiB. All replicas use the same value, because it decides which writes are refused.
  static constexpr std::uint64_t content_bytes_max_default = 1ULL << 30U;

  explicit key_value_store(std::size_t leaf_bytes_max = authenticated_map::leaf_bytes_default,
                           std::uint64_t content_bytes_max = content_bytes_max_default)
      : entries_(leaf_bytes_max), content_bytes_max_(content_bytes_max) {}

  [[nodiscard]] std::string_view name() const override { return "key-value"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] state_snapshot snapshot() override { return entries_.snapshot(); }
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() override { return entries_.freeze(); }
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override;
  [[nodiscard]] digest root() override { return entries_.root(); }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }

 private:
  operation_result execute(const key_value::put& operation);
  [[nodiscard]] operation_result execute(const key_value::get& operation) const;
  operation_result execute(const key_value::remove& operation);
  operation_result execute(const key_value::compare_and_swap& operation);
  operation_result execute(const key_value::increment& operation);

  /// Sets the value, or returns a refusal because the store would outgrow its bound.
  [[nodiscard]] std::optional<operation_result> write(authenticated_map::key_place place, byte_span key,
                                                      byte_span value);

  authenticated_map entries_;
  std::uint64_t content_bytes_max_;
};

}  // namespace hypermesh::machines
