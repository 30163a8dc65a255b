#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "runtime/storage/rocksdb_storage.hpp"
#include "tests/support/simulated_disk.hpp"
#include "tests/support/simulated_environment.hpp"
#include "tests/support/simulated_storage.hpp"

namespace hypermesh::testing {

struct rocksdb_disk_settings {
  /// The mode: `sync` or `async`.
  durability mode = durability::sync;
  std::uint64_t seed = 1;
  /// Returns the virtual time, for the period of mode `async`.
  std::function<moment()> clock;
};

/// The product's storage on RocksDB over a simulated disk. A node opens it by `read`, and again after it was killed. A
/// model next to it contains the acknowledged records. `read` returns an error when RocksDB returns fewer records, or
/// records that were never written, unless the disk had reported changes as durable too early. Everything follows from
/// the seed and the calls. A part of a change is one byte that it writes.
class simulated_rocksdb final : public inspected_storage {
 public:
  explicit simulated_rocksdb(rocksdb_disk_settings settings);
  ~simulated_rocksdb() override;
  simulated_rocksdb(const simulated_rocksdb&) = delete;
  simulated_rocksdb& operator=(const simulated_rocksdb&) = delete;

  [[nodiscard]] or_error<stored_history> read() override;
  [[nodiscard]] or_error<void> write(std::span<const storage_record> records) override;
  [[nodiscard]] or_error<void> forget_through(sequence_number last) override;
  [[nodiscard]] or_error<void> store_chunks(std::span<const state_chunk> chunks) override;
  [[nodiscard]] or_error<void> keep_state(sequence_number sequence, std::span<const digest> leaves) override;
  [[nodiscard]] std::uint64_t bytes_held() const override { return storage_ ? storage_->bytes_held() : 0; }

  void on_write(write_judge how_many) override { on_write_ = std::move(how_many); }
  void on_killed(bool power_lost) override;
  void lie_about(std::size_t count) override { disk_->delay_syncs(count); }
  [[nodiscard]] std::size_t lose_lies() override;
  void set_trouble(disk_trouble trouble) override { disk_->set_trouble(trouble); }
  bool damage(std::uint64_t seed) override;
  [[nodiscard]] bool was_refused_for_damage() const override { return was_refused_ && is_damaged_; }
  [[nodiscard]] std::shared_ptr<inspected_storage> copy() const override;

  [[nodiscard]] bool binds(const storage_record& record) const override { return model_->binds(record); }
  [[nodiscard]] std::size_t records_held() const override { return model_->records_held(); }

  [[nodiscard]] std::string summary() const override { return disk_->summary(); }

  /// Closes the storage as a node does that stops cleanly. Afterwards `read` may open the storage again.
  void close();

 private:
  using operation = std::function<or_error<void>(stable_storage&)>;

  simulated_rocksdb(rocksdb_disk_settings settings, std::unique_ptr<simulated_disk> disk);
  /// Makes a change of `bytes` bytes and records it in the model.
  [[nodiscard]] or_error<void> change(std::size_t bytes, turn_taking::waiting how, operation what);
  [[nodiscard]] or_error<stored_history> open();
  /// Returns an error if the history differs from the acknowledged records.
  [[nodiscard]] or_error<void> check(const stored_history& found) const;
  void begin_model(const stored_history& found);
  void sync_if_due();

  rocksdb_disk_settings settings_;
  std::unique_ptr<simulated_disk> disk_;
  std::shared_ptr<simulated_environment> environment_;
  std::shared_ptr<simulated_storage> model_ = std::make_shared<simulated_storage>();
  /// The changes that were not acknowledged. After a crash, each may be present or missing.
  operation pending_;
  /// The origin of the database, once it was created. In the product, the identity file of the directory contains it.
  std::optional<std::uint64_t> origin_;
  write_judge on_write_;
  moment synced_at_;
  bool has_lied_ = false;
  bool is_damaged_ = false;
  bool was_refused_ = false;
  /// The open storage; null unless a node has it open.
  std::unique_ptr<rocksdb_storage> storage_;
};

}  // namespace hypermesh::testing
