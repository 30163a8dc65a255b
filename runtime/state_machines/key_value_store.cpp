#include "runtime/state_machines/key_value_store.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/state_machines/machine_results.hpp"

namespace hypermesh::machines {

namespace {

// A get answers with one octet and the value. The put that wrote the value also had at least one octet more than the
// value.
static_assert(limits::result_bytes_max >= limits::operation_bytes_max);
static_assert(key_value::key_bytes_max == authenticated_map::key_bytes_max);

operation_result flag(bool set) { return applied({std::byte{set}}); }

}  // namespace

operation_result key_value_store::apply(const operation_context&, byte_span operation) {
  const auto decoded = key_value::decode(operation);
  if (!decoded) return malformed(decoded.error());
  return std::visit([this](const auto& each) { return execute(each); }, *decoded);
}

operation_result key_value_store::query(byte_span operation) const {
  const auto decoded = key_value::decode(operation);
  if (!decoded) return malformed(decoded.error());
  if (const auto* read = std::get_if<key_value::get>(&*decoded)) return execute(*read);
  return refused("the operation writes; submit it instead of querying");
}

or_reason<void> key_value_store::restore(const state_snapshot& snapshot) { return entries_.restore(snapshot); }

std::optional<operation_result> key_value_store::write(authenticated_map::key_place place, byte_span key,
                                                       byte_span value) {
  if (value.size() > authenticated_map::value_bytes_max) {
    return refused(fmt::format("the value has more than {} bytes", authenticated_map::value_bytes_max));
  }
  const auto present = entries_.find_at(place, key);
  const auto replaced = present ? key.size() + present->size() : std::size_t{0};
  if (entries_.content_bytes() - replaced + key.size() + value.size() > content_bytes_max_) {
    return refused("the store is full");
  }
  entries_.put_at(place, key, value);
  return std::nullopt;
}

operation_result key_value_store::execute(const key_value::put& operation) {
  if (auto full = write(entries_.place_of(operation.key), operation.key, operation.value)) return *full;
  return applied();
}

operation_result key_value_store::execute(const key_value::get& operation) const {
  const auto value = entries_.find(operation.key);
  if (!value) return flag(false);
  byte_vector payload;
  payload.reserve(value->size() + 1);
  payload.push_back(std::byte{1});
  payload.insert(payload.end(), value->begin(), value->end());
  return applied(std::move(payload));
}

operation_result key_value_store::execute(const key_value::remove& operation) {
  return flag(entries_.erase(operation.key));
}

operation_result key_value_store::execute(const key_value::compare_and_swap& operation) {
  const auto place = entries_.place_of(operation.key);
  const auto present = entries_.find_at(place, operation.key);
  if (present.has_value() != operation.expected.has_value()) return flag(false);
  if (present && !std::ranges::equal(*present, *operation.expected)) return flag(false);
  if (auto full = write(place, operation.key, operation.replacement)) return *full;
  return flag(true);
}

operation_result key_value_store::execute(const key_value::increment& operation) {
  const auto place = entries_.place_of(operation.key);
  const auto present = entries_.find_at(place, operation.key);
  const auto before = present ? key_value::parse_number(as_text(*present)) : std::int64_t{0};
  if (!before) return refused("the value is not a 64-bit decimal integer");
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*before, operation.amount, &sum)) return refused("the sum does not fit in 64 bits");
  auto text = to_byte_vector(fmt::format("{}", sum));
  if (auto full = write(place, operation.key, text)) return *full;
  return applied(std::move(text));
}

}  // namespace hypermesh::machines
