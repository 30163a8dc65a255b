#include "tools/hypermesh/gateway/packer.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::cli {

std::size_t reply_estimate::of(const std::string& name) const {
  const auto found = sizes_.find(name);
  return found == sizes_.end() ? limits::result_bytes_max : found->second;
}

void reply_estimate::note(const std::string& name, std::size_t bytes) {
  // Replies that are a little larger than the last ones are expected too.
  const auto seen = std::clamp(2 * bytes, bytes_min, limits::result_bytes_max);
  const auto [place, is_new] = sizes_.emplace(name, seen);
  if (is_new) return;
  const auto fallen = place->second - place->second / memory;
  place->second = std::max(seen, fallen);
}

bool packer::has_room() const {
  return flying_.empty() || (flying_.size() < settings_->flight_operations_max &&
                             bytes_ < settings_->flight_bytes_max && reply_bytes_ < settings_->flight_reply_bytes_max);
}

std::uint64_t packer::add(packed_operation operation) {
  bytes_ += operation.bytes;
  reply_bytes_ += operation.reply_bytes;
  const auto token = next_++;
  flying_.emplace(token, std::move(operation));
  return token;
}

packed_operation packer::take(std::uint64_t token) {
  const auto found = flying_.find(token);
  require(found != flying_.end(), "each operation has one result");
  auto taken = std::move(found->second);
  flying_.erase(found);
  require(bytes_ >= taken.bytes && reply_bytes_ >= taken.reply_bytes, "what is in flight was counted");
  bytes_ -= taken.bytes;
  reply_bytes_ -= taken.reply_bytes;
  return taken;
}

}  // namespace hypermesh::cli
