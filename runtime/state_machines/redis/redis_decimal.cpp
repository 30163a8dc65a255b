#include "runtime/state_machines/redis/redis_decimal.hpp"

#include <algorithm>
#include <array>

#include "runtime/state_machines/redis/redis_commands.hpp"

namespace hypermesh::machines::redis {

namespace {

__extension__ using wide = __int128;
__extension__ using unsigned_wide = unsigned __int128;

constexpr int fraction_digits = 17;
constexpr int whole_digits = 20;
/// A text with more digits than these has no further meaning behind them.
constexpr int exponent_max = 400;

constexpr wide power_of_ten(int exponent) {
  wide value = 1;
  for (int digit = 0; digit < exponent; ++digit)
    value *= 10;
  return value;
}

constexpr wide one = power_of_ten(fraction_digits);
constexpr wide finite_max = power_of_ten(fraction_digits + whole_digits);
constexpr wide infinite = finite_max + 1;

/// The digits of a number without its sign and the place of the point: `digits` × 10^`exponent`.
struct scientific {
  std::string digits;
  int exponent = 0;
};

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

/// Reads the exponent behind "e". No value if it is not a number. A large exponent is reduced to `exponent_max`.
std::optional<int> read_exponent(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty() || !std::ranges::all_of(text, is_digit)) return std::nullopt;
  int value = 0;
  for (const char digit : text)
    value = std::min(exponent_max * 10, value * 10 + (digit - '0'));
  return is_negative ? -value : value;
}

std::optional<scientific> read_scientific(std::string_view text) {
  const auto marker = text.find_first_of("eE");
  scientific value;
  if (marker != std::string_view::npos) {
    const auto exponent = read_exponent(text.substr(marker + 1));
    if (!exponent) return std::nullopt;
    value.exponent = *exponent;
    text = text.substr(0, marker);
  }
  // A text of a hostile client may have 256 KiB of digits; no number of Redis has more than this.
  if (text.empty() || text.size() > 1024) return std::nullopt;
  bool has_point = false;
  for (const char letter : text) {
    if (letter == '.' && !has_point) {
      has_point = true;
    } else if (is_digit(letter)) {
      value.digits += letter;
      if (has_point) --value.exponent;
    } else {
      return std::nullopt;
    }
  }
  if (value.digits.empty()) return std::nullopt;
  value.digits.erase(0, std::min(value.digits.find_first_not_of('0'), value.digits.size()));
  return value;
}

/// A number that is not negative in whole units, and what the units leave out.
struct truncation {
  wide units = 0;
  bool has_rest = false;
  /// Whether the rest is at least half a unit.
  bool has_half = false;
};

/// No value beyond the bounds.
std::optional<truncation> truncated(const scientific& number) {
  truncation made;
  if (number.digits.empty()) return made;
  // The number of digits that stand before the end of the last unit.
  const auto kept = static_cast<std::int64_t>(number.digits.size()) + number.exponent + fraction_digits;
  made.has_rest = kept < 0;
  if (kept < 0) return made;
  if (kept > fraction_digits + whole_digits + 1) return std::nullopt;
  for (std::int64_t place = 0; place < kept; ++place) {
    const auto index = static_cast<std::size_t>(place);
    made.units = made.units * 10 + (index < number.digits.size() ? number.digits[index] - '0' : 0);
  }
  const auto next = static_cast<std::size_t>(kept);
  made.has_half = next < number.digits.size() && number.digits[next] >= '5';
  made.has_rest = number.digits.find_first_not_of('0', next) != std::string::npos;
  if (made.units > finite_max || (made.units == finite_max && made.has_rest)) return std::nullopt;
  return made;
}

}  // namespace

decimal::decimal(std::int64_t whole) : units_(units{whole} * one) {}

decimal decimal::infinity(bool is_negative) {
  decimal value;
  value.units_ = is_negative ? -infinite : infinite;
  return value;
}

decimal decimal::of(units value) {
  if (value > finite_max || value < -finite_max) return infinity(value < 0);
  decimal made;
  made.units_ = value;
  return made;
}

decimal decimal::next() const {
  decimal made = *this;
  ++made.units_;
  return made;
}

