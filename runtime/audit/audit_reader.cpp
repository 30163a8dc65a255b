#include "runtime/audit/audit_reader.hpp"

#include <fmt/format.h>

#include "runtime/audit/audit_trail.hpp"

namespace hypermesh::audit {

namespace {

std::string text_of(record_fault fault, const record_reading& reading, const chain_position& at) {
  switch (fault) {
    case record_fault::impossible_length:
      return "the entry has an impossible length";
    case record_fault::wrong_length:
      return "the length of the entry was changed";
    case record_fault::wrong_index:
      return fmt::format("found entry {}, expected entry {}: entries were removed, inserted or moved",
                         reading.entry.index, at.next_index);
    case record_fault::wrong_hash:
      return "the hash chain is broken: this entry or the previous one was changed";
    case record_fault::none:
    case record_fault::unfinished:
      break;
  }
  return "the entry is cut off by the end of the file";
}

/// Reads the segments in order and stops at the first objection.
class trail_walker {
 public:
  trail_walker(const audit_folder& folder, const trail_visitor& visitor) : folder_(folder), visitor_(visitor) {}

  or_error<audit_reader> walk() {
    auto listed = list_segments(folder_);
    if (!listed) return failure_of(listed);
    const auto& numbers = *listed;
    if (numbers.empty()) {
      return tl::unexpected(
          world_error{fmt::format("there is no audit trail in {}", quoted(folder_.root)),
                      "name the directory with the files 000001.log and so on, by default 'audit' beside node.toml"});
    }
    auto expected = numbers.front();
    for (const auto number : numbers) {
      if (number != expected)
        object({folder_.segment_file(expected), expected, 0, out_.end.next_index}, "the segment is missing");
      if (out_.bad) break;
      if (auto done = walk_segment(number, number == numbers.back()); !done) return failure_of(done);
      if (out_.bad) break;
      ++expected;
    }
    return std::move(out_);
  }

 private:
  void object(trail_spot spot, std::string what) { out_.bad = {std::move(spot), std::move(what)}; }

  [[nodiscard]] or_error<void> walk_segment(std::uint64_t number, bool is_last) {
    const auto file = folder_.segment_file(number);
    const auto read = read_trail_file(file, segment_file_bytes_max);
    if (!read) return failure_of(read);
    const auto& bytes = *read;
    trail_spot spot{file, number, 0, out_.end.next_index};
    if (!enter(bytes, spot)) return {};
    spot.offset = segment_header_bytes;
    while (spot.offset < bytes.size()) {
      spot.index = out_.end.next_index;
      const auto reading = read_record(byte_span{bytes}.subspan(spot.offset), out_.end);
      if (reading.fault == record_fault::unfinished && is_last) {
        out_.unfinished_bytes = reading.bytes;
        break;
      }
      if (!pass(reading, spot)) return {};
      spot.offset += reading.bytes;
    }
    spot.index = out_.end.next_index;
    out_.end_spot = spot;
    out_.bytes += bytes.size();
    out_.last_segment = number;
    return {};
  }

  [[nodiscard]] bool enter(byte_span bytes, const trail_spot& spot) {
    const auto decoded = decode_header(bytes);
    if (!decoded) return object(spot, decoded.error()), false;
    const auto& header = *decoded;
    if (!out_.first) {
      out_.first = header;
      out_.end = header.start;
    }
    const auto& owner = out_.first->owner;
    if (header.owner != owner) {
      object(spot, fmt::format("the segment belongs to replica {} of cluster {}, the previous ones to replica {} of "
                               "cluster {}",
                               header.owner.self.value, to_hex(header.owner.context.cluster.view(), 8),
                               owner.self.value, to_hex(owner.context.cluster.view(), 8)));
    } else if (header.segment != spot.segment) {
      object(spot, fmt::format("the file holds segment {}, which its name contradicts", header.segment));
    } else if (header.segment == 1 && header.start != chain_start(owner)) {
      object(spot, "the first segment does not begin with the start of the chain");
    } else if (header.start != out_.end) {
      object(spot,
             fmt::format("the segment continues another chain or another place, after entry {}: the previous segment "
                         "ends with entry {}",
                         header.start.next_index, out_.end.next_index));
    } else if (auto done = visitor_.on_segment(header, bytes); !done) {
      object(spot, std::move(done.error()));
    }
    return !out_.bad;
  }

  [[nodiscard]] bool pass(const record_reading& reading, const trail_spot& spot) {
    if (reading.fault != record_fault::none) {
      object(spot, text_of(reading.fault, reading, out_.end));
      return false;
    }
    const auto event = decode_audit_payload(reading.entry.kind, reading.entry.payload);
    if (!event) {
      object(spot, fmt::format(
                       "the content of an entry of kind {} is invalid: it was chained, but not by this version of the "
                       "product",
                       static_cast<unsigned>(reading.entry.kind)));
    } else if (auto done = visitor_.on_entry(spot, reading.entry, *event, out_.end); !done) {
      object(spot, std::move(done.error()));
    }
    out_.end = {reading.entry.index + 1, reading.entry.hash};
    return !out_.bad;
  }

  const audit_folder& folder_;
  const trail_visitor& visitor_;
  audit_reader out_;
};

}  // namespace

or_error<audit_reader> walk_trail(const audit_folder& folder, const trail_visitor& visitor) {
  return trail_walker{folder, visitor}.walk();
}

}  // namespace hypermesh::audit
