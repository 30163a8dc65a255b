#pragma once

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/storage.hpp"

/// Common code of the tests of the durable storage: directories, and short notations for records.
namespace hypermesh::testing::storage_test {

/// A folder that is removed when the test ends. If possible, the folder is in memory, because thousands of syncs would
/// wait for other users of the disk.
class scratch_folder {
 public:
  scratch_folder() {
    const std::filesystem::path memory = "/dev/shm";
    const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
    auto name = (parent / "hypermesh-storage-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~scratch_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  scratch_folder(const scratch_folder&) = delete;
  scratch_folder& operator=(const scratch_folder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline storage_owner owner() {
  storage_owner made;
  made.cluster.bytes.fill(std::byte{0xc1});
  made.cluster_name = "tested";
  made.self = replica_id{2};
  return made;
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

template <class Value>
void expect_done(const or_error<Value>& outcome) {
  REQUIRE_MESSAGE(outcome.has_value(), (outcome ? "" : outcome.error().what));
}

inline void initialise(const std::filesystem::path& directory, bool learner = false) {
  expect_done(initialise_storage(directory, owner(), learner));
}

using opened = or_error<std::unique_ptr<stable_storage>>;

inline std::unique_ptr<stable_storage> storage_of(opened made) {
  expect_done(made);
  return std::move(*made);
}

inline world_error error_of(const opened& made) {
  REQUIRE(!made);
  return made.error();
}

inline std::unique_ptr<stable_storage> open_in(const std::filesystem::path& directory,
                                               durability mode = durability::sync) {
  return storage_of(open_storage(directory, owner(), mode));
}

inline stored_history history_of(or_error<stored_history> read) {
  expect_done(read);
  return std::move(*read);
}

/// Opens and reads the storage. Returns the history, or the reason why there is none.
inline or_error<stored_history> examine(const std::filesystem::path& directory) {
  auto made = open_storage(directory, owner(), durability::sync);
  if (!made) return failure_of(made);
  return (*made)->read();
}

/// A storage that has been read, and its content.
struct reading_storage {
  std::unique_ptr<stable_storage> storage;
  stored_history history;
};

inline reading_storage start_in(const std::filesystem::path& directory, durability mode = durability::sync) {
  reading_storage out{open_in(directory, mode), {}};
  out.history = history_of(out.storage->read());
  return out;
}

inline storage_record record_of(record_kind kind, std::uint64_t sequence, std::string_view text,
                                std::uint64_t view = 0) {
  return {kind, view_number{view}, sequence_number{sequence},
          std::make_shared<const byte_vector>(to_byte_vector(text))};
}

inline state_chunk chunk_of(std::string_view text) {
  auto bytes = std::make_shared<const byte_vector>(to_byte_vector(text));
  const auto leaf = state_chunk_digest(*bytes);
  return {std::move(bytes), leaf};
}

inline std::vector<digest> leaves_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return leaves;
}

/// The whole history as text, so that a person can read a difference.
inline std::string text_of(const stored_history& history) {
  std::ostringstream out;
  if (history.state) {
    out << "state " << history.state->sequence.value << ':';
    for (const auto& chunk : history.state->snapshot)
      out << ' ' << to_hex(chunk.leaf.view(), 4) << '/' << to_hex(state_chunk_digest(*chunk.bytes).view(), 4);
    out << '\n';
  }
  for (const auto& record : history.records) {
    out << static_cast<int>(record.kind) << " v=" << record.view.value << " n=" << record.sequence.value << ' '
        << record.bytes->size() << ' ' << to_hex(state_chunk_digest(*record.bytes).view(), 4) << '\n';
  }
  return out.str();
}

/// All files with their sizes. A file that is removed during the listing is left out.
inline std::vector<std::pair<std::filesystem::path, std::uintmax_t>> listing_of(
    const std::filesystem::path& directory) {
  namespace fs = std::filesystem;
  std::vector<std::pair<fs::path, std::uintmax_t>> found;
  for (const auto& entry : fs::recursive_directory_iterator{directory}) {
    std::error_code gone;
    const bool is_file = entry.is_regular_file(gone);
    const auto size = is_file ? fs::file_size(entry.path(), gone) : 0;
    if (is_file && !gone) found.emplace_back(entry.path().lexically_relative(directory), size);
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// Copies the files of a directory and its folders in the state that a crash of the process at this moment would leave.
/// The storage must not be written meanwhile. If the database removes files in the background, the copy is made again.
inline void copy_directory(const std::filesystem::path& from, const std::filesystem::path& to) {
  namespace fs = std::filesystem;
  for (auto before = listing_of(from);;) {
    fs::remove_all(to);
    fs::create_directories(to);
    for (const auto& [file, size] : before) {
      std::error_code gone;
      fs::create_directories((to / file).parent_path());
      fs::copy_file(from / file, to / file, gone);
    }
    auto after = listing_of(from);
    if (after == before) return;
    before = std::move(after);
  }
}

inline std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream{path, std::ios::binary}.rdbuf();
  return text.str();
}

inline void replace_content(const std::filesystem::path& path, std::string_view text) {
  std::ofstream out{path, std::ios::binary | std::ios::trunc};
  out << text;
  out.close();
  REQUIRE(out.good());
}

/// All files with their paths inside of the directory.
inline std::vector<std::filesystem::path> files_in(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  for (auto& [file, size] : listing_of(directory))
    found.push_back(std::move(file));
  return found;
}

}  // namespace hypermesh::testing::storage_test
