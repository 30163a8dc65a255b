#include "tests/simulation/key_model.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"

namespace hypermesh::testing {

namespace {

constexpr value_number no_value = 0;

/// Whether adding `amount` to `number` exceeds 64 bits. The model asks this before the addition, unlike the store.
bool overflows(std::int64_t number, std::int64_t amount) {
  using bounds = std::numeric_limits<std::int64_t>;
  return amount > 0 ? number > bounds::max() - amount : number < bounds::min() - amount;
}

}  // namespace

struct key_model::acting {
  key_model& model;
  value_number before;

  [[nodiscard]] byte_span present() const { return *model.values_.at(before); }
  [[nodiscard]] step flag(bool set, value_number after) const { return {applied({std::byte{set}}), after}; }

  step operator()(const key_value::put& it) const { return {applied(), model.number_of(it.value)}; }
  step operator()(const key_value::get&) const {
    if (before == no_value) return flag(false, before);
    byte_vector found{std::byte{1}};
    found.insert(found.end(), present().begin(), present().end());
    return {applied(std::move(found)), before};
  }
  step operator()(const key_value::remove&) const { return flag(before != no_value, no_value); }
  step operator()(const key_value::compare_and_swap& it) const {
    const bool expects_this =
        it.expected ? before != no_value && std::ranges::equal(present(), *it.expected) : before == no_value;
    return expects_this ? flag(true, model.number_of(it.replacement)) : flag(false, before);
  }
  step operator()(const key_value::increment& it) const {
    const auto number = before == no_value ? std::int64_t{0} : key_value::parse_number(as_text(present()));
    if (!number) return {refused("the value is not a 64-bit decimal integer"), before};
    if (overflows(*number, it.amount)) return {refused("the sum does not fit in 64 bits"), before};
    auto sum = to_byte_vector(fmt::format("{}", *number + it.amount));
    const auto after = model.number_of(sum);
    return {applied(std::move(sum)), after};
  }
};

key_model::key_model() : values_{nullptr} {}

value_number key_model::number_of(byte_span value) {
  const auto [place, is_new] =
      numbers_.try_emplace({value.begin(), value.end()}, static_cast<value_number>(values_.size()));
  if (is_new) values_.push_back(&place->first);
  return place->second;
}

key_model::step key_model::apply(const key_value::operation& operation, value_number before) {
  require(before < values_.size(), "a value has its number from this model");
  return std::visit(acting{*this, before}, operation);
}

byte_span key_of(const key_value::operation& operation) {
  return std::visit([](const auto& each) { return each.key; }, operation);
}

}  // namespace hypermesh::testing
