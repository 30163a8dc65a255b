#include "runtime/storage/table_checksums.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <memory>
#include <sstream>

#include <fmt/format.h>
#include <rocksdb/file_checksum.h>

#include "runtime/durable_file.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/stored_values.hpp"

namespace hypermesh {

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

/// The content of a checksum file, which ends with its own.
std::string text_of(std::uint64_t size, const std::string& checksum) {
  auto text = fmt::format("crc32c {} {}", to_hex(as_byte_span(checksum)), size);
  return text + fmt::format(" {:016x}\n", stored_values::checksum_of(as_byte_span(text)));
}

bool is_sound(const std::string& text) {
  const auto end = text.rfind(' ');
  if (end == std::string::npos) return false;
  const auto content = text.substr(0, end);
  return text == content + fmt::format(" {:016x}\n", stored_values::checksum_of(as_byte_span(content)));
}

/// What `text_of` gives for the file as it is.
or_error<std::string> text_for(const std::filesystem::path& table) {
  const open_file file{::open(table.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file.is_open()) return failed_to("open", table, errno);
  const auto sum = rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
  std::vector<char> piece(piece_bytes);
  std::uint64_t size = 0;
  for (;;) {
    const auto count = ::read(file.descriptor(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failed_to("read", table, errno);
    if (count == 0) break;
    size += static_cast<std::uint64_t>(count);
    sum->Update(piece.data(), static_cast<std::size_t>(count));
  }
  sum->Finalize();
  return text_of(size, sum->GetChecksum());
}

std::string content_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream{file, std::ios::binary}.rdbuf();
  return text.str();
}

}  // namespace

std::optional<world_error> table_checksums::verify(const std::filesystem::path& database) const {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator{database, failed}) {
    if (entry.path().extension() != ".sst") continue;
    const auto expected = content_of(file_for(entry.path()));
    if (!is_sound(expected)) continue;
    const auto found = text_for(entry.path());
    if (const auto* error = std::get_if<world_error>(&found)) return *error;
    if (std::get<std::string>(found) != expected) {
      return lost_history(fmt::format("{} is damaged: its size or checksum is not that of the table that was written",
                                      quoted(entry.path())));
    }
  }
  return std::nullopt;
}

std::optional<world_error> table_checksums::tidy(const std::filesystem::path& database) const {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) return failed_to("make", folder_, failed.value());
  for (const auto& entry : std::filesystem::directory_iterator{folder_, failed}) {
    std::error_code ignored;
    if (!std::filesystem::exists(database / entry.path().filename(), ignored)) {
      std::filesystem::remove(entry.path(), ignored);
    }
  }
  return std::nullopt;
}

std::filesystem::path table_checksums::file_for(const std::filesystem::path& table) const {
  return folder_ / table.filename();
}

void table_checksums::forget(const std::filesystem::path& table) const {
  std::error_code ignored;
  std::filesystem::remove(file_for(table), ignored);
}

void table_checksums::OnTableFileCreationStarted(const rocksdb::TableFileCreationBriefInfo& info) {
  forget(info.file_path);
}

void table_checksums::OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) {
  // Of a table that came out empty nothing remains.
  if (!info.status.ok() || info.file_size == 0 || info.file_checksum.empty()) return;
  std::ofstream{file_for(info.file_path), std::ios::binary} << text_of(info.file_size, info.file_checksum);
}

void table_checksums::OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) { forget(info.file_path); }

}  // namespace hypermesh
