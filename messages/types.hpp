#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hypermesh/types.hpp>

#include "messages/layers.hpp"
#include "messages/time.hpp"

/// Types that only the product needs. Those that hosts need too are in `hypermesh/types.hpp`.
namespace hypermesh {

/// The number that identifies a system request. Two system requests about the same case have the same name, even if
/// their evidence differs.
using case_name = strong_number<struct case_name_tag, std::uint64_t>;
/// The number of the membership under which a signature counts.
using epoch_number = strong_number<struct epoch_number_tag, std::uint32_t>;

/// A detached signature. Ed25519 fills all 64 bytes; the simulator's keyed hash
/// fills the first 32 and leaves zeros.
using signature = fixed_bytes<struct signature_tag, 64>;
/// An Ed25519 public key.
using public_key = fixed_bytes<struct public_key_tag, 32>;
/// The digest of the genesis content. Every signature covers it.
using cluster_id = fixed_bytes<struct cluster_id_tag, 32>;

/// Parses exactly `out.size()` bytes of hexadecimal; false when `text` is anything else.
[[nodiscard]] bool from_hex(std::string_view text, std::span<std::byte> out);

}  // namespace hypermesh
