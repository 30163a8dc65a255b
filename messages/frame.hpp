#pragma once

#include <memory>
#include <optional>

#include "messages/kinds.hpp"
#include "messages/types.hpp"

namespace hypermesh::messages {

/// The bytes of one message as sent or received: `FlatBuffer [‖ signature] ‖ kind`. The kind
/// comes last so that the FlatBuffer before it is aligned. A frame is immutable and shared,
/// so all actors of a node use it without a copy.
using frame_ptr = std::shared_ptr<const byte_vector>;

/// Part of a frame that keeps the whole frame alive.
struct blob {
  frame_ptr owner;
  byte_span view;
};

/// The kind in the last byte, or nothing if that byte is not a known kind.
[[nodiscard]] std::optional<message_kind> kind_of(byte_span frame);

/// The largest number of bytes of a frame of this kind, including the kind byte.
[[nodiscard]] std::size_t frame_bytes_max_of(message_kind kind);

/// The frame without its kind.
[[nodiscard]] inline byte_span body_of(byte_span frame) { return frame.first(frame.size() - 1); }

}  // namespace hypermesh::messages
