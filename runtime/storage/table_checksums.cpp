#include "runtime/storage/table_checksums.hpp"

#include <vector>

#include <fmt/format.h>
#include <rocksdb/file_checksum.h>

#include "runtime/base/durable_file.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/stored_values.hpp"

namespace hypermesh::storage {

namespace {

constexpr std::size_t piece_bytes = 256 * 1024;

/// The content of a checksum file. The text ends with a checksum of itself.
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

tl::unexpected<world_error> failed_to(std::string_view action, const std::filesystem::path& path,
                                      const rocksdb::IOStatus& status) {
  return tl::unexpected(
      world_error{fmt::format("cannot {} {}: {}", action, quoted(path), status.ToString()),
                  fmt::format("check the path and its permissions: ls -la {}", quoted(path.parent_path()))});
}

/// Calls `use` with the content of a file, piece by piece.
template <class Use>
rocksdb::IOStatus for_each_piece(rocksdb::FileSystem& files, const std::filesystem::path& path, const Use& use) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  auto status = files.NewSequentialFile(path.string(), {}, &file, nullptr);
  std::vector<char> piece(piece_bytes);
  while (status.ok()) {
    rocksdb::Slice found;
    status = file->Read(piece.size(), {}, &found, piece.data(), nullptr);
    if (!status.ok() || found.empty()) break;
    use(found);
  }
  return status;
}

/// Makes the text of `text_of` for the present content of the table.
or_error<std::string> text_for(rocksdb::FileSystem& files, const std::filesystem::path& table) {
  const auto sum = rocksdb::GetFileChecksumGenCrc32cFactory()->CreateFileChecksumGenerator({});
  std::uint64_t size = 0;
  const auto status = for_each_piece(files, table, [&](const rocksdb::Slice& piece) {
    size += piece.size();
    sum->Update(piece.data(), piece.size());
  });
  if (!status.ok()) return failed_to("read", table, status);
  sum->Finalize();
  return text_of(size, sum->GetChecksum());
}

/// The content of a file; empty when the file cannot be read.
std::string content_of(rocksdb::FileSystem& files, const std::filesystem::path& file) {
  std::string text;
  (void)for_each_piece(files, file, [&](const rocksdb::Slice& piece) { text.append(piece.data(), piece.size()); });
  return text;
}

std::vector<std::string> names_in(rocksdb::FileSystem& files, const std::filesystem::path& folder) {
  std::vector<std::string> names;
  (void)files.GetChildren(folder.string(), {}, &names, nullptr);
  return names;
}

}  // namespace

table_checksums::table_checksums(rocksdb::Env& environment, std::filesystem::path folder)
    : files_(environment.GetFileSystem()), folder_(std::move(folder)) {}

or_error<void> table_checksums::verify(const std::filesystem::path& database) const {
  for (const auto& name : names_in(*files_, database)) {
    const auto table = database / name;
    if (table.extension() != ".sst") continue;
    const auto expected = content_of(*files_, file_for(table));
    if (!is_sound(expected)) continue;
    const auto found = text_for(*files_, table);
    if (!found) return failure_of(found);
    if (*found != expected) {
      return lost_history(
          fmt::format("{} is damaged: its size or checksum is not that of the table that was written", quoted(table)));
    }
  }
  return {};
}

or_error<void> table_checksums::tidy(const std::filesystem::path& database) const {
  const auto made = files_->CreateDirIfMissing(folder_.string(), {}, nullptr);
  if (!made.ok()) return failed_to("make", folder_, made);
  for (const auto& name : names_in(*files_, folder_)) {
    if (!files_->FileExists((database / name).string(), {}, nullptr).ok()) forget(name);
  }
  return {};
}

std::filesystem::path table_checksums::file_for(const std::filesystem::path& table) const {
  return folder_ / table.filename();
}

void table_checksums::forget(const std::filesystem::path& table) const {
  (void)files_->DeleteFile(file_for(table).string(), {}, nullptr);
}

void table_checksums::OnTableFileCreationStarted(const rocksdb::TableFileCreationBriefInfo& info) {
  forget(info.file_path);
}

void table_checksums::OnTableFileCreated(const rocksdb::TableFileCreationInfo& info) {
  // RocksDB does not keep a table that turned out empty.
  if (!info.status.ok() || info.file_size == 0 || info.file_checksum.empty()) return;
  std::unique_ptr<rocksdb::FSWritableFile> file;
  if (!files_->NewWritableFile(file_for(info.file_path).string(), {}, &file, nullptr).ok()) return;
  (void)file->Append(text_of(info.file_size, info.file_checksum), {}, nullptr);
  (void)file->Close({}, nullptr);
}

void table_checksums::OnTableFileDeleted(const rocksdb::TableFileDeletionInfo& info) { forget(info.file_path); }

}  // namespace hypermesh::storage
