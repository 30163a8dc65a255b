#include <algorithm>

#include "messages/batch_decoder.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/list_reader.hpp"
#include "schemas/ordering_generated.h"

namespace hypermesh::messages {

namespace {

/// Whether two items have the same id. A correct primary proposes each item once. A duplicate is rejected because it
/// would only cost execution time (attack 18).
template <class Item, class Id>
bool has_duplicate(const std::vector<Item>& items, Id Item::*id) {
  std::vector<Id> ids;
  ids.reserve(items.size());
  for (const auto& each : items)
    ids.push_back(each.*id);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

or_rejection<void> read_system_requests(const wire::PrePrepare& encoded, std::size_t frame_bytes, batch& into) {
  if (encoded.system_requests() == nullptr) return {};
  // The number of system requests is bounded, because one system request may cost as much as a hundred requests of
  // clients (attack 33).
  if (encoded.system_requests()->size() > limits::system_requests_per_batch_max)
    return rejected(rejection::too_many_items);
  for (const auto* each : *encoded.system_requests()) {
    const auto bytes = span_of(each->bytes());
    into.bytes += bytes.size();
    if (into.bytes > limits::system_request_bytes_per_batch_max) return rejected(rejection::frame_too_long);
    // FlatBuffers offsets may share their target, so a small frame could decode to eight copies of one large system
    // request (attack 37).
    if (into.bytes > frame_bytes) return rejected(rejection::inconsistent_sizes);
    // The bytes are copied, because the buffer of a system request has to start at an aligned address. The kind is
    // appended, so the copy is a complete frame.
    byte_vector copy;
    copy.reserve(bytes.size() + 1);
    copy.assign(bytes.begin(), bytes.end());
    copy.push_back(static_cast<std::byte>(message_kind::system_request));
    const auto frame = std::make_shared<const byte_vector>(std::move(copy));
    if (frame->size() > frame_bytes_max_of(message_kind::system_request)) return rejected(rejection::frame_too_long);
    auto one = decode_system_request({frame, body_of(*frame)});
    if (!one) return failure_of(one);
    into.system_requests.push_back(std::move(*one));
  }
  if (has_duplicate(into.system_requests, &system_request::name))
    return rejected(rejection::duplicate_request_in_batch);
  return {};
}

or_rejection<void> read_requests(const wire::PrePrepare& encoded, const frame_ptr& frame, batch& into) {
  const auto bytes = span_of(encoded.requests());
  std::vector<std::uint32_t> ends;
  if (encoded.ends() == nullptr && !bytes.empty()) return rejected(rejection::missing_field);
  if (encoded.ends() == nullptr) return {};
  if (const auto done = read_ends(encoded.ends(), bytes.size(), 1, limits::requests_per_batch_max, ends); !done)
    return failure_of(done);
  into.bytes += bytes.size();
  if (into.bytes > limits::batch_bytes_max) return rejected(rejection::frame_too_long);
  into.requests.reserve(ends.size());
  std::size_t begin = 0;
  for (const auto end : ends) {
    if (begin % 4 != 0) return rejected(rejection::inconsistent_sizes);
    auto one = decode_request({frame, bytes.subspan(begin, end - begin)});
    if (!one) return failure_of(one);
    into.requests.push_back(std::move(*one));
    begin = end;
  }
  if (has_duplicate(into.requests, &request::id)) return rejected(rejection::duplicate_request_in_batch);
  return {};
}

}  // namespace

or_rejection<batch> decode_batch(const wire::PrePrepare& encoded, const frame_ptr& frame) {
  batch content;
  if (const auto done = read_system_requests(encoded, frame->size(), content); !done) return failure_of(done);
  if (const auto done = read_requests(encoded, frame, content); !done) return failure_of(done);
  // A number above 2⁶³ becomes a time before 1970, which is not valid either.
  content.proposed_time = wall_time{std::chrono::milliseconds{static_cast<std::int64_t>(encoded.proposed_time_ms())}};
  // Only d^null fills the gaps of a new view (§4.4), so a null request has no second digest.
  if (!is_valid_time(content)) return rejected(rejection::number_out_of_range);
  return content;
}

}  // namespace hypermesh::messages
