#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/metrics/metric_hub.hpp"
#include "runtime/storage/memory_storage.hpp"
#include "tests/runtime/storage_test_directory.hpp"
#include "tests/support/simulated_rocksdb.hpp"
#include "tests/support/simulated_storage.hpp"

/// Presents all implementations of the storage port in one form, so that one suite can run on all of them.
namespace hypermesh::testing::storage_test {

/// A storage and its disk. The disk outlives the storage.
class contract_storage {
 public:
  virtual ~contract_storage() = default;

  /// The storage, after a successful `read`.
  [[nodiscard]] virtual stable_storage& storage() = 0;
  /// Closes the storage cleanly, opens it again and returns what it reads.
  [[nodiscard]] virtual stored_history reopen() = 0;
  /// Whether the content survives a reopening.
  [[nodiscard]] virtual bool keeps() const { return true; }
  /// The disk, if the test can make it crash; otherwise null.
  [[nodiscard]] virtual testing::inspected_storage* disk() { return nullptr; }
};

struct contract_subject {
  std::string name;
  std::function<std::unique_ptr<contract_storage>()> make;
  /// By its contract, the storage loses unsynced writes in a power failure.
  bool is_async = false;
};

/// RocksDB in a directory on this machine.
class directory_subject : public contract_storage {
 public:
  explicit directory_subject(durability mode) : mode_(mode) {
    initialise(home());
    now_ = start_in(home(), mode_);
  }

  stable_storage& storage() override { return *now_.storage; }
  stored_history reopen() override {
    now_.storage.reset();
    now_ = start_in(home(), mode_);
    return now_.history;
  }

 private:
  [[nodiscard]] std::filesystem::path home() const { return folder_.path() / "home"; }

  scratch_folder folder_;
  durability mode_;
  reading_storage now_;
};

/// The same, inside the wrapper with which a node measures its writes.
class measured_subject final : public directory_subject {
 public:
  using directory_subject::directory_subject;

  stable_storage& storage() override {
    // The base class owns the storage.
    const std::shared_ptr<stable_storage> inner{std::shared_ptr<void>{}, &directory_subject::storage()};
    if (!wrapper_) wrapper_ = std::make_unique<metrics::measured_storage>(inner, hub_);
    return *wrapper_;
  }
  stored_history reopen() override {
    wrapper_.reset();
    return directory_subject::reopen();
  }

 private:
  std::shared_ptr<metrics::metric_hub> hub_ = std::make_shared<metrics::metric_hub>(replica_id{0}, 4, 256);
  std::unique_ptr<metrics::measured_storage> wrapper_;
};

/// The mode `memory`. It has nothing to reopen.
class memory_subject final : public contract_storage {
 public:
  stable_storage& storage() override { return now_; }
  stored_history reopen() override {
    now_ = {};
    return history_of(now_.read());
  }
  [[nodiscard]] bool keeps() const override { return false; }

 private:
  memory_storage now_;
};

/// A disk of the simulator.
class disk_subject final : public contract_storage {
 public:
  explicit disk_subject(std::shared_ptr<testing::inspected_storage> disk) : disk_(std::move(disk)) {
    (void)history_of(disk_->read());
  }

  stable_storage& storage() override { return *disk_; }
  stored_history reopen() override {
    if (auto* const on_rocksdb = dynamic_cast<testing::simulated_rocksdb*>(disk_.get())) on_rocksdb->close();
    return history_of(disk_->read());
  }
  testing::inspected_storage* disk() override { return disk_.get(); }

 private:
  std::shared_ptr<testing::inspected_storage> disk_;
};

inline contract_subject rocksdb_disk(std::string name, durability mode) {
  return {std::move(name),
          [mode] {
            return std::make_unique<disk_subject>(
                std::make_shared<testing::simulated_rocksdb>(testing::rocksdb_disk_settings{mode, 7, {}}));
          },
          mode == durability::async};
}

/// All implementations of the port. A new implementation is one more entry.
inline const std::vector<contract_subject>& contract_subjects() {
  static const std::vector<contract_subject> all = {
      {"memory", [] { return std::make_unique<memory_subject>(); }},
      {"model of a disk",
       [] { return std::make_unique<disk_subject>(std::make_shared<testing::simulated_storage>()); }},
      {"RocksDB, sync", [] { return std::make_unique<directory_subject>(durability::sync); }},
      {"RocksDB, async", [] { return std::make_unique<directory_subject>(durability::async); }},
      {"RocksDB, measured", [] { return std::make_unique<measured_subject>(durability::sync); }},
      rocksdb_disk("RocksDB on a simulated disk, sync", durability::sync),
      rocksdb_disk("RocksDB on a simulated disk, async", durability::async),
  };
  return all;
}

/// Calls `check` with each implementation. Every failure shows the name of the implementation.
template <class Check>
void for_each_storage(const Check& check) {
  for (const auto& each : contract_subjects()) {
    CAPTURE(each.name);
    check(each);
  }
}

/// All kinds of records, including kinds that are added later.
[[nodiscard]] inline std::vector<record_kind> all_record_kinds() {
  std::vector<record_kind> kinds;
  for (auto number = static_cast<unsigned>(record_kind_first); number <= static_cast<unsigned>(record_kind_last);
       ++number) {
    kinds.push_back(static_cast<record_kind>(number));
  }
  return kinds;
}

}  // namespace hypermesh::testing::storage_test
