#include "runtime/audit/audit_trail.hpp"

#include <algorithm>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::audit {

audit_trail::audit_trail(trail_owner owner, std::shared_ptr<const authenticator> keys, std::unique_ptr<audit_sink> sink,
                         trail_settings settings, trail_place place)
    : owner_(owner),
      keys_(std::move(keys)),
      sink_(std::move(sink)),
      settings_(settings),
      at_(place.at),
      head_(place.head),
      segments_(std::move(place.segments)) {
  require(!segments_.empty(), "a trail has a segment");
  require(head_.sealed.next_index <= at_.next_index, "the chain reaches at least to its last seal");
}

or_error<void> audit_trail::begin_run() {
  auto next = head_;
  next.closed = false;
  return write_head(next, true);
}

void audit_trail::add(std::uint64_t time_us, const audit_event& event) {
  waiting_.push_back({time_us, kind_of(event), encode_audit_payload(event)});
}

void audit_trail::note_lost(loss_reason reason, std::uint64_t entries, std::uint64_t time_us) {
  if (entries == 0) return;
  auto [found, is_first] = losses_.try_emplace(reason, entries_were_lost{reason, 0, time_us});
  found->second.entries += entries;
  lost_ += entries;
}

bool audit_trail::is_room_for(const draft& written, std::size_t record_bytes) const {
  const auto held = segment_size() + written.bytes.size();
  return held == segment_header_bytes || held + record_bytes <= settings_.segment_bytes;
}

/// The chain position advances only after the operating system has accepted the bytes. So after an error the position
/// still matches the written trail.
or_error<void> audit_trail::write(draft& records) {
  if (records.entries == 0) return {};
  if (is_end_dirty_) {
    if (auto done = sink_->cut_back(segment_size()); !done) return done;
    is_end_dirty_ = false;
  }
  if (auto done = sink_->append(records.bytes); !done) {
    is_end_dirty_ = true;
    return done;
  }
  require(records.at.next_index == at_.next_index + records.entries, "a chain has no holes");
  segments_.rbegin()->second += records.bytes.size();
  at_ = records.at;
  records = new_draft();
  return {};
}

/// Writes an entry about the missing entries before the entries that come after them.
or_error<void> audit_trail::write_losses(std::uint64_t time_us) {
  if (losses_.empty()) return {};
  auto records = new_draft();
  for (const auto& [reason, loss] : losses_) {
    append_record(records.bytes, records.at, time_us, audit_kind::lost, encode_audit_payload(loss));
    ++records.entries;
  }
  if (auto done = write(records); !done) return done;
  losses_.clear();
  return {};
}

or_error<void> audit_trail::flush(std::uint64_t time_us) {
  auto group = std::exchange(waiting_, {});
  std::uint64_t unwritten = group.size();
  const auto fail = [&](or_error<void> error) {
    note_lost(loss_reason::write_failed, unwritten, group.empty() ? time_us : group.front().time_us);
    return error;
  };
  if (auto done = write_losses(time_us); !done) return fail(std::move(done));
  auto records = new_draft();
  for (const auto& each : group) {
    if (!is_room_for(records, record_bytes_of(each.payload.size()))) {
      const auto entries = records.entries;
      if (auto done = write(records); !done) return fail(std::move(done));
      unwritten -= entries;
      if (auto done = rotate(time_us); !done) return fail(std::move(done));
      records = new_draft();
    }
    append_record(records.bytes, records.at, each.time_us, each.kind, each.payload);
    ++records.entries;
  }
  if (auto done = write(records); !done) return fail(std::move(done));
  return {};
}

or_error<void> audit_trail::seal(std::uint64_t time_us, sequence_number checkpoint, bool closed) {
  checkpoint_ = std::max(checkpoint_, checkpoint);
  if (auto done = flush(time_us); !done) return done;
  return write_seal(time_us, closed);
}

/// The head is written after the entries that it counts are durable. So the head never claims more entries than the
/// disk has.
or_error<void> audit_trail::write_seal(std::uint64_t time_us, bool closed) {
  auto records = new_draft();
  const auto payload = make_seal(owner_, *keys_, at_, time_us, checkpoint_);
  append_record(records.bytes, records.at, time_us, audit_kind::seal, payload);
  records.entries = 1;
  if (auto done = write(records); !done) return done;
  if (auto done = sink_->sync(); !done) return done;
  auto next = head_;
  next.segment = segment();
  next.sealed = at_;
  next.closed = closed;
  return write_head(next, closed);
}

or_error<void> audit_trail::rotate(std::uint64_t time_us) {
  // If the last attempt to begin the next segment failed, this segment is already sealed.
  const bool is_sealed = head_.segment == segment() && head_.sealed == at_;
  if (!is_sealed) {
    if (auto done = write_seal(time_us, false); !done) return done;
  }
  const auto next = segment() + 1;
  const auto header = encode_header({owner_, next, at_}, *keys_);
  if (auto done = sink_->begin_segment(next, header); !done) return done;
  segments_[next] = header.size();
  return forget_oldest();
}

/// The head names the oldest segment before older segments are deleted. So a verifier can distinguish retention from a
/// segment that somebody removed.
or_error<void> audit_trail::forget_oldest() {
  std::vector<std::uint64_t> forgotten;
  auto held = progress().bytes;
  for (const auto& [number, bytes] : segments_) {
    if (held <= settings_.retained_bytes || number == segment()) break;
    forgotten.push_back(number);
    held -= bytes;
  }
  if (forgotten.empty()) return {};
  auto next = head_;
  next.first_segment = forgotten.back() + 1;
  if (auto done = write_head(next, true); !done) return done;
  for (const auto number : forgotten) {
    if (auto done = sink_->remove_segment(number); !done) return done;
    segments_.erase(number);
  }
  return {};
}

or_error<void> audit_trail::write_head(trail_head next, bool durable) {
  next.turn = head_.turn + 1;
  require(next.sealed.next_index >= head_.sealed.next_index, "the sealed part of a trail never shrinks");
  if (auto done = sink_->write_head(next.turn & 1U, encode_head(next, owner_, *keys_), durable); !done) return done;
  head_ = next;
  return {};
}

trail_progress audit_trail::progress() const {
  trail_progress out{at_.next_index, head_.sealed.next_index, 0, lost_};
  for (const auto& [number, bytes] : segments_)
    out.bytes += bytes;
  return out;
}

}  // namespace hypermesh::audit
