#include "runtime/storage/rocksdb_storage.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/write_batch.h>
#include <sodium.h>

#include "messages/require.hpp"
#include "runtime/storage/history_reader.hpp"
#include "runtime/storage/stored_keys.hpp"

namespace hypermesh::storage {

namespace {

/// Whether a folder is missing or empty. The lost+found of a new file system does not count.
bool has_no_files(rocksdb::Env& files, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  const auto listed = files.GetChildren(folder.string(), &names);
  if (!listed.ok()) return listed.IsNotFound();
  return std::ranges::all_of(
      names, [](const std::string& name) { return name == "." || name == ".." || name == "lost+found"; });
}

/// The largest number of deleted chunks in one batch.
constexpr std::size_t deletions_per_batch = 4'096;

void put_record(rocksdb::WriteBatch& batch, rocksdb_database& database, const stored_values::record_head& head,
                const byte_vector& bytes) {
  const auto encoded = stored_values::encode(head);
  // The value is gathered from two parts, so a large body is copied only once.
  const std::array<rocksdb::Slice, 2> value{slice_of(encoded), slice_of(bytes)};
  const rocksdb::SliceParts parts{value.data(), static_cast<int>(value.size())};
  if (is_replaced(head.kind)) {
    const auto text = stored_keys::newest(head.kind);
    const auto key = slice_of(text);
    (void)batch.Put(database.of(column::ledger), rocksdb::SliceParts{&key, 1}, parts);
  } else {
    const auto raw = stored_values::key_of(head.order);
    const auto key = slice_of(byte_span{raw});
    (void)batch.Put(database.of(column::records), rocksdb::SliceParts{&key, 1}, parts);
  }
}

}  // namespace

or_error<std::unique_ptr<rocksdb_storage>> rocksdb_storage::create(const node_directory& directory, directory_lock lock,
                                                                   durability mode,
                                                                   std::shared_ptr<storage_environment> environment) {
  auto database = rocksdb_database::open(directory, open_mode::create, *environment);
  if (!database) return failure_of(database);
  auto& opened = *database;
  const auto written = first_totals(*opened);
  if (!written) return failure_of(written);
  const auto& totals = *written;
  if (totals.changes > 0) {
    return lost_history(fmt::format("according to {}, no vote was signed yet, but the database is not empty",
                                    quoted(directory.identity_file())));
  }
  if (auto done = acknowledged_mark::create(*environment, directory.mark_file(), totals.origin); !done) {
    return failure_of(done);
  }
  auto storage = open(directory, std::move(lock), mode, totals.origin, environment);
  if (storage) {
    (*storage)->database_ = std::move(opened);
    (*storage)->tracker_.continue_from(totals);
  }
  return storage;
}

or_error<stored_values::storage_totals> rocksdb_storage::first_totals(rocksdb_database& database) {
  std::string found;
  const auto key = slice_of(stored_keys::totals);
  const auto read = database.content().Get({}, database.of(column::ledger), key, &found);
  if (read.ok()) {
    const auto decoded = stored_values::decode_totals(as_byte_span(found));
    if (decoded) return *decoded;
    return lost_history("the stored totals are damaged");
  }
  if (!read.IsNotFound()) return database.error_of("read the database", read);
  stored_values::storage_totals totals;
  randombytes_buf(&totals.origin, sizeof(totals.origin));
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto encoded = stored_values::encode(totals);
  const auto written = database.content().Put(options, database.of(column::ledger), key, slice_of(encoded));
  if (!written.ok()) return database.error_of("make a database", written);
  return totals;
}

or_error<std::unique_ptr<rocksdb_storage>> rocksdb_storage::open(const node_directory& directory, directory_lock lock,
                                                                 durability mode, std::uint64_t origin,
                                                                 std::shared_ptr<storage_environment> environment) {
  require(mode != durability::memory, "mode memory has no database");
  auto read = acknowledged_mark::open(*environment, directory.mark_file());
  if (!read) return failure_of(read);
  auto& mark = *read;
  if (mark.origin() != origin) {
    return lost_history(fmt::format("{} belongs to database {:016x}, but the directory belongs to database {:016x}",
                                    quoted(directory.mark_file()), mark.origin(), origin));
  }
  return std::unique_ptr<rocksdb_storage>{
      new rocksdb_storage{std::move(environment), directory, std::move(lock), mode, std::move(mark)}};
}

rocksdb_storage::~rocksdb_storage() { close(); }

void rocksdb_storage::close() {
  syncer_.reset();
  if (!database_ || !was_read_ || !health_) return;
  const bool durable = database_->content().SyncWAL().ok();
  database_.reset();
  // If this mark cannot be written, the next start examines the log as after a crash. Nothing is lost.
  if (durable) (void)mark_.settle({tracker_.totals().changes, true});
}

// --- Reading -----------------------------------------------------------------

or_error<stored_history> rocksdb_storage::read() {
  require(!was_read_, "a storage is read once");
  stored_history history;
  if (!database_) {
    auto found = read_existing();
    if (!found) return fail(failure_of(found));
    history = std::move(*found);
  }
  if (auto done = begin_serving(); !done) return fail(failure_of(done));
  return history;
}

or_error<stored_history> rocksdb_storage::read_existing() {
  if (has_no_files(environment_->database(), directory_.database())) {
    return tl::unexpected(world_error{
        fmt::format("{} is missing or empty, but according to {}, {} changes were acknowledged",
                    quoted(directory_.database()), quoted(directory_.mark_file()), mark_.last().changes),
        fmt::format("mount its disk (findmnt; mount -a). Only if the disk is lost permanently, {}", learner_remedy),
        fault_origin::configuration});
  }
  const auto looking_mode = mark_.last().closed ? open_mode::examine_closed : open_mode::examine;
  auto examined = rocksdb_database::open(directory_, looking_mode, *environment_);
  if (!examined) return failure_of(examined);
  auto& looking = *examined;
  auto read = read_history(*looking, mark_);
  looking.reset();
  if (!read) return failure_of(read);
  auto& found = *read;
  auto serving = rocksdb_database::open(directory_, open_mode::serve, *environment_);
  if (!serving) return failure_of(serving);
  database_ = std::move(*serving);
  tracker_ = std::move(found.tracker);
  chunks_ = std::move(found.chunks);
  for (const auto& [leaf, size] : chunks_)
    chunk_bytes_ += size;
  if (auto done = drop_chunks(found.garbage); !done) return failure_of(done);
  return std::move(found.history);
}

or_error<void> rocksdb_storage::begin_serving() {
  // The mark must say "open" before the first write, because from now on a torn end of the log is not damage.
  if (auto done = mark_.settle({tracker_.totals().changes, false}); !done) return done;
  if (mode_ == durability::async) {
    syncer_ = std::make_unique<wal_syncer>(*database_, mark_, environment_->has_threads());
  }
  was_read_ = true;
  return {};
}

// --- Writing -----------------------------------------------------------------

or_error<void> rocksdb_storage::write(std::span<const storage_record> records) {
  if (auto healthy = health(); !healthy) return healthy;
  if (records.empty()) return {};
  rocksdb::WriteBatch batch;
  for (const auto& record : records) {
    require(record.bytes != nullptr, "a record has bytes");
    const auto head = stored_values::head_of(record, tracker_.take_order());
    put_record(batch, *database_, head, *record.bytes);
    tracker_.add(head, record.bytes->size());
  }
  return commit(batch, mode_ == durability::sync, "make records durable");
}

or_error<void> rocksdb_storage::forget_through(sequence_number last) {
  if (auto healthy = health(); !healthy) return healthy;
  if (!tracker_.forget_through(last)) return {};
  if (auto done = drop_tables(); !done) return done;
  rocksdb::WriteBatch batch;
  if (auto done = commit(batch, false, "forget records"); !done) return done;
  droppable_ = {tracker_.totals().changes, tracker_.lowest_order()};
  return {};
}

or_error<void> rocksdb_storage::drop_tables() {
  if (droppable_.before_order == 0 || durable_changes() < droppable_.changes) return {};
  const auto key = stored_values::key_of(droppable_.before_order);
  const auto end = slice_of(byte_span{key});
  const auto status = rocksdb::DeleteFilesInRange(&database_->content(), database_->of(column::records), nullptr, &end,
                                                  /*include_end=*/false);
  if (!status.ok()) return fail(database_->error_of("remove forgotten records", status));
  return {};
}

void rocksdb_storage::sync_log() {
  if (syncer_) syncer_->sync_written();
}

std::uint64_t rocksdb_storage::durable_changes() const { return syncer_ ? syncer_->synced() : mark_.last().changes; }

or_error<void> rocksdb_storage::commit(rocksdb::WriteBatch& batch, bool durable, std::string_view action) {
  tracker_.count_change();
  const auto totals = stored_values::encode(tracker_.totals());
  (void)batch.Put(database_->of(column::ledger), slice_of(stored_keys::totals), slice_of(totals));
  rocksdb::WriteOptions options;
  options.sync = durable;
  const auto status = database_->content().Write(options, &batch);
  if (!status.ok()) return fail(database_->error_of(action, status));
  const auto changes = tracker_.totals().changes;
  if (syncer_) {
    syncer_->on_written(changes);
  } else if (durable) {
    if (auto done = mark_.advance(changes); !done) return fail(failure_of(done));
  }
  return {};
}

// --- States ------------------------------------------------------------------

or_error<void> rocksdb_storage::store_chunks(std::span<const state_chunk> chunks) {
  if (auto healthy = health(); !healthy) return healthy;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  for (const auto& chunk : chunks) {
    if (!chunks_.emplace(chunk.leaf, chunk.bytes->size()).second) continue;
    chunk_bytes_ += chunk.bytes->size();
    const auto status = database_->content().Put(options, database_->of(column::chunks), slice_of(chunk.leaf.view()),
                                                 slice_of(byte_span{*chunk.bytes}));
    if (!status.ok()) return fail(database_->error_of("store state chunks", status));
  }
  return {};
}

or_error<void> rocksdb_storage::keep_state(sequence_number sequence, std::span<const digest> leaves) {
  if (auto healthy = health(); !healthy) return healthy;
  require(std::ranges::all_of(leaves, [this](const digest& leaf) { return chunks_.contains(leaf); }),
          "a state is kept after its chunks were stored");
  const auto flushed = database_->content().Flush({}, database_->of(column::chunks));
  if (!flushed.ok()) return fail(database_->error_of("make state chunks durable", flushed));
  const auto manifest = stored_values::encode_manifest(sequence, leaves);
  tracker_.set_state(manifest.check, manifest.bytes.size());
  rocksdb::WriteBatch batch;
  (void)batch.Put(database_->of(column::ledger), slice_of(stored_keys::manifest), slice_of(manifest.bytes));
  if (auto done = commit(batch, true, "store a state"); !done) return done;
  const std::unordered_set<digest, digest_hash> needed{leaves.begin(), leaves.end(), leaves.size()};
  std::vector<digest> unneeded;
  for (const auto& [leaf, size] : chunks_) {
    if (!needed.contains(leaf)) unneeded.push_back(leaf);
  }
  // The order of the table differs from library to library; equal seeds give equal databases.
  std::ranges::sort(unneeded);
  for (const auto& leaf : unneeded) {
    chunk_bytes_ -= chunks_.at(leaf);
    chunks_.erase(leaf);
  }
  if (auto done = drop_chunks(unneeded); !done) return fail(failure_of(done));
  return {};
}

or_error<void> rocksdb_storage::drop_chunks(std::span<const digest> leaves) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  while (!leaves.empty()) {
    const auto some = leaves.first(std::min(leaves.size(), deletions_per_batch));
    rocksdb::WriteBatch batch;
    for (const auto& leaf : some)
      (void)batch.Delete(database_->of(column::chunks), slice_of(leaf.view()));
    const auto status = database_->content().Write(options, &batch);
    if (!status.ok()) return database_->error_of("remove state chunks", status);
    leaves = leaves.subspan(some.size());
  }
  return {};
}

// --- Failing -----------------------------------------------------------------

or_error<void> rocksdb_storage::health() {
  require(was_read_ || !health_, "a storage is read before anything else");
  if (health_ && syncer_) health_ = syncer_->health();
  return health_;
}

tl::unexpected<world_error> rocksdb_storage::fail(tl::unexpected<world_error> error) {
  health_ = or_error<void>{error};
  return error;
}

}  // namespace hypermesh::storage
