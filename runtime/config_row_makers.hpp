#pragma once

#include <chrono>

#include "runtime/config_rows.hpp"

/// Functions that make rows. Each row can get and set a configuration member of one kind. `member` is a function
/// without captures that returns a reference to the member of a configuration.
namespace hypermesh::runtime::config_row_makers {

constexpr std::uint64_t kib = 1'024;
constexpr std::uint64_t mib = 1'024 * kib;
constexpr std::uint64_t minute_us = 60'000'000;

/// The smallest number of MiB that is more than `bytes`.
constexpr std::uint64_t mib_above(std::uint64_t bytes) { return bytes / mib + 1; }

template <class Number>
std::uint64_t count_of(Number from) {
  return static_cast<std::uint64_t>(from);
}
inline std::uint64_t count_of(std::chrono::milliseconds from) { return static_cast<std::uint64_t>(from.count()); }
inline std::uint64_t count_of(duration from) { return static_cast<std::uint64_t>(from.count()); }
inline std::uint64_t count_of(replica_id from) { return from.value; }
inline std::uint64_t count_of(client_id from) { return from.value; }

/// The bounds of the row guarantee that the number fits into the member's type.
template <class Number>
void put_count(Number& into, std::uint64_t count) {
  into = static_cast<Number>(count);
}
inline void put_count(std::chrono::milliseconds& into, std::uint64_t count) { into = std::chrono::milliseconds{count}; }
inline void put_count(duration& into, std::uint64_t count) { into = duration{count}; }
inline void put_count(replica_id& into, std::uint64_t count) { into = replica_id{static_cast<std::uint32_t>(count)}; }
inline void put_count(client_id& into, std::uint64_t count) { into = client_id{static_cast<std::uint32_t>(count)}; }

/// A row for the number that `member` finds in a configuration. The file gives the number in multiples of `Unit`.
template <class Owner, std::uint64_t Unit = 1, class Member>
constexpr config_row<Owner> number(config_key key, Member) {
  config_row<Owner> row;
  row.key = key;
  row.get = [](const Owner& from) -> config_value { return count_of(Member{}(from)) / Unit; };
  row.set = [](Owner& into, const config_value& value) {
    put_count(Member{}(into), std::get<std::uint64_t>(value) * Unit);
  };
  return row;
}

template <class Owner, class Member>
constexpr config_row<Owner> flag(config_key key, Member) {
  config_row<Owner> row;
  row.key = key;
  row.key.kind = value_kind::flag;
  row.get = [](const Owner& from) -> config_value { return Member{}(from); };
  row.set = [](Owner& into, const config_value& value) { Member{}(into) = std::get<bool>(value); };
  return row;
}

inline std::string text_of(const std::string& from) { return from; }
inline std::string text_of(const std::filesystem::path& from) { return from.string(); }

/// A row for a text or a path.
template <class Owner, class Member>
constexpr config_row<Owner> text(value_kind kind, config_key key, Member) {
  config_row<Owner> row;
  row.key = key;
  row.key.kind = kind;
  row.get = [](const Owner& from) -> config_value { return text_of(Member{}(from)); };
  row.set = [](Owner& into, const config_value& value) { Member{}(into) = std::get<std::string>(value); };
  return row;
}

/// A row for an address to listen on.
template <class Owner, class Member>
constexpr config_row<Owner> address(config_key key, Member) {
  config_row<Owner> row;
  row.key = key;
  row.key.kind = value_kind::address;
  row.get = [](const Owner& from) -> config_value { return to_string(Member{}(from)); };
  // The reader has parsed the text already, and `to_string` gives a text that can be parsed again.
  row.set = [](Owner& into, const config_value& value) {
    Member{}(into) = parse_address(std::get<std::string>(value), address_use::listen).value();
  };
  return row;
}

template <class Owner>
constexpr config_row<Owner> assuming(config_row<Owner> row, void (*assume)(Owner& into)) {
  row.assume = assume;
  return row;
}

template <class Owner>
constexpr config_row<Owner> bounded_by(config_row<Owner> row, std::uint64_t (*high_of)(const Owner& from)) {
  row.high_of = high_of;
  return row;
}

}  // namespace hypermesh::runtime::config_row_makers
