#pragma once

#include <cstdint>

#include "messages/expected.hpp"
#include "messages/values.hpp"

namespace hypermesh::wire {
struct ReceiptReply;
}  // namespace hypermesh::wire

namespace hypermesh::messages {

/// Decodes the share of a replica in a receipt for operation `index` of its request. Only the codec's sources use this.
[[nodiscard]] or_rejection<receipt_share> decode_receipt_share(const wire::ReceiptReply& encoded, std::uint32_t index);

}  // namespace hypermesh::messages
