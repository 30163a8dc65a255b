#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "runtime/audit/audit_sink.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/base/keys.hpp"

namespace hypermesh::audit {

/// The paths of a trail's files.
struct audit_folder {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path head_file() const { return root / "head"; }
  [[nodiscard]] std::filesystem::path lock_file() const { return root / "lock"; }
  /// Returns for example "000001.log".
  [[nodiscard]] std::filesystem::path segment_file(std::uint64_t number) const;
};

/// The numbers of the segments in the folder, ascending. Other files are ignored.
[[nodiscard]] or_error<std::vector<std::uint64_t>> list_segments(const audit_folder& folder);

/// Returns the content of a file of at most `bytes_max` bytes. A larger file is an error.
[[nodiscard]] or_error<byte_vector> read_trail_file(const std::filesystem::path& path, std::uint64_t bytes_max);

/// Whether a node is writing the trail at this moment. The check does not acquire the lock.
[[nodiscard]] bool is_being_written(const audit_folder& folder);

/// A trail in the files of a folder. While this object lives, its lock keeps other processes and objects from writing
/// there.
class audit_files final : public audit_sink {
 public:
  /// Creates the folder if it is missing, and acquires its lock.
  [[nodiscard]] static or_error<std::unique_ptr<audit_files>> open(audit_folder folder);

  /// Creates a durable head of two sectors.
  [[nodiscard]] or_error<void> create_head(byte_span sectors);
  /// Continues an existing trail: appends to the end of `segment`.
  [[nodiscard]] or_error<void> resume(std::uint64_t segment);

  [[nodiscard]] or_error<void> begin_segment(std::uint64_t number, byte_span header) override;
  [[nodiscard]] or_error<void> append(byte_span bytes) override;
  [[nodiscard]] or_error<void> cut_back(std::uint64_t size) override;
  [[nodiscard]] or_error<void> sync() override;
  [[nodiscard]] or_error<void> write_head(std::uint64_t sector, byte_span content, bool durable) override;
  [[nodiscard]] or_error<void> remove_segment(std::uint64_t number) override;

 private:
  audit_files(audit_folder folder, open_file lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}

  audit_folder folder_;
  open_file lock_;
  open_file head_;
  open_file segment_;
  std::filesystem::path segment_path_;
};

}  // namespace hypermesh::audit
