#pragma once

#include <flatbuffers/flatbuffers.h>

#include <span>
#include <vector>

#include "messages/expected.hpp"
#include "messages/types.hpp"

/// Functions that read FlatBuffers lists. Only the codec's sources include this header.
namespace hypermesh::messages {

using byte_list = flatbuffers::Vector<std::uint8_t>;
using end_list = flatbuffers::Vector<std::uint32_t>;

inline byte_span span_of(const byte_list* list) {
  if (list == nullptr) return {};
  return std::as_bytes(std::span{list->data(), list->size()});
}

/// Reads the ends that cut `total` bytes into at least `parts_min` parts. They must ascend, and the
/// last one must be `total` (attack 37: false counts and sizes).
inline or_rejection<void> read_ends(const end_list* list, std::size_t total, std::size_t parts_min,
                                    std::size_t parts_max, std::vector<std::uint32_t>& out) {
  if (list->size() < parts_min) return rejected(rejection::inconsistent_sizes);
  if (list->size() > parts_max) return rejected(rejection::too_many_items);
  out.reserve(list->size());
  std::uint32_t previous = 0;
  for (const auto end : *list) {
    if (end < previous || end > total) return rejected(rejection::inconsistent_sizes);
    out.push_back(previous = end);
  }
  if (previous != total) return rejected(rejection::inconsistent_sizes);
  return {};
}

}  // namespace hypermesh::messages
