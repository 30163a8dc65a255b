#pragma once

#include <optional>
#include <variant>
#include <vector>

#include "actors/protocol/base/effects.hpp"
#include "actors/protocol/base/observations.hpp"
#include "actors/protocol/client/client_core.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"

/// Reads the effects of a core for assertions.
namespace hypermesh::testing {

/// The message in a frame that one of our cores made.
[[nodiscard]] inline message read_frame(const frame_ptr& frame) {
  auto decoded = decode(frame);
  require(decoded.has_value(), "a core sends what decodes");
  return std::move(*decoded);
}

/// All messages of type `Message` among `sends`, in order.
template <class Message>
[[nodiscard]] std::vector<Message> sent(const std::vector<outgoing_message>& sends) {
  std::vector<Message> found;
  for (const auto& each : sends) {
    auto value = read_frame(each.frame);
    if (auto* wanted = std::get_if<Message>(&value)) found.push_back(std::move(*wanted));
  }
  return found;
}

/// The reasons of all rejections among the observations, in order.
[[nodiscard]] inline std::vector<rejection> rejections_in(const std::vector<observation>& observations) {
  std::vector<rejection> reasons;
  for (const auto& each : observations) {
    if (const auto* rejected = std::get_if<frame_rejected>(&each)) reasons.push_back(rejected->reason);
  }
  return reasons;
}

/// All observations of type `Observation`, in order.
template <class Observation>
[[nodiscard]] std::vector<Observation> observed_in(const std::vector<observation>& observations) {
  std::vector<Observation> found;
  for (const auto& each : observations) {
    if (const auto* wanted = std::get_if<Observation>(&each)) found.push_back(*wanted);
  }
  return found;
}

[[nodiscard]] inline std::vector<client_error> errors_in(const client_effects& effects) {
  std::vector<client_error> errors;
  for (const auto& each : effects.done) {
    if (const auto* error = std::get_if<client_error>(&each.outcome)) errors.push_back(*error);
  }
  return errors;
}

}  // namespace hypermesh::testing
