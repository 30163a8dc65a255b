#pragma once

#include <memory>
#include <span>
#include <utility>

#include "actors/ports.hpp"

namespace hypermesh::base {

/// Forwards every call to another storage. A class that observes some calls derives from it and overrides these calls.
class storage_wrapper : public stable_storage {
 public:
  explicit storage_wrapper(std::shared_ptr<stable_storage> wrapped) : wrapped_(std::move(wrapped)) {}

  [[nodiscard]] or_error<stored_history> read() override { return wrapped_->read(); }
  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override {
    return wrapped_->write(records);
  }
  [[nodiscard]] or_error<void> forget_through(sequence_number last) override { return wrapped_->forget_through(last); }
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk> chunks) override {
    return wrapped_->store_chunks(chunks);
  }
  [[nodiscard]] or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) override {
    return wrapped_->keep_state(sequence, leaves);
  }
  [[nodiscard]] std::uint64_t bytes_held() const override { return wrapped_->bytes_held(); }

 private:
  std::shared_ptr<stable_storage> wrapped_;
};

}  // namespace hypermesh::base
