#pragma once

#include <cstring>

#include "messages/values.hpp"
#include "schemas/common_generated.h"

/// Conversions between generated structs and values. Only the codec's sources include this header.
namespace hypermesh::messages {

template <class Fixed, class Wire>
Fixed fixed_from_wire(const Wire& encoded) {
  static_assert(sizeof(Wire) == Fixed::size);
  Fixed value;
  std::memcpy(value.bytes.data(), &encoded, Fixed::size);
  return value;
}

template <class Wire, class Fixed>
Wire fixed_to_wire(const Fixed& value) {
  static_assert(sizeof(Wire) == Fixed::size);
  Wire encoded;
  std::memcpy(static_cast<void*>(&encoded), value.bytes.data(), Fixed::size);
  return encoded;
}

inline signed_statement from_wire(const wire::SignedStatement& encoded) {
  const auto& content = encoded.statement();
  return {{view_number{content.view()}, sequence_number{content.sequence()}, fixed_from_wire<digest>(content.digest()),
           replica_id{content.replica()}, epoch_number{content.epoch()}},
          fixed_from_wire<signature>(encoded.signature())};
}

inline wire::SignedStatement to_wire(const signed_statement& value) {
  const auto& content = value.content;
  return {wire::Statement{content.view.value, content.sequence.value, fixed_to_wire<wire::Digest>(content.value),
                          content.replica.value, content.epoch.value},
          fixed_to_wire<wire::Signature>(value.by)};
}

}  // namespace hypermesh::messages
