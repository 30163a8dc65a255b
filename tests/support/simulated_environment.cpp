#include "tests/support/simulated_environment.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "messages/require.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/storage/node_directory.hpp"

namespace hypermesh::testing {

namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus status_of(disk_outcome outcome, const std::string& path) {
  switch (outcome) {
    case disk_outcome::done:
      return IOStatus::OK();
    case disk_outcome::missing:
      return IOStatus::PathNotFound(path);
    case disk_outcome::no_space:
      return IOStatus::NoSpace("No space left on the simulated device", path);
    case disk_outcome::failed:
      break;
  }
  return IOStatus::IOError("the simulated disk fails", path);
}

int number_of(disk_outcome outcome) {
  switch (outcome) {
    case disk_outcome::done:
      return 0;
    case disk_outcome::missing:
      return ENOENT;
    case disk_outcome::no_space:
      return ENOSPC;
    case disk_outcome::failed:
      break;
  }
  return EIO;
}

std::string_view text_of(const Slice& data) { return {data.data(), data.size()}; }

/// The common base of all kinds of open files.
struct opened {
  simulated_disk& disk;
  turn_taking& turns;
  std::string path;
  simulated_disk::file what;

  IOStatus read(std::size_t at, std::size_t size, Slice* result, char* scratch) const {
    std::size_t count = 0;
    const auto outcome = disk.read(*what, at, size, scratch, count);
    *result = Slice{scratch, count};
    return status_of(outcome, path);
  }
};

class sequential_file final : public rocksdb::FSSequentialFile {
 public:
  explicit sequential_file(opened file) : file_(std::move(file)) {}

  IOStatus Read(std::size_t size, const IOOptions&, Slice* result, char* scratch, IODebugContext*) override {
    const auto status = file_.read(at_, size, result, scratch);
    at_ += result->size();
    return status;
  }
  IOStatus Skip(std::uint64_t size) override {
    at_ = std::min(at_ + static_cast<std::size_t>(size), file_.what->bytes.size());
    return IOStatus::OK();
  }

 private:
  opened file_;
  std::size_t at_ = 0;
};

class random_file final : public rocksdb::FSRandomAccessFile {
 public:
  explicit random_file(opened file) : file_(std::move(file)) {}

  IOStatus Read(std::uint64_t at, std::size_t size, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    return file_.read(static_cast<std::size_t>(at), size, result, scratch);
  }

 private:
  opened file_;
};

class writable_file final : public rocksdb::FSWritableFile {
 public:
  writable_file(opened file, const FileOptions& options)
      : rocksdb::FSWritableFile(options), file_(std::move(file)), is_log_(file_.path.ends_with(".log")) {}

  using rocksdb::FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    file_.turns.await_turn(is_log_);
    return status_of(file_.disk.append(*file_.what, text_of(data)), file_.path);
  }
  IOStatus Truncate(std::uint64_t size, const IOOptions&, IODebugContext*) override {
    file_.turns.await_turn(false);
    if (size == file_.what->bytes.size()) return IOStatus::OK();
    return status_of(file_.disk.truncate(*file_.what, static_cast<std::size_t>(size)), file_.path);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override {
    file_.turns.await_turn(false);
    return status_of(file_.disk.sync(file_.what), file_.path);
  }
  bool IsSyncThreadSafe() const override { return true; }
  /// Asks the system to begin writing. This makes nothing durable.
  IOStatus RangeSync(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override {
    return IOStatus::OK();
  }
  IOStatus Allocate(std::uint64_t, std::uint64_t, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  std::uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return file_.what->bytes.size(); }

 private:
  opened file_;
  bool is_log_;
};

class folder final : public rocksdb::FSDirectory {
 public:
  folder(simulated_disk& disk, turn_taking& turns, std::string path)
      : disk_(disk), turns_(turns), path_(std::move(path)) {}

  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    turns_.await_turn(false);
    return status_of(disk_.sync_names(), path_);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }

 private:
  simulated_disk& disk_;
  turn_taking& turns_;
  std::string path_;
};

/// Only one process uses the disk, so the lock is always free.
class no_lock final : public rocksdb::FileLock {};

class sectors final : public updatable_file {
 public:
  explicit sectors(opened file) : file_(std::move(file)) {}

  int write_at(std::size_t at, byte_span bytes) override {
    file_.turns.await_turn(false);
    return number_of(file_.disk.overwrite(*file_.what, at, as_text(bytes)));
  }
  int sync() override {
    file_.turns.await_turn(false);
    return number_of(file_.disk.sync(file_.what));
  }
  int read(std::span<std::byte> into, std::size_t& count) override {
    return number_of(file_.disk.read(*file_.what, 0, into.size(), reinterpret_cast<char*>(into.data()), count));
  }

 private:
  opened file_;
};

}  // namespace

class simulated_environment::file_system final : public rocksdb::FileSystem {
 public:
  file_system(simulated_disk& disk, turn_taking& turns) : disk_(disk), turns_(turns) {}

  const char* Name() const override { return "simulated"; }

