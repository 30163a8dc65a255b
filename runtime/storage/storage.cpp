#include "runtime/storage/storage.hpp"

#include <fmt/format.h>

#include "runtime/storage/memory_storage.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/rocksdb_storage.hpp"

namespace hypermesh::storage {

namespace {

using any_storage = std::unique_ptr<stable_storage>;

bool has_identity(const node_directory& directory) {
  std::error_code failed;
  return std::filesystem::exists(directory.identity_file(), failed);
}

/// Returns an error if the replica's past does not allow this mode.
or_error<void> check_mode(const node_directory& directory, const directory_identity& identity, durability mode) {
  if (mode == durability::memory && identity.votes == vote_history::kept) {
    return tl::unexpected(world_error{
        fmt::format("{} holds votes of this replica, which mode \"memory\" would lose", quoted(directory.root)),
        "set 'mode' to \"sync\" or \"async\" in the node's configuration", fault_origin::configuration});
  }
  if (mode != durability::memory && identity.votes == vote_history::lost) {
    return lost_history(
        fmt::format("the replica of {} has voted in mode \"memory\", which stored no vote", quoted(directory.root)));
  }
  return {};
}

or_error<directory_identity> checked_identity(const node_directory& directory, const storage_owner& owner,
                                              durability mode) {
  auto read = read_identity(directory, owner);
  if (!read) return read;
  if (auto done = check_mode(directory, *read, mode); !done) return failure_of(done);
  return read;
}

/// Records in the identity file that the replica votes from now on, and where its votes are stored.
or_error<void> note_votes(const node_directory& directory, directory_identity identity, vote_history votes,
                          std::uint64_t database) {
  if (identity.votes == votes) return {};
  // An earlier version of `init` marked a directory that was never used as one of a member.
  if (identity.votes == vote_history::none && identity.origin == directory_origin::member) {
    identity.origin = directory_origin::fresh;
  }
  identity.votes = votes;
  identity.database = database;
  return write_identity(directory, identity, existing_file::replace);
}

or_error<any_storage> open_database(const node_directory& directory, directory_lock lock,
                                    const directory_identity& identity, durability mode) {
  const bool is_new = identity.votes == vote_history::none;
  auto opened = is_new ? rocksdb_storage::create(directory, std::move(lock), mode)
                       : rocksdb_storage::open(directory, std::move(lock), mode, identity.database);
  if (!opened) return failure_of(opened);
  auto& storage = *opened;
  // This happens after the database was created and before the first vote, because from now on an empty directory is a
  // loss.
  if (auto done = note_votes(directory, identity, vote_history::kept, storage->origin()); !done)
    return failure_of(done);
  return any_storage{std::move(storage)};
}

/// Whether a directory has no entries but `lost+found`, which a new file system has at its root.
bool is_unused(const std::filesystem::path& directory, std::error_code& failed) {
  if (!std::filesystem::is_directory(directory, failed)) return false;
  for (std::filesystem::directory_iterator each{directory, failed}, end; !failed && each != end;
       each.increment(failed)) {
    if (each->path().filename() != "lost+found") return false;
  }
  return !failed;
}

or_error<void> make_empty_directory(const std::filesystem::path& path) {
  std::error_code failed;
  const bool exists = std::filesystem::exists(path, failed);
  if (exists && !is_unused(path, failed)) {
    return tl::unexpected(world_error{fmt::format("{} exists and is not an empty directory", quoted(path)),
                                      "move it away, or name another directory"});
  }
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (failed) return failed_to("make", path, failed.value());
  return sync_folder_of(path);
}

}  // namespace

or_error<void> initialise_storage(const std::filesystem::path& directory, const storage_owner& owner, bool learner) {
  if (auto done = make_empty_directory(directory); !done) return done;
  return write_identity({directory},
                        {owner, vote_history::none, learner ? directory_origin::learner : directory_origin::fresh},
                        existing_file::keep);
}

or_error<any_storage> open_storage(const std::filesystem::path& root, const storage_owner& owner, durability mode) {
  const node_directory directory{root};
  if (mode == durability::memory && !has_identity(directory)) return std::make_unique<memory_storage>();
  // The check comes before the lock, because the lock is a file in the directory and a foreign directory must not be
  // changed.
  if (auto done = check_storage(root, owner, mode); !done) return failure_of(done);
  auto taken = directory_lock::take(directory);
  if (!taken) return failure_of(taken);
  auto read = checked_identity(directory, owner, mode);
  if (!read) return failure_of(read);
  const auto& identity = *read;
  if (mode != durability::memory) {
    return open_database(directory, std::move(*taken), identity, mode);
  }
  if (auto done = note_votes(directory, identity, vote_history::lost, 0); !done) return failure_of(done);
  return std::make_unique<memory_storage>();
}

or_error<void> check_storage(const std::filesystem::path& root, const storage_owner& owner, durability mode) {
  const node_directory directory{root};
  if (mode == durability::memory && !has_identity(directory)) return {};
  auto read = checked_identity(directory, owner, mode);
  if (!read) return failure_of(read);
  return {};
}

or_error<directory_origin> origin_of(const std::filesystem::path& directory, const storage_owner& owner) {
  auto read = read_identity({directory}, owner);
  if (!read) return failure_of(read);
  return read->origin;
}

or_error<void> make_learner(const std::filesystem::path& root, const storage_owner& owner) {
  const node_directory directory{root};
  if (!has_identity(directory)) return initialise_storage(root, owner, true);
  auto read = read_identity(directory, owner);
  if (!read) return failure_of(read);
  auto& identity = *read;
  if (identity.origin == directory_origin::learner) return {};
  if (identity.votes == vote_history::none) {
    identity.origin = directory_origin::learner;
    return write_identity(directory, identity, existing_file::replace);
  }
  return tl::unexpected(world_error{
      fmt::format("{} holds votes of this replica, which a learner would discard", quoted(root)),
      fmt::format("start without --learner. Only if the directory is damaged, {}; never put the old directory back",
                  learner_remedy),
      fault_origin::configuration});
}

}  // namespace hypermesh::storage
