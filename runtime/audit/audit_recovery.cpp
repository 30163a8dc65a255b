#include "runtime/audit/audit_recovery.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::audit {

namespace {

/// The content of the folder at the start, before anything is changed.
struct found_trail {
  trail_place place;
  std::optional<tail_was_cut> cut;
};

bool is_blank(byte_span bytes) {
  return std::ranges::all_of(bytes, [](std::byte each) { return each == std::byte{0}; });
}

/// Whether an interrupted write began the first record but left zeros in its place up to the end. A complete record
/// cannot look like this, because a hash does not end with this many zero bytes.
bool ends_blank(byte_span bytes, const record_reading& reading) {
  constexpr std::size_t blank_bytes_min = 8;
  const auto written =
      std::ranges::find_if(bytes.rbegin(), bytes.rend(), [](std::byte each) { return each != std::byte{0}; });
  const auto size = static_cast<std::size_t>(bytes.rend() - written);
  const auto record = reading.fault == record_fault::impossible_length ? record_prefix_bytes : reading.bytes;
  return bytes.size() - size >= blank_bytes_min && size < record;
}

class trail_examiner {
 public:
  trail_examiner(const audit_folder& folder, const trail_owner& owner, const authenticator& keys)
      : folder_(folder), owner_(owner), keys_(keys) {}

  /// Returns nothing if there is no trail yet.
  [[nodiscard]] or_error<std::optional<found_trail>> examine();

 private:
  [[nodiscard]] tl::unexpected<world_error> refuse(const std::filesystem::path& file, std::string_view what) const {
    return tl::unexpected(
        world_error{fmt::format("the audit trail was changed after this node wrote it: {}: {}", quoted(file), what),
                    fmt::format("move it away, so that a new trail begins: mv {0} {0}.kept; then find the change: "
                                "hypermesh audit verify {0}.kept --genesis FILE",
                                quoted(folder_.root))});
  }
  [[nodiscard]] bool is_interrupted_beginning(const std::vector<std::uint64_t>& numbers) const;
  [[nodiscard]] or_error<void> read_head_file(found_trail& out) const;
  [[nodiscard]] or_error<void> measure(const std::vector<std::uint64_t>& numbers, found_trail& out) const;
  [[nodiscard]] or_error<void> read_newest(found_trail& out) const;
  [[nodiscard]] or_error<void> read_entries(byte_span bytes, const std::filesystem::path& file, found_trail& out) const;
  [[nodiscard]] std::string fault_at(std::size_t offset, const record_reading& reading, std::uint64_t index) const;

