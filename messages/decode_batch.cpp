#include <algorithm>

#include "messages/batch_decoder.hpp"
#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "messages/list_reader.hpp"
#include "schemas/ordering_generated.h"

namespace hypermesh {

namespace {

/// Whether two items have the same id. A correct primary proposes each once; a duplicate would only cost execution time
/// (attack 18).
template <class Item, class Id>
bool has_duplicate(const std::vector<Item>& items, Id Item::*id) {
  std::vector<Id> ids;
  ids.reserve(items.size());
  for (const auto& each : items)
    ids.push_back(each.*id);
  std::sort(ids.begin(), ids.end());
  return std::adjacent_find(ids.begin(), ids.end()) != ids.end();
}

std::optional<rejection> read_system_requests(const wire::PrePrepare& encoded, std::size_t frame_bytes, batch& into) {
  if (encoded.system_requests() == nullptr) return std::nullopt;
  // One system request may cost as much as a hundred requests of clients (attack 33).
  if (encoded.system_requests()->size() > limits::system_requests_per_batch_max) return rejection::too_many_items;
  for (const auto* each : *encoded.system_requests()) {
    const auto bytes = span_of(each->bytes());
    into.bytes += bytes.size();
    if (into.bytes > limits::batch_bytes_max) return rejection::frame_too_long;
    // FlatBuffers offsets may share their target, so a small frame could decode to eight copies (attack 37).
    if (into.bytes > frame_bytes) return rejection::inconsistent_sizes;
    // Copied, because its buffer has to start at an aligned address, and with its kind, which makes it a frame.
    byte_vector copy;
    copy.reserve(bytes.size() + 1);
    copy.assign(bytes.begin(), bytes.end());
    copy.push_back(static_cast<std::byte>(message_kind::system_request));
    const auto frame = std::make_shared<const byte_vector>(std::move(copy));
    if (frame->size() > frame_bytes_max_of(message_kind::system_request)) return rejection::frame_too_long;
    auto one = decode_system_request({frame, body_of(*frame)});
    if (const auto* bad = std::get_if<rejection>(&one)) return *bad;
    into.system_requests.push_back(std::move(std::get<system_request>(one)));
  }
  if (has_duplicate(into.system_requests, &system_request::name)) return rejection::duplicate_request_in_batch;
  return std::nullopt;
}

}  // namespace

std::variant<batch, rejection> decode_batch(const wire::PrePrepare& encoded, const frame_ptr& frame) {
  batch content;
  if (const auto bad = read_system_requests(encoded, frame->size(), content)) return *bad;
  const auto bytes = span_of(encoded.requests());
  std::vector<std::uint32_t> ends;
  if (encoded.ends() == nullptr)
    return bytes.empty() ? std::variant<batch, rejection>{content} : rejection::missing_field;
  if (const auto bad = read_ends(encoded.ends(), bytes.size(), 1, limits::requests_per_batch_max, ends)) return *bad;
  content.bytes += bytes.size();
  if (content.bytes > limits::batch_bytes_max) return rejection::frame_too_long;
  content.requests.reserve(ends.size());
  std::size_t begin = 0;
  for (const auto end : ends) {
    if (begin % 4 != 0) return rejection::inconsistent_sizes;
    auto one = decode_request({frame, bytes.subspan(begin, end - begin)});
    if (const auto* bad = std::get_if<rejection>(&one)) return *bad;
    content.requests.push_back(std::move(std::get<request>(one)));
    begin = end;
  }
  if (has_duplicate(content.requests, &request::id)) return rejection::duplicate_request_in_batch;
  return content;
}

}  // namespace hypermesh
