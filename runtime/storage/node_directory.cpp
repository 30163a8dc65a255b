#include "runtime/storage/node_directory.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>

#include <fmt/format.h>

#include "messages/digest.hpp"
#include "messages/limits.hpp"
#include "runtime/base/toml_document.hpp"

namespace hypermesh::storage {

namespace {

constexpr mode_t private_mode = 0600;
constexpr std::uint64_t any_number = (1ULL << 63U) - 1;
constexpr std::array<std::string_view, static_cast<std::size_t>(vote_history_last) + 1> history_names = {"none", "kept",
                                                                                                         "lost"};
static_assert(!history_names.back().empty(), "one word for each history");
constexpr std::array<std::string_view, static_cast<std::size_t>(directory_origin_last) + 1> origin_names = {"no", "yes",
                                                                                                            "new"};
static_assert(!origin_names.back().empty(), "one word for each origin");

std::string_view name_of(vote_history votes) { return history_names.at(static_cast<std::size_t>(votes)); }
std::string_view name_of(directory_origin origin) { return origin_names.at(static_cast<std::size_t>(origin)); }

/// The name of a cluster, changed so that it is safe between quotes.
std::string plain(std::string name) {
  std::ranges::replace_if(
      name, [](char letter) { return letter == '"' || letter == '\\' || static_cast<unsigned char>(letter) < ' '; },
      '?');
  return name;
}

std::string checksum_of(const directory_identity& identity, std::uint64_t format) {
  hasher hash{"hypermesh node identity"};
  hash.add(format).add(identity.owner.cluster.view());
  hash.add(identity.owner.cluster_name.size()).add(as_byte_span(identity.owner.cluster_name));
  hash.add(std::uint64_t{identity.owner.self.value}).add(as_byte_span(name_of(identity.votes)));
  hash.add(static_cast<std::uint64_t>(identity.origin)).add(identity.database);
  return to_hex(hash.finish().view(), 8);
}

std::string text_of(const directory_identity& identity) {
  return fmt::format(
      "# The owner of this directory. Written by hypermesh. Do not edit it, and never run a copy of the directory "
      "with\n"
      "# the original, because the replica would sign conflicting messages.\n"
      "format = {}\ncluster = \"{}\"\ncluster_name = \"{}\"\nreplica = {}\n"
      "# none: no vote was signed yet; kept: the database holds the votes; lost: the replica ran in mode memory.\n"
      "votes = \"{}\"\n"
      "# yes: this replica lost its votes and must learn the cluster's state before it votes again.\n"
      "# new: 'hypermesh init' made the directory; the other replicas must confirm that this replica never voted.\n"
      "learner = \"{}\"\n"
      "database = \"{:016x}\"\n"
      "checksum = \"{}\"\n",
      directory_format, to_hex(identity.owner.cluster.view()), identity.owner.cluster_name, identity.owner.self.value,
      name_of(identity.votes), name_of(identity.origin), identity.database, checksum_of(identity, directory_format));
}

or_error<void> check_format(std::uint64_t format, const std::filesystem::path& file) {
  if (format == directory_format) return {};
  return tl::unexpected(world_error{
      fmt::format("{} has format {}, but this version reads format {}", quoted(file), format, directory_format),
      "start the replica with the version that wrote the directory"});
}

bool is_number_in_hex(const std::string& text, std::uint64_t& out) {
  const auto* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, out, 16);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

directory_identity read_fields(toml_table& root, std::uint64_t format) {
  directory_identity out;
  if (!from_hex(root.text("cluster"), out.owner.cluster.bytes))
    root.complain("cluster", "'cluster' is not a cluster id");
  out.owner.cluster_name = root.text("cluster_name");
  out.owner.self = replica_id{static_cast<std::uint32_t>(root.number("replica", 0, limits::replicas_max - 1))};
  const auto votes = std::ranges::find(history_names, root.text("votes"));
  if (votes == history_names.end()) {
    root.complain("votes", "'votes' must be none, kept or lost");
  } else {
    out.votes = static_cast<vote_history>(votes - history_names.begin());
  }
  const auto origin = std::ranges::find(origin_names, root.text("learner"));
  if (origin == origin_names.end()) {
    root.complain("learner", "'learner' must be yes, no or new");
  } else {
    out.origin = static_cast<directory_origin>(origin - origin_names.begin());
  }
  if (!is_number_in_hex(root.text("database"), out.database)) root.complain("database", "'database' is not a number");
  if (root.text("checksum") != checksum_of(out, format)) root.complain("checksum", "the checksum is wrong");
  root.expect_nothing_else();
  return out;
}

std::string name_of(const storage_owner& owner) {
  return fmt::format("replica {} of cluster '{}' (id {}…)", owner.self.value, owner.cluster_name,
                     to_hex(owner.cluster.view(), 8));
}

or_error<void> check_owner(const node_directory& directory, const storage_owner& found, const storage_owner& wanted) {
  if (found.cluster == wanted.cluster && found.self == wanted.self) return {};
  return tl::unexpected(world_error{
      fmt::format("{} belongs to {}, but this node is {}", quoted(directory.root), name_of(found), name_of(wanted)),
      "set 'directory' of [storage] in node.toml to this replica's own directory", fault_origin::configuration});
}

/// The error advises to mount the disk, because an empty directory is far more often an unmounted disk than a lost
/// disk.
tl::unexpected<world_error> absent_data(const std::filesystem::path& root, bool exists) {
  return tl::unexpected(world_error{
      fmt::format("the data directory {} {}", quoted(root), exists ? "is empty" : "does not exist"),
      fmt::format("mount its disk (findmnt; mount -a), or correct 'directory' of [storage] in node.toml. Only if the "
                  "disk is lost permanently, {}",
                  learner_remedy),
      fault_origin::configuration});
}

/// Describes the process that holds the lock, for example "process 123 (hypermesh)", as far as it is known.
std::string holder_of(int lock) {
  std::array<char, 32> text{};
  const auto size = ::pread(lock, text.data(), text.size(), 0);
  int process = 0;
  if (size <= 0 || std::from_chars(text.data(), text.data() + size, process).ec != std::errc{}) {
    return "another process";
  }
  std::string name;
  std::getline(std::ifstream{fmt::format("/proc/{}/comm", process)}, name);
  return name.empty() ? fmt::format("process {}", process) : fmt::format("process {} ({})", process, name);
}

}  // namespace

tl::unexpected<world_error> lost_history(std::string what) {
  return tl::unexpected(world_error{std::move(what), std::string{learner_remedy}});
}

bool is_absent(const std::filesystem::path& root) {
  std::error_code failed;
  if (!std::filesystem::exists(root, failed)) return !failed;
  // A new file system contains the folder lost+found, which mkfs creates and no replica wrote.
  for (const auto& entry : std::filesystem::directory_iterator{root, failed}) {
    if (entry.path().filename() != "lost+found") return false;
  }
  return !failed;
}

or_error<directory_identity> read_identity(const node_directory& directory, const storage_owner& owner) {
  const auto file = directory.identity_file();
  const open_file root_folder{::open(directory.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!root_folder.is_open() && errno != ENOENT) return failed_to("open the data directory", directory.root, errno);
  if (is_absent(directory.root)) return absent_data(directory.root, root_folder.is_open());
  auto content = read_small_file(file, config_bytes_max);
  if (!content) {
    std::error_code unknown;
    // A file that exists but cannot be read now is not lost. So its error must not advise `--learner`.
    if (std::filesystem::exists(file, unknown) || unknown) return failure_of(content);
    return lost_history(fmt::format("{} is missing, so the votes of this replica are unknown", quoted(file)));
  }
  auto read = toml_document::parse(file, *content);
  if (!read) return lost_history(read.error().what);
  const auto& document = *read;
  auto root = document.root();
  const auto format = root.number("format", 1, any_number);
  // A newer format may have other keys. An older format has these keys, so a wrong checksum means a damaged file.
  if (format > directory_format) return failure_of(check_format(format, file));
  auto identity = read_fields(root, format);
  if (!document.problems().empty()) return lost_history(error_of(document.problems()).what);
  if (auto done = check_format(format, file); !done) return failure_of(done);
  auto asked = owner;
  asked.cluster_name = plain(std::move(asked.cluster_name));
  if (auto done = check_owner(directory, identity.owner, asked); !done) return failure_of(done);
  return identity;
}

or_error<void> write_identity(const node_directory& directory, const directory_identity& identity,
                              existing_file existing) {
  auto written = identity;
  written.owner.cluster_name = plain(std::move(written.owner.cluster_name));
  return write_durable_file(directory.identity_file(), text_of(written), private_mode, existing);
}

or_error<directory_lock> directory_lock::take(const node_directory& directory) {
  const auto path = directory.lock_file();
  open_file file{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_mode)};
  if (!file.is_open()) return failed_to("write", path, errno);
  if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed_to("lock", path, errno);
    return tl::unexpected(
        world_error{fmt::format("{} is in use by {}", quoted(directory.root), holder_of(file.descriptor())),
                    "stop that process, or correct 'directory' of [storage] in node.toml"});
  }
  // The text is only for people, so a failure does not matter.
  const auto text = fmt::format("{}\n", ::getpid());
  if (::ftruncate(file.descriptor(), 0) == 0) (void)!::pwrite(file.descriptor(), text.data(), text.size(), 0);
  return directory_lock{std::move(file)};
}

}  // namespace hypermesh::storage