  audit_folder folder_;
  trail_owner owner_;
  const authenticator& keys_;
};

or_error<std::optional<found_trail>> trail_examiner::examine() {
  auto listed = list_segments(folder_);
  if (!listed) return failure_of(listed);
  auto& numbers = *listed;
  std::error_code failed;
  const bool has_head = std::filesystem::exists(folder_.head_file(), failed);
  if (!has_head && is_interrupted_beginning(numbers)) return std::optional<found_trail>{};
  if (!has_head) return refuse(folder_.head_file(), "the file is missing");
  found_trail out;
  if (auto done = read_head_file(out); !done) return failure_of(done);
  // Retention dropped these segments from the head, but the last run ended before it deleted their files.
  std::erase_if(numbers, [&](std::uint64_t number) { return number < out.place.head.first_segment; });
  if (auto done = measure(numbers, out); !done) return failure_of(done);
  if (auto done = read_newest(out); !done) return failure_of(done);
  return std::optional{std::move(out)};
}

/// The first segment is created before the head and holds no entry until the head exists.
bool trail_examiner::is_interrupted_beginning(const std::vector<std::uint64_t>& numbers) const {
  if (numbers.empty()) return true;
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(folder_.segment_file(1), failed);
  return numbers == std::vector<std::uint64_t>{1} && !failed && bytes == segment_header_bytes;
}

or_error<void> trail_examiner::read_head_file(found_trail& out) const {
  auto read = read_trail_file(folder_.head_file(), head_bytes);
  if (!read) return failure_of(read);
  const auto head = decode_heads(*read, owner_, keys_);
  if (!head.newest) return refuse(folder_.head_file(), "neither part of the head is signed by this replica");
  out.place.head = *head.newest;
  if (!head.is_whole) out.cut.emplace().head_was_damaged = true;
  return {};
}

or_error<void> trail_examiner::measure(const std::vector<std::uint64_t>& numbers, found_trail& out) const {
  const auto& head = out.place.head;
  auto expected = head.first_segment;
  for (const auto number : numbers) {
    if (number != expected) return refuse(folder_.segment_file(expected), "the segment is missing");
    std::error_code failed;
    out.place.segments[number] = std::filesystem::file_size(folder_.segment_file(number), failed);
    if (failed) return failed_to("read", folder_.segment_file(number), failed.value());
    ++expected;
  }
  if (expected <= head.segment) return refuse(folder_.segment_file(expected), "the segment is missing");
  // The previous segment is sealed before a new segment begins, and the head is updated with that seal.
  if (expected > head.segment + 2)
    return refuse(folder_.segment_file(expected - 1), "the head does not list this segment");
  return {};
}

or_error<void> trail_examiner::read_newest(found_trail& out) const {
  const auto newest = out.place.segments.rbegin()->first;
  const auto file = folder_.segment_file(newest);
  auto read = read_trail_file(file, segment_file_bytes_max);
  if (!read) return failure_of(read);
  const auto& bytes = *read;
  const auto decoded = decode_header(bytes);
  if (!decoded) return refuse(file, decoded.error());
  const auto& header = *decoded;
  const auto& head = out.place.head;
  if (header.owner != owner_ || header.segment != newest) {
    return refuse(file, fmt::format("the header names segment {} of replica {} of cluster {}", header.segment,
                                    header.owner.self.value, to_hex(header.owner.context.cluster.view(), 8)));
  }
  if (!is_genuine_header(bytes, header, keys_)) return refuse(file, "the header is not signed by this replica");
  const bool is_behind_seal = newest > head.segment;
  const bool fits =
      is_behind_seal ? header.start == head.sealed && !head.closed : header.start.next_index <= head.sealed.next_index;
  if (!fits) return refuse(file, "the segment does not continue the chain that the head names");
  out.place.at = header.start;
  return read_entries(bytes, file, out);
}

or_error<void> trail_examiner::read_entries(byte_span bytes, const std::filesystem::path& file,
                                            found_trail& out) const {
  const auto& head = out.place.head;
  auto& at = out.place.at;
  std::size_t offset = segment_header_bytes;
  record_reading reading;
  while (offset < bytes.size()) {
    if (at.next_index == head.sealed.next_index && at.hash != head.sealed.hash) break;
    reading = read_record(bytes.subspan(offset), at);
    if (reading.fault != record_fault::none) break;
    offset += reading.bytes;
    at = {reading.entry.index + 1, reading.entry.hash};
  }
  if (at.next_index == head.sealed.next_index && at.hash != head.sealed.hash) {
    return refuse(file, fmt::format("entry {} is not the sealed one", at.next_index - 1));
  }
  // Signs of an interrupted write: the end is missing, or the file had grown and the new part was never filled. Neither
  // can happen before the last seal, because the head is written after the seal is durable.
  const bool is_torn = offset < bytes.size() &&
                       (reading.fault == record_fault::unfinished || is_blank(bytes.subspan(offset)) ||
                        (at.next_index >= head.sealed.next_index && ends_blank(bytes.subspan(offset), reading)));
  if (at.next_index < head.sealed.next_index && (offset == bytes.size() || is_torn)) {
    return refuse(file, fmt::format("the trail ends after entry {}, but {} entries were sealed", at.next_index,
                                    head.sealed.next_index));
  }
  if (head.closed && (at.next_index > head.sealed.next_index || offset < bytes.size())) {
    return refuse(file, "entries follow the seal that the node wrote when it stopped");
  }
  if (offset < bytes.size() && !is_torn) return refuse(file, fault_at(offset, reading, at.next_index));
  if (is_torn) {
    if (!out.cut) out.cut.emplace();
    out.cut->segment = out.place.segments.rbegin()->first;
    out.cut->offset = offset;
    out.cut->bytes = bytes.size() - offset;
    out.place.segments.rbegin()->second = offset;
  }
  return {};
}

std::string trail_examiner::fault_at(std::size_t offset, const record_reading& reading, std::uint64_t index) const {
  const bool is_length =
      reading.fault == record_fault::impossible_length || reading.fault == record_fault::wrong_length;
  const auto* const what = is_length ? "the length of the entry was changed"
                           : reading.fault == record_fault::wrong_index
                               ? "the entry belongs to another place of the trail"
                               : "the entry was changed after it was written";
  return fmt::format("at byte {}, entry {}: {}", offset, index, what);
}

or_error<std::unique_ptr<audit_trail>> begin_trail(std::unique_ptr<audit_files> files, const trail_owner& owner,
                                                   std::shared_ptr<const authenticator> keys, trail_settings settings) {
  const segment_header first{owner, 1, chain_start(owner)};
  if (auto done = files->begin_segment(1, encode_header(first, *keys)); !done) return failure_of(done);
  trail_head head;
  head.sealed = first.start;
  byte_vector sectors;
  for (const std::uint64_t turn : {0, 1}) {
    head.turn = turn;
    const auto sector = encode_head(head, owner, *keys);
    sectors.insert(sectors.end(), sector.begin(), sector.end());
  }
  if (auto done = files->create_head(sectors); !done) return failure_of(done);
  trail_place place{first.start, head, {{1, segment_header_bytes}}};
  return std::make_unique<audit_trail>(owner, std::move(keys), std::move(files), settings, std::move(place));
}

/// Makes the repairs that the examination found necessary, and records them in the trail.
or_error<std::unique_ptr<audit_trail>> continue_trail(std::unique_ptr<audit_files> files, const audit_folder& folder,
                                                      found_trail found, const trail_owner& owner,
                                                      std::shared_ptr<const authenticator> keys,
                                                      trail_settings settings, std::uint64_t time_us) {
  const auto newest = *found.place.segments.rbegin();
  if (auto done = files->resume(newest.first); !done) return failure_of(done);
  if (found.cut && found.cut->bytes > 0) {
    if (auto done = files->cut_back(newest.second); !done) return failure_of(done);
    if (auto done = files->sync(); !done) return failure_of(done);
  }
  const auto listed = list_segments(folder);
  if (!listed) return failure_of(listed);
  for (const auto number : *listed) {
    if (number >= found.place.head.first_segment) break;
    if (auto done = files->remove_segment(number); !done) return failure_of(done);
  }
  auto trail =
      std::make_unique<audit_trail>(owner, std::move(keys), std::move(files), settings, std::move(found.place));
  if (auto done = trail->begin_run(); !done) return failure_of(done);
  if (found.cut) trail->add(time_us, *found.cut);
  return trail;
}

}  // namespace

