#include "runtime/storage/storage.hpp"

#include <fmt/format.h>

#include "runtime/storage/memory_storage.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/rocksdb_storage.hpp"

namespace hypermesh {

namespace {

using any_storage = std::unique_ptr<stable_storage>;

bool has_identity(const node_directory& directory) {
  std::error_code failed;
  return std::filesystem::exists(directory.identity_file(), failed);
}

/// Why the replica's past does not allow this mode, if so.
std::optional<world_error> objection_to_mode(const node_directory& directory, const directory_identity& identity,
                                             durability mode) {
  if (mode == durability::memory && identity.votes == vote_history::kept) {
    return world_error{
        fmt::format("{} holds votes of this replica, and mode memory would forget them", quoted(directory.root)),
        "set 'mode' to \"sync\" or \"async\" in the node's configuration", fault_origin::configuration};
  }
  if (mode != durability::memory && identity.votes == vote_history::lost) {
    return lost_history(
        fmt::format("the replica of {} has voted in mode memory, which kept nothing", quoted(directory.root)));
  }
  return std::nullopt;
}

or_error<directory_identity> checked_identity(const node_directory& directory, const storage_owner& owner,
                                              durability mode) {
  auto read = read_identity(directory, owner);
  if (const auto* identity = std::get_if<directory_identity>(&read)) {
    if (auto error = objection_to_mode(directory, *identity, mode)) return std::move(*error);
  }
  return read;
}

/// Writes down that the replica votes from now on, and where its votes are.
std::optional<world_error> note_votes(const node_directory& directory, directory_identity identity, vote_history votes,
                                      std::uint64_t database) {
  if (identity.votes == votes) return std::nullopt;
  identity.votes = votes;
  identity.database = database;
  return write_identity(directory, identity, existing_file::replace);
}

or_error<any_storage> open_database(const node_directory& directory, directory_lock lock,
                                    const directory_identity& identity, durability mode) {
  const bool is_new = identity.votes == vote_history::none;
  auto opened = is_new ? rocksdb_storage::create(directory, std::move(lock), mode)
                       : rocksdb_storage::open(directory, std::move(lock), mode, identity.database);
  if (auto* error = std::get_if<world_error>(&opened)) return std::move(*error);
  auto& storage = std::get<std::unique_ptr<rocksdb_storage>>(opened);
  // After the database was made and before the first vote, because from now on an empty directory is a loss.
  if (auto error = note_votes(directory, identity, vote_history::kept, storage->origin())) return std::move(*error);
  return any_storage{std::move(storage)};
}

std::optional<world_error> make_empty_directory(const std::filesystem::path& path) {
  std::error_code failed;
  const bool exists = std::filesystem::exists(path, failed);
  if (exists && (!std::filesystem::is_directory(path, failed) || !std::filesystem::is_empty(path, failed))) {
    return world_error{fmt::format("{} exists and is not an empty directory", quoted(path)),
                       "move it away, or choose another directory"};
  }
  std::filesystem::create_directories(path, failed);
  if (!failed) std::filesystem::permissions(path, std::filesystem::perms::owner_all, failed);
  if (failed) return failed_to("make", path, failed.value());
  return sync_folder_of(path);
}

}  // namespace

std::optional<world_error> initialise_storage(const std::filesystem::path& directory, const storage_owner& owner,
                                              bool learner) {
  if (auto error = make_empty_directory(directory)) return error;
  return write_identity({directory}, {owner, vote_history::none, learner}, existing_file::keep);
}

or_error<any_storage> open_storage(const std::filesystem::path& root, const storage_owner& owner, durability mode) {
  const node_directory directory{root};
  if (mode == durability::memory && !has_identity(directory)) return std::make_unique<memory_storage>();
  // Checked before the lock is taken: the lock is a file in the directory, and a foreign directory must not be changed.
  if (auto error = objection_to_storage(root, owner, mode)) return std::move(*error);
  auto taken = directory_lock::take(directory);
  if (auto* error = std::get_if<world_error>(&taken)) return std::move(*error);
  auto read = checked_identity(directory, owner, mode);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  const auto& identity = std::get<directory_identity>(read);
  if (mode != durability::memory) {
    return open_database(directory, std::move(std::get<directory_lock>(taken)), identity, mode);
  }
  if (auto error = note_votes(directory, identity, vote_history::lost, 0)) return std::move(*error);
  return std::make_unique<memory_storage>();
}

std::optional<world_error> objection_to_storage(const std::filesystem::path& root, const storage_owner& owner,
                                                durability mode) {
  const node_directory directory{root};
  if (mode == durability::memory && !has_identity(directory)) return std::nullopt;
  auto read = checked_identity(directory, owner, mode);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  return std::nullopt;
}

or_error<bool> is_learner(const std::filesystem::path& directory, const storage_owner& owner) {
  auto read = read_identity({directory}, owner);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  return std::get<directory_identity>(read).learner;
}

std::optional<world_error> make_learner(const std::filesystem::path& root, const storage_owner& owner) {
  const node_directory directory{root};
  if (!has_identity(directory)) return initialise_storage(root, owner, true);
  auto read = read_identity(directory, owner);
  if (auto* error = std::get_if<world_error>(&read)) return std::move(*error);
  auto& identity = std::get<directory_identity>(read);
  if (identity.learner) return std::nullopt;
  if (identity.votes == vote_history::none) {
    identity.learner = true;
    return write_identity(directory, identity, existing_file::replace);
  }
  return world_error{
      fmt::format("{} holds what this replica has promised, and a learner forgets it", quoted(root)),
      fmt::format("start without --learner. Only if the directory is damaged, {}; never put it back", learner_remedy),
      fault_origin::configuration};
}

}  // namespace hypermesh
