#include "runtime/storage/rocksdb_database.hpp"

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <mutex>

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/file_checksum.h>
#include <rocksdb/table.h>

#include "runtime/storage/table_checksums.hpp"

namespace hypermesh::storage {

namespace {

constexpr std::uint64_t mib = 1ULL << 20U;

/// The largest size of all write-ahead logs together. A restart has to read them again.
constexpr std::uint64_t log_bytes_max = 16 * mib;
/// The cache has room for the blocks of one compaction. The node itself reads only when it starts.
constexpr std::size_t cache_bytes = 4 * mib;
/// Files are small because the data is small: tens of MiB, and most of it is soon forgotten.
constexpr std::uint64_t file_bytes = 8 * mib;

constexpr std::array<std::string_view, column_count> column_names = {"default", "records", "chunks"};
static_assert(!column_names.back().empty(), "one name for each column");

/// The write buffers of a column family, and the numbers of tables that make RocksDB react.
struct column_sizes {
  std::uint64_t write_buffer_bytes = 0;
  int write_buffers = 0;
  /// Numbers of tables that are not merged yet. At these numbers RocksDB starts a merge, slows writes down, and stops
  /// writes.
  int merge_at = 0;
  int slow_at = 0;
  int stop_at = 0;
};

/// When all buffers of a column family are full, writes to every column family wait until the next buffer is flushed. A
/// state arrives faster than the disk writes it, so the column family of chunks has more and smaller buffers. Measured
/// while a state was stored: with two buffers of 4 MiB, votes waited 76 ms at worst; with four buffers of 2 MiB, 35 ms.
/// 64 tables of 2 MiB have room for a state of 128 MiB that is written in one go.
constexpr std::array<column_sizes, column_count> sizes = {{
    {1 * mib, 2, 4, 20, 36},
    {4 * mib, 2, 4, 20, 36},
    {2 * mib, 4, 8, 64, 128},
}};

constexpr std::uint64_t write_buffer_bytes() {
  std::uint64_t all = 0;
  for (const auto& each : sizes)
    all += each.write_buffer_bytes * static_cast<std::uint64_t>(each.write_buffers);
  return all;
}
static_assert(write_buffer_bytes() == 18 * mib, "the class comment says so");
static_assert(sizes.back().write_buffer_bytes > 0, "sizes for each column");

rocksdb::ColumnFamilyOptions column_options(column which, const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::ColumnFamilyOptions options;
  const auto& size = sizes.at(static_cast<std::size_t>(which));
  options.write_buffer_size = size.write_buffer_bytes;
  options.max_write_buffer_number = size.write_buffers;
  options.level0_file_num_compaction_trigger = size.merge_at;
  options.level0_slowdown_writes_trigger = size.slow_at;
  options.level0_stop_writes_trigger = size.stop_at;
  // Compression is off, because signatures and digests do not compress.
  options.compression = rocksdb::kNoCompression;
  options.target_file_size_base = file_bytes;
  options.max_bytes_for_level_base = 4 * file_bytes;
  // Limits dead data to a tenth of the live data.
  options.level_compaction_dynamic_level_bytes = true;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::DBOptions database_options(open_mode mode) {
  rocksdb::DBOptions options;
  options.create_if_missing = mode == open_mode::create;
  options.create_missing_column_families = mode == open_mode::create;
  options.paranoid_checks = true;
  // This is not the default, kPointInTimeRecovery. The default takes a flipped bit for the end of history and forgets
  // everything after it. track_and_verify_wals_in_manifest stays off, because it does not cover the log that is being
  // written and has reported losses that were none. The totals together with the acknowledged mark find everything that
  // this option would find.
  options.wal_recovery_mode = mode == open_mode::examine_closed
                                  ? rocksdb::WALRecoveryMode::kAbsoluteConsistency
                                  : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.max_total_wal_size = log_bytes_max;
  // One job for flushes, one job for compactions.
  options.max_background_jobs = 2;
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.skip_stats_update_on_db_open = true;
  options.max_manifest_file_size = mib;
  options.manifest_preallocation_size = 64 * 1024;
  // Spreads the writing of a file over time, so a sync of the log in the meantime waits for fewer bytes.
  options.bytes_per_sync = mib;
  // RocksDB must not resume after an error. The node stops, because it no longer knows which promises are on the disk.
  options.max_bgerror_resume_count = 0;
  options.db_host_id.clear();
  return options;
}

/// The text without the prefix "[WARN] [file:line] " of RocksDB.
std::string without_origin(std::string text) {
  while (text.starts_with('[') && text.find("] ") != std::string::npos)
    text.erase(0, text.find("] ") + 2);
  return text;
}

/// For a missing table, RocksDB tries the old file name last and reports that name. This function puts the present name
/// in its place.
std::string with_present_names(std::string text) {
  constexpr std::string_view old_name = ".ldb";
  for (auto at = text.find(old_name); at != std::string::npos; at = text.find(old_name, at))
    text.replace(at, old_name.size(), ".sst");
  return text;
}

bool says(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string remedy_for(const rocksdb::Status& status, const std::string& text, const std::filesystem::path& path) {
  if (status.IsNoSpace() || says(text, "No space left") || says(text, "File too large") || says(text, "Disk quota")) {
    return fmt::format("free space (df -h {}), then start the replica again: no acknowledged data is lost",
                       quoted(path));
  }
  if (says(text, "While lock file")) return "stop the process that uses the directory";
  // RocksDB keeps only the system's text for an error and no errno.
  for (const int error : {EACCES, EPERM, EROFS, EMFILE, ENFILE, EIO, ENOMEM}) {
    if (says(text, std::strerror(error))) {
      return remedy_of(path, error) + "; then start the replica again: no acknowledged data is lost";
    }
  }
  // Any other error may be gone at the next start, whereas data that was given up would be lost. So only damage leads
  // to the advice to give the data up.
  const bool damaged =
      status.IsCorruption() || status.IsNotFound() || says(text, std::strerror(ENOENT)) || status.IsInvalidArgument();
  if (damaged) return std::string{learner_remedy};
  return fmt::format(
      "start the replica again; if it fails again, run journalctl -k and ls -la {}. Only if they show that "
      "the disk lost files, {}",
      quoted(path), learner_remedy);
}

}  // namespace

/// Replaces RocksDB's log file and keeps the last warning. The warning names the file where the status does not.
class rocksdb_database::warning_keeper final : public rocksdb::Logger {
 public:
  warning_keeper() : Logger(rocksdb::InfoLogLevel::WARN_LEVEL) {}

  using Logger::Logv;
  void Logv(const char* format, va_list values) override {
    std::array<char, 512> text{};
    if (std::vsnprintf(text.data(), text.size(), format, values) < 0) return;
    const std::scoped_lock lock{guard_};
    last_ = without_origin(text.data());
  }
  void LogHeader(const char*, va_list) override {}

  [[nodiscard]] std::string last() const {
    const std::scoped_lock lock{guard_};
    return last_;
  }

 private:
  mutable std::mutex guard_;
  std::string last_;
};

rocksdb_database::rocksdb_database(std::filesystem::path path)
    : path_(std::move(path)), warnings_(std::make_shared<warning_keeper>()) {}

rocksdb_database::~rocksdb_database() {
  if (!content_) return;
  for (auto* const each : columns_)
    (void)content_->DestroyColumnFamilyHandle(each);
  // Everything that was acknowledged is already on the disk, so an error here loses nothing.
  (void)content_->Close();
}

or_error<std::unique_ptr<rocksdb_database>> rocksdb_database::open(const node_directory& directory, open_mode mode,
                                                                   storage_environment& environment) {
  const auto path = directory.database();
  std::unique_ptr<rocksdb_database> database{new rocksdb_database{path}};
  auto options = database_options(mode);
  options.env = &environment.database();
  options.info_log = database->warnings_;
  options.file_checksum_gen_factory = rocksdb::GetFileChecksumGenCrc32cFactory();
  const bool for_looking = mode == open_mode::examine || mode == open_mode::examine_closed;
  const auto checksums = std::make_shared<table_checksums>(environment.database(), directory.checksums());
  if (auto done = for_looking ? checksums->verify(path) : checksums->tidy(path); !done) return failure_of(done);
  options.listeners.push_back(checksums);
  const auto cache = rocksdb::NewLRUCache(cache_bytes);
  std::vector<rocksdb::ColumnFamilyDescriptor> described;
  for (std::size_t index = 0; index < column_count; ++index)
    described.emplace_back(std::string{column_names.at(index)}, column_options(static_cast<column>(index), cache));
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = for_looking ? rocksdb::DB::OpenForReadOnly(options, path.string(), described, &handles, &opened)
                                  : rocksdb::DB::Open(options, path.string(), described, &handles, &opened);
  if (!status.ok()) return database->error_of("open the database", status);
  database->content_.reset(opened);
  std::copy(handles.begin(), handles.end(), database->columns_.begin());
  return database;
}

std::unique_ptr<rocksdb::Iterator> rocksdb_database::scan(column which) {
  rocksdb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  return std::unique_ptr<rocksdb::Iterator>{content_->NewIterator(options, of(which))};
}

tl::unexpected<world_error> rocksdb_database::error_of(std::string_view action, const rocksdb::Status& status) const {
  const auto text = with_present_names(status.ToString());
  auto what = fmt::format("cannot {} in {}: {}", action, quoted(path_), text);
  const auto warning = warnings_->last();
  if (!warning.empty()) what += fmt::format(" ({})", warning);
  return tl::unexpected(world_error{std::move(what), remedy_for(status, text, path_)});
}

}  // namespace hypermesh::storage
