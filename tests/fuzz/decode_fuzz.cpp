#include <cstdint>
#include <memory>

#include "messages/codec.hpp"
#include "tests/support/message_line.hpp"

/// Decodes arbitrary bytes as a frame. The frame is either decoded or rejected, and a decoded message can be written as
/// a line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* first = reinterpret_cast<const std::byte*>(data);
  const auto frame = std::make_shared<const hypermesh::byte_vector>(first, first + size);
  const auto decoded = hypermesh::messages::decode(frame);
  if (decoded && hypermesh::testing::to_line(*decoded).empty()) __builtin_trap();
  return 0;
}