bool decimal::is_infinite() const { return units_ == infinite || units_ == -infinite; }

std::optional<decimal> decimal::parse(std::string_view text) {
  const auto around = parse_interval(text);
  if (!around) return std::nullopt;
  if (around->below == around->above) return around->below;
  // A finite number beyond the bounds has an infinity as an end.
  if (around->below.is_infinite() || around->above.is_infinite()) return std::nullopt;
  return around->is_nearer_above ? around->above : around->below;
}

std::optional<decimal> decimal::parse_score(std::string_view text) {
  const auto around = parse_interval(text);
  if (!around) return std::nullopt;
  const auto nearest = parse(text);
  const bool is_exact = around->below == around->above;
  return nearest == decimal{} && !is_exact ? std::nullopt : nearest;
}

std::optional<decimal::interval> decimal::parse_interval(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.size() <= 8) {
    const auto low = lowered(text);
    if (low == "inf" || low == "infinity") return interval{infinity(is_negative), infinity(is_negative), false};
  }
  const auto number = read_scientific(text);
  if (!number) return std::nullopt;
  // Nothing is between the largest finite number and the infinity.
  const auto value = truncated(*number).value_or(truncation{finite_max, true, false});
  interval found;
  found.below.units_ = value.units;
  found.above.units_ = value.units + (value.has_rest ? 1 : 0);
  found.is_nearer_above = value.has_half;
  if (!is_negative) return found;
  found.below.units_ = -value.units - (value.has_rest ? 1 : 0);
  found.above.units_ = -value.units;
  found.is_nearer_above = !value.has_half;
  return found;
}

std::string decimal::text() const {
  if (is_infinite()) return units_ > 0 ? "inf" : "-inf";
  auto left = static_cast<unsigned_wide>(units_ < 0 ? -units_ : units_);
  std::string reversed;
  for (int digit = 0; left > 0 || digit <= fraction_digits; ++digit) {
    const auto value = static_cast<char>('0' + static_cast<int>(left % 10));
    left /= 10;
    if (digit == fraction_digits && !reversed.empty()) reversed += '.';
    // Zeros at the end of the fraction are left out.
    if (digit >= fraction_digits || value != '0' || !reversed.empty()) reversed += value;
  }
  if (units_ < 0) reversed += '-';
  std::ranges::reverse(reversed);
  return reversed;
}

std::optional<decimal> decimal::plus(decimal other) const {
  if (is_infinite() && other.is_infinite() && units_ != other.units_) return std::nullopt;
  if (is_infinite()) return *this;
  if (other.is_infinite()) return other;
  return of(units_ + other.units_);
}

std::optional<decimal> decimal::times(decimal other) const {
  if (is_infinite() || other.is_infinite()) {
    if (units_ == 0 || other.units_ == 0) return std::nullopt;
    return infinity((units_ < 0) != (other.units_ < 0));
  }
  const wide whole = units_ / one;
  const wide fraction = units_ % one;
  const wide other_whole = other.units_ / one;
  const wide other_fraction = other.units_ % one;
  wide product = 0;
  // The other products are below 10^38, which 128 bits hold.
  if (__builtin_mul_overflow(whole, other_whole, &product) || __builtin_mul_overflow(product, one, &product))
    return infinity((units_ < 0) != (other.units_ < 0));
  wide sum = whole * other_fraction + fraction * other_whole + fraction * other_fraction / one;
  if (__builtin_add_overflow(product, sum, &sum)) return infinity(product < 0);
  return of(sum);
}

void decimal::write(byte_writer& out) const {
  const auto bits = static_cast<unsigned_wide>(units_);
  out.number(static_cast<std::uint64_t>(bits)).number(static_cast<std::uint64_t>(bits >> 64U));
}

std::optional<decimal> decimal::read(byte_reader& in) {
  const auto low = in.number<std::uint64_t>();
  const auto high = in.number<std::uint64_t>();
  decimal value;
  value.units_ = static_cast<units>((unsigned_wide{high} << 64U) | low);
  if (in.failed() || value.units_ > infinite || value.units_ < -infinite) return std::nullopt;
  return value;
}

}  // namespace hypermesh::machines::redis
