#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "actors/protocol/base/quorum.hpp"
#include "messages/limits.hpp"
#include "messages/signing.hpp"
#include "messages/types.hpp"

namespace hypermesh::protocol {

/// The longest VIEW-CHANGE with this many prepared certificates. A certificate has a quorum of signed statements of 120
/// bytes and 48 bytes of tables. The certificate of the stable checkpoint has a quorum of signed statements too.
[[nodiscard]] constexpr std::uint64_t view_change_bytes_of(group_size group, std::uint64_t certificates) {
  const std::uint64_t quorum = group.quorum();
  return certificates * (120 * quorum + 48) + 120 * quorum + limits::envelope_bytes_max;
}

/// The widest window whose NEW-VIEW still fits a frame when every slot in it is prepared: a quorum of
/// VIEW-CHANGEs, each with a certificate for each slot, and one reproposal for each slot. A group with a wider window
/// could not change views.
[[nodiscard]] constexpr std::uint32_t watermark_window_max_of(group_size group) {
  const std::uint64_t quorum = group.quorum();
  const auto fixed_bytes = view_change_bytes_of(group, 0);
  const auto certificate_bytes = view_change_bytes_of(group, 1) - fixed_bytes;
  const auto by_view_change = (limits::view_change_bytes_max - fixed_bytes) / certificate_bytes;
  const auto by_new_view = (limits::new_view_bytes_max - limits::envelope_bytes_max - quorum * fixed_bytes) /
                           (quorum * certificate_bytes + 120);
  const auto both = by_view_change < by_new_view ? by_view_change : by_new_view;
  return both < limits::watermark_window_max ? static_cast<std::uint32_t>(both) : limits::watermark_window_max;
}
static_assert(watermark_window_max_of(group_size{limits::replicas_min}) == limits::watermark_window_max);
static_assert(watermark_window_max_of(group_size{limits::replicas_max}) >= 16, "the largest group can still pipeline");

/// How a replica knows that a client has sent a request.
enum class request_authentication : std::uint8_t {
  /// The client signs each request, and each replica verifies the signature.
  signature,
  /// §5.2: the client authenticates each request to each replica with a session key, which is the key of its
  /// link. Replicas vouch for requests to each other (`vouch_board`).
  authenticator,
};
inline constexpr auto request_authentication_last = request_authentication::authenticator;

/// The names in genesis files, in the order of the enum.
inline constexpr std::array<std::string_view, 2> request_authentication_names = {"signature", "authenticator"};
static_assert(request_authentication_names.size() == static_cast<std::size_t>(request_authentication_last) + 1);
[[nodiscard]] constexpr std::string_view to_string(request_authentication mode) {
  return request_authentication_names.at(static_cast<std::size_t>(mode));
}
/// The mode with this name; nothing if there is none.
[[nodiscard]] constexpr std::optional<request_authentication> request_authentication_of(std::string_view name) {
  for (std::size_t mode = 0; mode < request_authentication_names.size(); ++mode) {
    if (request_authentication_names[mode] == name) return static_cast<request_authentication>(mode);
  }
  return std::nullopt;
}

/// The part of the genesis that the protocol needs. All correct replicas of one epoch agree on it before the first
/// message.
struct cluster_parameters {
  signing_context signing;
  std::uint32_t replicas = limits::replicas_min;
  std::uint32_t clients = 0;
  /// K of §4.3: a checkpoint follows each sequence number divisible by K.
  std::uint32_t checkpoint_period = 128;
  /// L of §4.2: H = h + L. §4.3 demands that L is "big enough so that replicas do not stall
  /// waiting for a checkpoint to become stable". The paper's example is twice the checkpoint
  /// period.
  std::uint32_t watermark_window = 256;
  /// How far the time of a batch may be ahead of the wall clock of a backup that votes for it, or behind it for long
  /// when its PRE-PREPARE arrives (§4.6). It must exceed the difference between the clocks of correct replicas, and the
  /// time that a PRE-PREPARE needs to reach a backup: synchronised clocks differ by less than 100 ms, and on a slow
  /// link or in a busy node a proposal waits for seconds at most. The time until the execution does not count.
  duration clock_skew_max = 10s;
  request_authentication requests_by = request_authentication::signature;

  [[nodiscard]] constexpr group_size group() const { return group_size{replicas}; }
  [[nodiscard]] constexpr bool is_checkpoint(sequence_number sequence) const {
    return sequence.value % checkpoint_period == 0;
  }
  /// Whether PBFT can run with these numbers.
  [[nodiscard]] constexpr bool is_valid() const {
    return replicas >= limits::replicas_min && replicas <= limits::replicas_max && clients <= limits::clients_max &&
           checkpoint_period >= 1 && watermark_window >= 2 * checkpoint_period &&
           watermark_window <= watermark_window_max_of(group()) && clock_skew_max > duration{} &&
           clock_skew_max <= limits::clock_skew_max;
  }
};

}  // namespace hypermesh::protocol
