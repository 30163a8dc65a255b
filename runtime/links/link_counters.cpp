#include "runtime/links/link_counters.hpp"

#include <fmt/format.h>

#include "messages/frame.hpp"
#include "messages/require.hpp"

namespace hypermesh::links {

namespace {

constexpr std::array<std::string_view, link_count_count> names = {
    "frames_in",         "frames_out",          "frame_bytes_in",
    "frame_bytes_out",   "wire_bytes_in",       "wire_bytes_out",
    "keepalives_in",     "keepalives_out",      "dropped_queue_full",
    "dropped_link_down", "dropped_too_long",    "dials",
    "accepted",          "established",         "reconnects",
    "reading_halted",    "unexpected_messages", "links_up",
    "client_links_open", "handshakes_pending",
};

static_assert(!names.back().empty(), "every counter has a name");

}  // namespace

std::string_view to_string(link_count what) {
  const auto index = static_cast<std::size_t>(what);
  require(index < names.size(), "a link counter is one of the enumerators");
  return names[index];
}

std::vector<named_counter> link_counters::snapshot() const {
  std::vector<named_counter> all;
  all.reserve(link_count_count + link_error_count);
  for (std::size_t index = 0; index < link_count_count; ++index) {
    const auto what = static_cast<link_count>(index);
    all.push_back({fmt::format("link_{}", to_string(what)), of(what)});
  }
  for (std::size_t index = 0; index < link_error_count; ++index) {
    const auto reason = static_cast<link_error>(index);
    all.push_back({fmt::format("link_closed_{}", to_string(reason)), of(reason)});
  }
  for (std::uint32_t number = 0; number < limits::replicas_max; ++number) {
    if (!was_misdirected_[number].load(std::memory_order_relaxed)) continue;
    const auto answered = answers_[number].load(std::memory_order_relaxed);
    all.push_back({fmt::format("link_answers_as{{replica=\"{}\"}}", number), answered == number + 1 ? 0 : answered});
  }
  return all;
}

void link_counters::add_frame(link_direction direction, byte_span frame) {
  const bool is_in = direction == link_direction::in;
  add(is_in ? link_count::frames_in : link_count::frames_out);
  add(is_in ? link_count::frame_bytes_in : link_count::frame_bytes_out, frame.size());
  const auto kind = kind_of(frame);
  if (!kind) return;
  auto& counts = kinds_[index_of(direction)][index_of(*kind)];
  counts.frames.fetch_add(1, std::memory_order_relaxed);
  counts.bytes.fetch_add(frame.size(), std::memory_order_relaxed);
}

frame_count link_counters::of(link_direction direction, message_kind kind) const {
  const auto& counts = kinds_[index_of(direction)][index_of(kind)];
  return {counts.frames.load(std::memory_order_relaxed), counts.bytes.load(std::memory_order_relaxed)};
}

void link_counters::note_answer(replica_id dialed, replica_id answered) {
  require(dialed.value < limits::replicas_max && answered.value < limits::replicas_max, "both are members");
  answers_[dialed.value].store(answered.value + 1, std::memory_order_relaxed);
  if (dialed != answered) was_misdirected_[dialed.value].store(true, std::memory_order_relaxed);
}

std::vector<misdirected_address> link_counters::misdirected() const {
  std::vector<misdirected_address> all;
  for (std::uint32_t number = 0; number < limits::replicas_max; ++number) {
    const auto answered = answers_[number].load(std::memory_order_relaxed);
    if (answered != 0 && answered != number + 1) all.push_back({replica_id{number}, replica_id{answered - 1}});
  }
  return all;
}

}  // namespace hypermesh::links
