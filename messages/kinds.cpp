#include "messages/kinds.hpp"

#include <array>

namespace hypermesh::messages {

std::string_view to_string(message_kind kind) {
  static constexpr std::array<std::string_view, message_kind_last + 1> names = {
      "UNKNOWN",     "REQUEST",     "PRE-PREPARE",    "PREPARE",          "COMMIT",        "REPLY",       "CHECKPOINT",
      "VIEW-CHANGE", "NEW-VIEW",    "STATUS",         "CHECKPOINT-PROOF", "STATE-REQUEST", "STATE-CHUNK", "SUSPICION",
      "QUERY",       "QUERY-REPLY", "NODE-QUERY",     "NODE-REPORT",      "COMPLAINT",     "RELEASE",     "EVIDENCE",
      "READMISSION", "HAND-OVER",   "SYSTEM-REQUEST", "RECEIPT-QUERY",    "RECEIPT-REPLY", "VOUCH"};
  static_assert(!names.back().empty(), "one name for each kind");
  const auto index = static_cast<std::size_t>(kind);
  return index < names.size() ? names[index] : names[0];
}

std::string_view to_string(rejection reason) {
  static constexpr std::array<std::string_view, rejection_count> names = {"empty_frame",
                                                                          "unknown_kind",
                                                                          "frame_too_long",
                                                                          "malformed_buffer",
                                                                          "missing_field",
                                                                          "inconsistent_sizes",
                                                                          "too_many_items",
                                                                          "number_out_of_range",
                                                                          "duplicate_request_in_batch",
                                                                          "not_a_member",
                                                                          "sender_is_not_signer",
                                                                          "wrong_epoch",
                                                                          "bad_signature",
                                                                          "kind_not_allowed_from_sender",
                                                                          "wrong_digest",
                                                                          "bad_certificate",
                                                                          "unproven",
                                                                          "other_view",
                                                                          "outside_watermarks",
                                                                          "not_from_primary",
                                                                          "primary_voted_prepare",
                                                                          "duplicate",
                                                                          "conflicting_statement",
                                                                          "already_decided",
                                                                          "unsolicited",
                                                                          "stale_timestamp",
                                                                          "throttled",
                                                                          "client_quota",
                                                                          "overloaded"};
  static_assert(names.back() == "overloaded", "one name for each rejection");
  return names[static_cast<std::size_t>(reason)];
}

}  // namespace hypermesh::messages