read_head decode_heads(byte_span sectors, const trail_owner& owner, const authenticator& keys) {
  read_head out;
  if (sectors.size() != head_bytes) return out;
  const auto first = decode_head(sectors.first(head_sector_bytes), owner, keys);
  const auto second = decode_head(sectors.last(head_sector_bytes), owner, keys);
  // Sectors are written alternately, so the lowest bit of a turn selects the sector.
  const auto is_here = [](const auto& head, std::uint64_t place) { return head && (head->turn & 1U) == place; };
  if (is_here(first, 0)) out.newest = first;
  if (is_here(second, 1) && (!out.newest || second->turn > out.newest->turn)) out.newest = second;
  if (is_here(first, 0) && is_here(second, 1)) {
    out.is_whole = std::max(first->turn, second->turn) - std::min(first->turn, second->turn) == 1;
  }
  return out;
}

or_error<std::unique_ptr<audit_trail>> open_audit_trail(const audit_folder& folder, const trail_owner& owner,
                                                        std::shared_ptr<const authenticator> keys,
                                                        trail_settings settings, std::uint64_t time_us) {
  auto opened = audit_files::open(folder);
  if (!opened) return failure_of(opened);
  auto& files = *opened;
  auto examined = trail_examiner{folder, owner, *keys}.examine();
  if (!examined) return failure_of(examined);
  auto& found = *examined;
  if (!found) return begin_trail(std::move(files), owner, std::move(keys), settings);
  return continue_trail(std::move(files), folder, std::move(*found), owner, std::move(keys), settings, time_us);
}

}  // namespace hypermesh::audit
