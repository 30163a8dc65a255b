#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages/byte_codec.hpp"

namespace hypermesh::machines::redis {

/// A score of a sorted set, or the operand of INCRBYFLOAT: a decimal fraction with 17 digits after the point, or an
/// infinity.
///
/// Differs from Redis, whose scores are binary floating-point numbers, because their texts and sums depend on the
/// library: 0.1 + 0.2 is 0.3 here. A number with more digits is rounded to the nearest one, halves away from zero, as
/// Redis rounds to the nearest binary number. Finite numbers are between -10^20 and 10^20, so each 64-bit integer is
/// exact, and the sum of two numbers fits 128 bits. Pure; 16 bytes.
class decimal {
 public:
  /// Zero.
  decimal() = default;
  explicit decimal(std::int64_t whole);

  /// Reads a number as `strtod` does: digits with a point and an exponent, "inf", "+inf" or "-infinity" in any case. No
  /// value for another text, for spaces, and for a finite number beyond the bounds. A number may be rounded to zero, as
  /// Redis does when it writes the result of INCRBYFLOAT.
  [[nodiscard]] static std::optional<decimal> parse(std::string_view text);

  /// The same for a score. No value for a number that is not zero but would be rounded to zero, because all its digits
  /// would be lost. Redis refuses such scores too, below its own least one.
  [[nodiscard]] static std::optional<decimal> parse_score(std::string_view text);

  /// The decimals next to a number: the greatest one that is not above it, and the least one that is not below it.
  /// Both are equal if the number is a decimal.
  struct interval;
  /// Reads a number of any size for a bound of a range, which is never stored. A finite number beyond the bounds of
  /// decimals is between the largest finite decimal and the infinity. No value for a text that is no number.
  [[nodiscard]] static std::optional<interval> parse_interval(std::string_view text);
  /// The infinities are less and greater than all other numbers.
  [[nodiscard]] static decimal infinity(bool is_negative);

  [[nodiscard]] bool is_infinite() const;
  /// All digits, without zeros at the end of the fraction, for example "-2.5", "3" or "inf".
  [[nodiscard]] std::string text() const;

  /// No value if the result has no meaning (the difference of two infinities, an infinity times zero in a product) or
  /// is beyond the bounds.
  [[nodiscard]] std::optional<decimal> plus(decimal other) const;
  [[nodiscard]] std::optional<decimal> times(decimal other) const;

  /// The least number that is greater, for bounds of ranges.
  [[nodiscard]] decimal next() const;

  /// 16 octets, little-endian two's complement of the number of units.
  void write(byte_writer& out) const;
  /// No value if the octets are not those of a number.
  [[nodiscard]] static std::optional<decimal> read(byte_reader& in);

  friend std::strong_ordering operator<=>(decimal one, decimal other) {
    return one.units_ < other.units_   ? std::strong_ordering::less
           : one.units_ > other.units_ ? std::strong_ordering::greater
                                       : std::strong_ordering::equal;
  }
  friend bool operator==(decimal one, decimal other) { return one.units_ == other.units_; }

 private:
  __extension__ using units = __int128;

  /// The number of so many units, or an infinity if it is beyond the bounds.
  static decimal of(units value);

  /// The number in units of 10^-17. An infinity has one unit more than the largest finite number.
  units units_ = 0;
};

struct decimal::interval {
  decimal below;
  decimal above;
  /// Whether the number is rounded to `above`.
  bool is_nearer_above = false;
};

}  // namespace hypermesh::machines::redis
