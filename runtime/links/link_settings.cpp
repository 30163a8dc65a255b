#include "runtime/links/link_settings.hpp"

#include <sodium.h>

#include "runtime/base/keys.hpp"

namespace hypermesh::links {

entropy_source system_entropy() {
  initialise_crypto();
  return [](std::span<std::byte> bytes) { randombytes_buf(bytes.data(), bytes.size()); };
}

}  // namespace hypermesh::links
