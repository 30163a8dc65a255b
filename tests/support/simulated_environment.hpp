#pragma once

#include <memory>

#include "runtime/storage/storage_environment.hpp"
#include "tests/support/simulated_disk.hpp"
#include "tests/support/turn_taking.hpp"

namespace hypermesh::testing {

/// The environment of the product's storage on a simulated disk. RocksDB's files and the storage's own files are on
/// `disk`, and RocksDB's background jobs run in turns with the caller. `disk` must outlive this object.
class simulated_environment final : public storage_environment {
 public:
  explicit simulated_environment(simulated_disk& disk);
  ~simulated_environment() override;
  simulated_environment(const simulated_environment&) = delete;
  simulated_environment& operator=(const simulated_environment&) = delete;

  [[nodiscard]] rocksdb::Env& database() override;
  [[nodiscard]] or_error<void> make_file(const std::filesystem::path& path, std::string_view content) override;
  [[nodiscard]] or_error<std::unique_ptr<updatable_file>> open_file(const std::filesystem::path& path) override;
  [[nodiscard]] bool has_threads() const override { return false; }

  [[nodiscard]] turn_taking& turns() { return turns_; }

 private:
  class file_system;
  class environment;

  simulated_disk& disk_;
  turn_taking turns_;
  std::unique_ptr<rocksdb::Env> database_;
};

}  // namespace hypermesh::testing
