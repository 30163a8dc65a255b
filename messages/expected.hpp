#pragma once

#include <hypermesh/expected.hpp>

#include "messages/kinds.hpp"

/// The outcomes that only the product needs. Those that hosts need too are in `hypermesh/expected.hpp`.
namespace hypermesh {

/// A value, or the reason why the bytes of a peer or client are refused.
template <class Value>
using or_rejection = tl::expected<Value, messages::rejection>;

/// The refusal of bytes, as an `or_rejection`.
[[nodiscard]] constexpr tl::unexpected<messages::rejection> rejected(messages::rejection reason) {
  return tl::unexpected<messages::rejection>{reason};
}

}  // namespace hypermesh
