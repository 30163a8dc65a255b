#pragma once

#include <cstring>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "messages/expected.hpp"
#include "messages/limits.hpp"
#include "messages/wire_values.hpp"

/// Functions that read signed statements and digests from a verified buffer. Only the codec's sources include this
/// header.
namespace hypermesh::messages {

inline bool is_in_range(const statement& content) {
  return content.view.value <= limits::view_max && content.sequence.value <= limits::sequence_max &&
         content.replica.value < limits::replicas_max;
}

using statement_list = flatbuffers::Vector<const wire::SignedStatement*>;

inline or_rejection<void> read_statements(const statement_list* list, std::size_t count_max,
                                          std::vector<signed_statement>& out) {
  if (list == nullptr) return {};
  if (list->size() > count_max) return rejected(rejection::too_many_items);
  out.reserve(list->size());
  for (flatbuffers::uoffset_t index = 0; index < list->size(); ++index) {
    // The verifier checks the alignment of a vector's length, not of its structs. A faulty sender can place a list at
    // an address at which a direct read of 64-bit fields is undefined behaviour. So each struct is copied.
    wire::SignedStatement aligned;
    std::memcpy(static_cast<void*>(&aligned), list->Data() + index * sizeof(aligned), sizeof(aligned));
    out.push_back(from_wire(aligned));
    if (!is_in_range(out.back().content)) return rejected(rejection::number_out_of_range);
  }
  return {};
}

using digest_list = flatbuffers::Vector<const wire::Digest*>;

inline or_rejection<void> read_digests(const digest_list* list, std::size_t count_max, std::vector<digest>& out) {
  if (list == nullptr) return {};
  if (list->size() > count_max) return rejected(rejection::too_many_items);
  out.reserve(list->size());
  for (const auto* each : *list)
    out.push_back(fixed_from_wire<digest>(*each));
  return {};
}

}  // namespace hypermesh::messages
