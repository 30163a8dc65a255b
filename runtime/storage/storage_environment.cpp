#include "runtime/storage/storage_environment.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include <rocksdb/env.h>

#include "runtime/base/durable_file.hpp"

namespace hypermesh::storage {

namespace {

constexpr mode_t private_mode = 0600;

class system_file final : public updatable_file {
 public:
  explicit system_file(open_file file) : file_(std::move(file)) {}

  int write_at(std::size_t at, byte_span bytes) override {
    const auto written = ::pwrite(file_.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0) return errno;
    return written == static_cast<ssize_t>(bytes.size()) ? 0 : EIO;
  }
  int sync() override { return ::fdatasync(file_.descriptor()) == 0 ? 0 : errno; }
  int read(std::span<std::byte> into, std::size_t& count) override {
    const auto found = ::pread(file_.descriptor(), into.data(), into.size(), 0);
    if (found < 0) return errno;
    count = static_cast<std::size_t>(found);
    return 0;
  }

 private:
  open_file file_;
};

class this_machine final : public storage_environment {
 public:
  rocksdb::Env& database() override { return *rocksdb::Env::Default(); }

  or_error<void> make_file(const std::filesystem::path& path, std::string_view content) override {
    return write_durable_file(path, content, private_mode, existing_file::replace);
  }

  or_error<std::unique_ptr<updatable_file>> open_file(const std::filesystem::path& path) override {
    base::open_file file{::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW)};
    if (!file.is_open() && errno == ENOENT) return std::unique_ptr<updatable_file>{};
    if (!file.is_open()) return failed_to("open", path, errno);
    return std::unique_ptr<updatable_file>{std::make_unique<system_file>(std::move(file))};
  }

  [[nodiscard]] bool has_threads() const override { return true; }
};

}  // namespace

std::shared_ptr<storage_environment> system_environment() { return std::make_shared<this_machine>(); }

}  // namespace hypermesh::storage
