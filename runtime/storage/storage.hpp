#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "actors/ports.hpp"
#include "runtime/keys.hpp"

/// The node's directory: who owns it, what is known about its past, and how to open the storage in it.
namespace hypermesh {

/// How a node treats what it must not forget.
enum class durability : std::uint8_t {
  /// Nothing is written; a crash of more than f replicas at once loses what was acknowledged.
  memory,
  /// A write is handed to the operating system before it counts and synced within 100 ms: it survives a crash of the
  /// process, while a crash of the machine may forget the votes of that time.
  async,
  /// A write is on the disk before it counts.
  sync,
};
inline constexpr auto durability_last = durability::sync;

/// Whose directory it is. A directory serves one replica of one cluster for all its life.
struct storage_owner {
  cluster_id cluster;
  /// For people; the id decides.
  std::string cluster_name;
  replica_id self;
};

/// Makes `directory`, which must not exist or be empty, the home of `owner`: empty, and marked so. A directory without
/// this mark is refused by `open_storage`, because an empty disk may also be a lost one, and a replica that forgot its
/// votes must not vote as if it were new. With `learner` the directory is that of a replica whose votes were lost: it
/// carries a second mark for good, and a record says when the replica has become a full member again.
[[nodiscard]] std::optional<world_error> initialise_storage(const std::filesystem::path& directory,
                                                            const storage_owner& owner, bool learner = false);

/// Opens the storage in a directory that `initialise_storage` made, for this process alone. From then on the directory
/// counts as one that has voted. Mode `memory` writes nothing but that mark, and needs no directory.
[[nodiscard]] or_error<std::unique_ptr<stable_storage>> open_storage(const std::filesystem::path& directory,
                                                                     const storage_owner& owner, durability mode);

/// What would keep `open_storage` from opening the directory, as far as its small files show; changes nothing.
[[nodiscard]] std::optional<world_error> objection_to_storage(const std::filesystem::path& directory,
                                                              const storage_owner& owner, durability mode);

/// Whether the directory was made for a replica that had lost its votes.
[[nodiscard]] or_error<bool> is_learner(const std::filesystem::path& directory, const storage_owner& owner);

/// Makes `directory`, which must not exist or be empty, the home of a replica that lost its disk. Does nothing when it
/// is that already.
[[nodiscard]] std::optional<world_error> make_learner(const std::filesystem::path& directory,
                                                      const storage_owner& owner);

}  // namespace hypermesh
