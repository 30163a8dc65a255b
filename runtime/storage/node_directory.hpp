#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "runtime/base/durable_file.hpp"
#include "runtime/storage/storage.hpp"

/// Reads and writes the small files of a node's directory, beside the database.
namespace hypermesh::storage {

/// The places of the files in a node's directory.
struct node_directory {
  std::filesystem::path root;

  [[nodiscard]] std::filesystem::path identity_file() const { return root / "node.identity"; }
  [[nodiscard]] std::filesystem::path lock_file() const { return root / "node.lock"; }
  [[nodiscard]] std::filesystem::path mark_file() const { return root / "node.mark"; }
  [[nodiscard]] std::filesystem::path database() const { return root / "database"; }
  /// One small file for each table of the database.
  [[nodiscard]] std::filesystem::path checksums() const { return root / "checksums"; }
};

/// The format of the directory and of everything in it, including the records of messages.
/// Up to format 5, kept states of the machines had buckets of a fixed number. All other formats are refused.
inline constexpr std::uint64_t directory_format = 6;

/// An error whose only remedy is `learner_remedy`, because a replica that forgot a vote could vote twice.
[[nodiscard]] tl::unexpected<world_error> lost_history(std::string what);

/// The state of the votes of the replica that owns a directory.
enum class vote_history : std::uint8_t {
  /// The replica has not voted yet.
  none,
  /// The database contains the votes.
  kept,
  /// The votes are lost, because the replica ran in mode `memory`.
  lost,
};
inline constexpr auto vote_history_last = vote_history::lost;

/// The content of the identity file.
struct directory_identity {
  storage_owner owner;
  vote_history votes = vote_history::none;
  directory_origin origin = directory_origin::fresh;
  /// The origin of the database; zero when there is no database.
  std::uint64_t database = 0;
};

/// Whether the directory does not exist or is empty.
[[nodiscard]] bool is_absent(const std::filesystem::path& root);

/// Reads the identity and compares it with `owner`. The error says whether the directory is absent, the identity is
/// lost, or the files cannot be read now.
[[nodiscard]] or_error<directory_identity> read_identity(const node_directory& directory, const storage_owner& owner);

/// Writes the identity file completely and durably.
[[nodiscard]] or_error<void> write_identity(const node_directory& directory, const directory_identity& identity,
                                            existing_file existing);

/// Reserves the directory for this process until the lock is destroyed or the process ends in any way.
class directory_lock {
 public:
  /// Acquires the lock. The error names the process that holds the directory.
  [[nodiscard]] static or_error<directory_lock> take(const node_directory& directory);

  /// Makes a lock for a directory that no other process can reach.
  [[nodiscard]] static directory_lock none() { return directory_lock{open_file{}}; }

 private:
  explicit directory_lock(open_file file) : file_(std::move(file)) {}

  open_file file_;
};

}  // namespace hypermesh::storage
