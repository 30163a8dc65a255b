#pragma once

#include "messages/expected.hpp"
#include "messages/values.hpp"

namespace hypermesh {

namespace wire {
struct PrePrepare;
}  // namespace wire

/// Decodes the batch of a PRE-PREPARE, whose frame its requests share; for the codec's sources only.
[[nodiscard]] or_rejection<batch> decode_batch(const wire::PrePrepare& encoded, const frame_ptr& frame);

}  // namespace hypermesh
