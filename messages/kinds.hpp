#pragma once

#include <cstdint>
#include <string_view>

namespace hypermesh::messages {

/// The last byte of every frame. Every signature covers the kind, so a number is never reused for another kind.
enum class message_kind : std::uint8_t {
  request = 1,
  pre_prepare = 2,
  prepare = 3,
  commit = 4,
  reply = 5,
  checkpoint = 6,
  view_change = 7,
  new_view = 8,
  status = 9,
  checkpoint_proof = 10,
  state_request = 11,
  state_chunk = 12,
  suspicion = 13,
  query = 14,
  query_reply = 15,
  node_query = 16,
  node_report = 17,
  complaint = 18,
  release = 19,
  evidence = 20,
  readmission = 21,
  hand_over = 22,
  system_request = 23,
  receipt_query = 24,
  receipt_reply = 25,
  vouch = 26,
};

inline constexpr std::uint8_t message_kind_first = 1;
inline constexpr std::uint8_t message_kind_last = 26;

/// The name in the paper's spelling, for example "PRE-PREPARE".
[[nodiscard]] std::string_view to_string(message_kind kind);

/// The reason why received bytes or a received message were not accepted. Rejections are counted by sender and reason.
enum class rejection : std::uint8_t {
  // The form of the frame is wrong.
  empty_frame,
  unknown_kind,
  frame_too_long,
  malformed_buffer,
  missing_field,
  inconsistent_sizes,
  too_many_items,
  number_out_of_range,
  duplicate_request_in_batch,
  // The content of the message is wrong.
  not_a_member,
  sender_is_not_signer,
  wrong_epoch,
  bad_signature,
  kind_not_allowed_from_sender,
  wrong_digest,
  bad_certificate,
  /// A system request whose evidence proves nothing.
  unproven,
  // The message does not fit the protocol state of the receiver.
  other_view,
  outside_watermarks,
  not_from_primary,
  primary_voted_prepare,
  duplicate,
  conflicting_statement,
  already_decided,
  unsolicited,
  // The sender has exceeded a limit, or the receiver has no room.
  stale_timestamp,
  /// The replica sent more frames than `frame_rate_limit` admits.
  throttled,
  client_quota,
  overloaded,
};

/// Whether correct senders cause this rejection too, when messages are late, lost or sent again.
[[nodiscard]] constexpr bool is_benign(rejection reason) {
  switch (reason) {
    case rejection::other_view:
    case rejection::outside_watermarks:
    case rejection::duplicate:
    case rejection::already_decided:
    case rejection::unsolicited:
      return true;
    default:
      return false;
  }
}

inline constexpr auto rejection_last = rejection::overloaded;
inline constexpr std::size_t rejection_count = static_cast<std::size_t>(rejection_last) + 1;

/// The name in snake_case, for example "bad_signature". Metrics use the same name.
[[nodiscard]] std::string_view to_string(rejection reason);

}  // namespace hypermesh::messages
