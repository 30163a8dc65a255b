#include "runtime/storage/acknowledged_mark.hpp"

#include <array>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/storage/node_directory.hpp"
#include "runtime/storage/stored_values.hpp"

namespace hypermesh::storage {

namespace {

/// The smallest unit that disks write atomically.
constexpr std::size_t sector_bytes = 512;
constexpr std::size_t file_bytes = 2 * sector_bytes;
constexpr std::uint64_t magic = 0x314b'5241'4d48'4d48;

struct sector_content {
  std::uint64_t origin = 0;
  std::uint64_t turn = 0;
  acknowledged_mark::reading said;
};

byte_vector encode(const sector_content& content) {
  byte_writer writer{sector_bytes};
  writer.number(magic).number(content.origin).number(content.turn).number(content.said.changes);
  writer.number(std::uint64_t{content.said.closed ? 1U : 0U});
  auto out = writer.take();
  const auto check = stored_values::checksum_of(out);
  byte_writer tail;
  const auto encoded = tail.number(check).take();
  out.insert(out.end(), encoded.begin(), encoded.end());
  out.resize(sector_bytes);
  return out;
}

std::optional<sector_content> decode(byte_span sector) {
  byte_reader reader{sector};
  const auto found = reader.number<std::uint64_t>();
  sector_content out;
  out.origin = reader.number<std::uint64_t>();
  out.turn = reader.number<std::uint64_t>();
  out.said.changes = reader.number<std::uint64_t>();
  const auto closed = reader.number<std::uint64_t>();
  out.said.closed = closed == 1;
  const auto checked = sector.size() - reader.rest().size();
  if (reader.failed() || found != magic || closed > 1) return std::nullopt;
  const auto content = sector.first(checked);
  byte_reader tail{sector.subspan(checked)};
  if (tail.number<std::uint64_t>() != stored_values::checksum_of(content) || tail.failed()) return std::nullopt;
  return out;
}

}  // namespace

or_error<void> acknowledged_mark::create(storage_environment& environment, const std::filesystem::path& path,
                                         std::uint64_t origin) {
  const auto first = encode({origin, 0, {}});
  const auto second = encode({origin, 1, {}});
  auto text = std::string{as_text(first)};
  text += as_text(second);
  return environment.make_file(path, text);
}

or_error<acknowledged_mark> acknowledged_mark::open(storage_environment& environment,
                                                    const std::filesystem::path& path) {
  auto opened = environment.open_file(path);
  if (!opened) return failure_of(opened);
  auto& file = *opened;
  if (file == nullptr) {
    return lost_history(fmt::format("{} is missing, so the number of acknowledged changes is unknown", quoted(path)));
  }
  std::array<std::byte, file_bytes> bytes{};
  std::size_t size = 0;
  if (const int error = file->read(bytes, size); error != 0) return failed_to("read", path, error);
  std::optional<sector_content> newest;
  for (std::size_t at = 0; at < file_bytes; at += sector_bytes) {
    const auto sector = decode(byte_span{bytes}.subspan(at, sector_bytes));
    if (sector && (!newest || sector->turn > newest->turn)) newest = sector;
  }
  // The file is created with its full size and never grows, so a shorter file was damaged later.
  if (!newest || size != file_bytes) return lost_history(fmt::format("{} is damaged", quoted(path)));
  acknowledged_mark mark{path, std::move(file)};
  mark.origin_ = newest->origin;
  mark.last_ = newest->said;
  mark.turn_ = newest->turn;
  mark.synced_ = newest->said.changes;
  return mark;
}

or_error<void> acknowledged_mark::write_next(const reading& said) {
  ++turn_;
  const auto sector = encode({origin_, turn_, said});
  if (const int error = file_->write_at((turn_ & 1U) * sector_bytes, sector); error != 0) {
    return failed_to("write", path_, error);
  }
  last_ = said;
  return {};
}

or_error<void> acknowledged_mark::sync() {
  if (const int error = file_->sync(); error != 0) return failed_to("sync", path_, error);
  synced_ = last_.changes;
  return {};
}

or_error<void> acknowledged_mark::advance(std::uint64_t changes) {
  require(!last_.closed, "a closed storage promises nothing");
  require(changes >= last_.changes, "a promise is not taken back");
  if (auto done = write_next({changes, false}); !done) return done;
  if (changes - synced_ < changes_per_sync) return {};
  return sync();
}

or_error<void> acknowledged_mark::settle(const reading& said) {
  require(said.changes >= last_.changes, "a promise is not taken back");
  for (int sector = 0; sector < 2; ++sector) {
    if (auto done = write_next(said); !done) return done;
    if (auto done = sync(); !done) return done;
  }
  return {};
}

}  // namespace hypermesh::storage
