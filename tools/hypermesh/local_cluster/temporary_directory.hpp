#pragma once

#include <filesystem>
#include <memory>

#include "runtime/base/keys.hpp"

namespace hypermesh::cli {

/// A directory that only this user can read. The destructor removes it.
class temporary_directory {
 public:
  /// Creates the directory below TMPDIR, or below /tmp.
  [[nodiscard]] static or_error<std::unique_ptr<temporary_directory>> make();

  ~temporary_directory();
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit temporary_directory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace hypermesh::cli
