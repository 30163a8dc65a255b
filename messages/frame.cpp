#include "messages/frame.hpp"

#include "messages/limits.hpp"

namespace hypermesh::messages {

std::optional<message_kind> kind_of(byte_span frame) {
  if (frame.empty()) return std::nullopt;
  const auto last = std::to_integer<std::uint8_t>(frame.back());
  if (last < message_kind_first || last > message_kind_last) return std::nullopt;
  return static_cast<message_kind>(last);
}

std::size_t frame_bytes_max_of(message_kind kind) {
  switch (kind) {
    case message_kind::request:
    case message_kind::query:
      return limits::client_frame_bytes_max;
    case message_kind::pre_prepare:
      return limits::batch_bytes_max + 4 * limits::requests_per_batch_max + limits::envelope_bytes_max;
    case message_kind::reply:
    case message_kind::query_reply:
      return limits::reply_bytes_max + 8 * limits::operations_per_request_max + limits::envelope_bytes_max;
    case message_kind::view_change:
      return limits::view_change_bytes_max;
    case message_kind::new_view:
      return limits::new_view_bytes_max;
    case message_kind::status:
      return limits::watermark_window_max + limits::envelope_bytes_max;
    case message_kind::checkpoint_proof:
      return limits::replicas_max * 120 + limits::envelope_bytes_max;
    case message_kind::state_chunk:
      return limits::state_chunk_bytes_max + limits::merkle_path_max * digest::size + limits::envelope_bytes_max;
    case message_kind::node_report:
      return limits::report_counters_max * (limits::report_name_bytes_max + 32) + limits::envelope_bytes_max;
    case message_kind::receipt_reply:
      return 2 * limits::receipt_path_max * digest::size + limits::envelope_bytes_max;
    case message_kind::vouch:
      return limits::vouched_requests_max * 52 + limits::envelope_bytes_max;
    case message_kind::evidence:
    case message_kind::system_request:
      return limits::request_bytes_max + limits::envelope_bytes_max;
    case message_kind::prepare:
    case message_kind::commit:
    case message_kind::checkpoint:
    case message_kind::state_request:
    case message_kind::suspicion:
    case message_kind::node_query:
    case message_kind::receipt_query:
    case message_kind::complaint:
    case message_kind::release:
    case message_kind::readmission:
    case message_kind::hand_over:
      return limits::envelope_bytes_max;
  }
  return 0;
}

}  // namespace hypermesh::messages
