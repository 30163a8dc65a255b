#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "actors/ports.hpp"
#include "runtime/base/keys.hpp"

/// The node's directory: its owner, the known facts about its past, and how to open its storage.
namespace hypermesh::storage {

/// Says when a write of a node counts as done, and which crashes it survives.
enum class durability : std::uint8_t {
  /// Nothing is written; a crash of more than f replicas at once loses acknowledged operations.
  memory,
  /// A write counts once the operating system has it, and it is synced within 100 ms. It survives a crash of the
  /// process, but a crash of the machine may lose the votes of the last 100 ms.
  async,
  /// A write counts once it is on the disk.
  sync,
};
inline constexpr auto durability_last = durability::sync;

/// The owner of a directory. A directory belongs to one replica of one cluster for its whole life.
struct storage_owner {
  cluster_id cluster;
  /// The name is for people only; the id identifies the cluster.
  std::string cluster_name;
  replica_id self;
};

/// Why the replica of a directory may vote, or may not vote yet.
enum class directory_origin : std::uint8_t {
  /// An earlier version of `init` made the directory, and the replica has voted. It votes at once.
  member,
  /// The replica lost its votes, and the directory was made with `--learner`.
  learner,
  /// `init` made the directory. A copy of it looks the same, so the other replicas must confirm that this replica has
  /// never voted.
  fresh,
};
inline constexpr auto directory_origin_last = directory_origin::fresh;

/// Makes `directory`, which must be absent or empty, the directory of `owner` and marks it as new. `open_storage`
/// refuses a directory without this mark, because an empty disk may also be a lost disk, and a replica that forgot its
/// votes must not vote as if it were new. With `learner` the directory belongs to a replica that lost its votes. The
/// directory keeps its origin for ever, and a record says when the replica has become a full member.
[[nodiscard]] or_error<void> initialise_storage(const std::filesystem::path& directory, const storage_owner& owner,
                                                bool learner = false);

/// Opens the storage in a directory that `initialise_storage` made. Only this process may use it. From now on the
/// replica counts as one that has voted. Mode `memory` writes only that mark and needs no directory.
[[nodiscard]] or_error<std::unique_ptr<stable_storage>> open_storage(const std::filesystem::path& directory,
                                                                     const storage_owner& owner, durability mode);

/// Returns an error if the small files of the directory show that `open_storage` would refuse it. Changes nothing.
[[nodiscard]] or_error<void> check_storage(const std::filesystem::path& directory, const storage_owner& owner,
                                           durability mode);

/// Reads why the replica of an opened directory may vote, or may not vote yet. Unless it is a `member`, a record shows
/// whether the replica has become a full member since.
[[nodiscard]] or_error<directory_origin> origin_of(const std::filesystem::path& directory, const storage_owner& owner);

/// Makes `directory` the directory of a replica that lost its disk. It must be absent, empty, or a directory of `owner`
/// in which the replica has not voted yet. Does nothing when the directory already belongs to a learner.
[[nodiscard]] or_error<void> make_learner(const std::filesystem::path& directory, const storage_owner& owner);

}  // namespace hypermesh::storage
