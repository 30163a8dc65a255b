#pragma once

#include "messages/expected.hpp"
#include "messages/values.hpp"

namespace hypermesh::wire {
struct PrePrepare;
}  // namespace hypermesh::wire

namespace hypermesh::messages {

/// Decodes the batch of a PRE-PREPARE. Its requests point into `frame` and are not copied. Only the codec's sources use
/// this function.
[[nodiscard]] or_rejection<batch> decode_batch(const wire::PrePrepare& encoded, const frame_ptr& frame);

}  // namespace hypermesh::messages