  IOStatus NewSequentialFile(const std::string& path, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result, IODebugContext*) override {
    auto [status, file] = open(path);
    if (status.ok()) *result = std::make_unique<sequential_file>(std::move(file));
    return status;
  }
  IOStatus NewRandomAccessFile(const std::string& path, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result, IODebugContext*) override {
    auto [status, file] = open(path);
    if (status.ok()) *result = std::make_unique<random_file>(std::move(file));
    return status;
  }
  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext*) override {
    turns_.await_turn(false);
    simulated_disk::file made;
    const auto outcome = disk_.create(path, made);
    if (outcome == disk_outcome::done) {
      *result = std::make_unique<writable_file>(opened{disk_, turns_, path, std::move(made)}, options);
    }
    return status_of(outcome, path);
  }
  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result, IODebugContext* context) override {
    auto [status, file] = open(path);
    if (status.IsPathNotFound()) return NewWritableFile(path, options, result, context);
    if (status.ok()) *result = std::make_unique<writable_file>(std::move(file), options);
    return status;
  }
  IOStatus NewDirectory(const std::string& path, const IOOptions&, std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext*) override {
    *result = std::make_unique<folder>(disk_, turns_, path);
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& path, const IOOptions&, IODebugContext*) override {
    if (disk_.is_killed()) return status_of(disk_outcome::failed, path);
    return disk_.exists(path) ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string& path, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    if (disk_.is_killed()) return status_of(disk_outcome::failed, path);
    *result = disk_.list(path);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& path, const IOOptions&, IODebugContext*) override {
    turns_.await_turn(false);
    return status_of(disk_.remove(path), path);
  }
  IOStatus CreateDir(const std::string&, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus CreateDirIfMissing(const std::string&, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus DeleteDir(const std::string&, const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus GetFileSize(const std::string& path, const IOOptions&, std::uint64_t* size, IODebugContext*) override {
    return status_of(disk_.size_of(path, *size), path);
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, std::uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    turns_.await_turn(false);
    return status_of(disk_.rename(from, to), from);
  }
  IOStatus LinkFile(const std::string& from, const std::string& to, const IOOptions&, IODebugContext*) override {
    turns_.await_turn(false);
    return status_of(disk_.link(from, to), from);
  }
  IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** lock, IODebugContext*) override {
    *lock = new no_lock;
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* path, IODebugContext*) override {
    *path = "/test";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& path, const IOOptions&, std::string* out, IODebugContext*) override {
    *out = path;
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& path, const IOOptions&, bool* is, IODebugContext*) override {
    *is = !disk_.exists(path);
    return IOStatus::OK();
  }

 private:
  std::pair<IOStatus, opened> open(const std::string& path) {
    opened file{disk_, turns_, path, nullptr};
    auto status = status_of(disk_.open(path, file.what), path);
    return {std::move(status), std::move(file)};
  }

  simulated_disk& disk_;
  turn_taking& turns_;
};

/// RocksDB's environment: files are simulated, and jobs run in turns.
class simulated_environment::environment final : public rocksdb::EnvWrapper {
 public:
  environment(const std::shared_ptr<rocksdb::FileSystem>& files, turn_taking& turns)
      : EnvWrapper(rocksdb::NewCompositeEnv(files)), turns_(turns) {
    file_system_ = files;
  }

  const char* Name() const override { return "simulated"; }
  void Schedule(void (*run)(void*), void* with, Priority, void* tag, void (*taken_back)(void*)) override {
    turns_.add(
        tag, [run, with] { run(with); },
        [taken_back, with] {
          if (taken_back != nullptr) taken_back(with);
        });
  }
  int UnSchedule(void* tag, Priority) override { return turns_.take_back(tag); }
  unsigned int GetThreadPoolQueueLen(Priority) const override { return 0; }
  void SetBackgroundThreads(int, Priority) override {}
  int GetBackgroundThreads(Priority) override { return 1; }
  void IncBackgroundThreadsIfNeeded(int, Priority) override {}

 private:
  turn_taking& turns_;
};

simulated_environment::simulated_environment(simulated_disk& disk)
    : disk_(disk), database_(std::make_unique<environment>(std::make_shared<file_system>(disk, turns_), turns_)) {}

simulated_environment::~simulated_environment() = default;

rocksdb::Env& simulated_environment::database() { return *database_; }

or_error<void> simulated_environment::make_file(const std::filesystem::path& path, std::string_view content) {
  const auto draft = path.string() + ".new";
  simulated_disk::file made;
  auto outcome = disk_.create(draft, made);
  if (outcome == disk_outcome::done) outcome = disk_.append(*made, content);
  if (outcome == disk_outcome::done) outcome = disk_.sync(made);
  if (outcome == disk_outcome::done) outcome = disk_.rename(draft, path.string());
  if (outcome == disk_outcome::done) outcome = disk_.sync_names();
  if (outcome != disk_outcome::done) return failed_to("write", path, number_of(outcome));
  return {};
}

or_error<std::unique_ptr<updatable_file>> simulated_environment::open_file(const std::filesystem::path& path) {
  opened file{disk_, turns_, path.string(), nullptr};
  const auto outcome = disk_.open(file.path, file.what);
  if (outcome == disk_outcome::missing) return std::unique_ptr<updatable_file>{};
  if (outcome != disk_outcome::done) return failed_to("open", path, number_of(outcome));
  return std::unique_ptr<updatable_file>{std::make_unique<sectors>(std::move(file))};
}

}  // namespace hypermesh::testing
