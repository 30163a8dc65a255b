#include "runtime/links/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "runtime/base/safe_text.hpp"

namespace hypermesh::links {

namespace {

constexpr std::size_t name_bytes_max = 253;
constexpr std::size_t label_bytes_max = 63;

constexpr std::string_view address_forms = "write HOST:PORT or [IPV6]:PORT, for example 10.0.0.5:7400";
constexpr std::string_view host_forms =
    "write an IPv4 address, an IPv6 address, or a name of letters, digits, hyphens and dots";

tl::unexpected<world_error> wrong(std::string what, std::string_view remedy) {
  return tl::unexpected(world_error{std::move(what), std::string{remedy}, fault_origin::configuration});
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

bool is_letter(char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z'); }

bool is_hexadecimal(char letter) {
  return is_digit(letter) || (letter >= 'a' && letter <= 'f') || (letter >= 'A' && letter <= 'F');
}

/// The address in its usual form; nothing when the text is not an address of this family.
template <class Address>
std::optional<std::string> usual_form(int family, const std::string& text) {
  // The system's parser would stop at a zero byte and ignore the rest.
  if (text.find('\0') != std::string::npos) return std::nullopt;
  Address address{};
  std::array<char, INET6_ADDRSTRLEN> out{};
  if (::inet_pton(family, text.c_str(), &address) != 1) return std::nullopt;
  if constexpr (std::is_same_v<Address, in6_addr>) {
    // An IPv4-mapped IPv6 address reaches the same host, so both spellings must compare equal.
    if (IN6_IS_ADDR_V4MAPPED(&address)) {
      return std::string{::inet_ntop(AF_INET, &address.s6_addr[12], out.data(), out.size())};
    }
  }
  return std::string{::inet_ntop(family, &address, out.data(), out.size())};
}

std::optional<std::string> ipv4(std::string_view text) { return usual_form<in_addr>(AF_INET, std::string{text}); }

std::optional<std::string> ipv6(std::string_view text) { return usual_form<in6_addr>(AF_INET6, std::string{text}); }

/// Whether a label is a number, like "7" or "0x7f". The system's resolver interprets a name that ends with a number as
/// an IPv4 address of fewer than four numbers.
bool is_number(std::string_view label) {
  const bool in_hex = label.starts_with("0x") || label.starts_with("0X");
  const auto digits = in_hex ? label.substr(2) : label;
  return std::ranges::all_of(digits, in_hex ? is_hexadecimal : is_digit);
}

/// The reason why the text is not a host name; empty when it is one.
std::string flaw_of_name(std::string_view name) {
  if (name.size() > name_bytes_max) return fmt::format("a host name has at most {} characters", name_bytes_max);
  auto rest = name;
  while (true) {
    const auto dot = rest.find('.');
    const auto label = rest.substr(0, dot);
    if (label.empty()) return "a label of the host name is empty";
    if (label.size() > label_bytes_max) return fmt::format("a label has at most {} characters", label_bytes_max);
    if (label.front() == '-' || label.back() == '-') return "a label begins or ends with a hyphen";
    const bool plain =
        std::ranges::all_of(label, [](char letter) { return is_letter(letter) || is_digit(letter) || letter == '-'; });
    if (!plain) return "a host name has letters, digits, hyphens and dots only";
    if (dot == std::string_view::npos) return is_number(label) ? "it looks like an IPv4 address but is not valid" : "";
    rest.remove_prefix(dot + 1);
  }
}

bool is_unspecified(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

or_error<std::string> host_for_use(std::string host, std::string_view text, address_use use) {
  if (use == address_use::dial && is_unspecified(host)) {
    return wrong(
        fmt::format("'{}' means every address of a machine and cannot be dialed", visible_text(text)),
        "write the address at which other members reach the replica; only 'listen' in node.toml may be '*:PORT'");
  }
  return host;
}

}  // namespace

or_error<std::string> parse_host(std::string_view text, address_use use) {
  const bool opened = text.starts_with('[');
  const bool closed = text.ends_with(']');
  if (opened || closed) {
    auto address = opened && closed && text.size() > 2 ? ipv6(text.substr(1, text.size() - 2)) : std::nullopt;
    if (address) return host_for_use(std::move(*address), text, use);
    return wrong(fmt::format("'{}' is not an IPv6 address in brackets", visible_text(text)),
                 "write it as [2001:db8::20]; an address with a zone, like fe80::1%eth0, holds on one machine only");
  }
  if (text == "*" && use == address_use::listen) return std::string{};
  if (auto address = ipv4(text)) return host_for_use(std::move(*address), text, use);
  if (auto address = ipv6(text)) return host_for_use(std::move(*address), text, use);
  if (text.empty()) return wrong("the host is empty", host_forms);
  if (const auto flaw = flaw_of_name(text); !flaw.empty()) {
    return wrong(fmt::format("'{}' is not a host: {}", visible_text(text), flaw), host_forms);
  }
  std::string name{text};
  // Names are case-insensitive (RFC 1123, section 6.1.3.5).
  std::ranges::transform(name, name.begin(),
                         [](char letter) { return is_letter(letter) ? static_cast<char>(letter | 0x20) : letter; });
  return name;
}

or_error<replica_address> parse_address(std::string_view text, address_use use) {
  if (ipv6(text)) {
    return wrong(fmt::format("'{}' is an IPv6 address without brackets, so the start of its port is ambiguous", text),
                 "put the address in brackets and the port after them: [2001:db8::20]:7400");
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || text.ends_with(']')) {
    return wrong(fmt::format("'{}' has no port", visible_text(text)), address_forms);
  }
  const auto host_text = text.substr(0, colon);
  if (!host_text.starts_with('[') && host_text.find(':') != std::string_view::npos) {
    return wrong(fmt::format("'{}' has more than one colon", visible_text(text)),
                 "put an IPv6 address in brackets: [2001:db8::20]:7400");
  }
  auto host = parse_host(host_text, use);
  if (!host) return failure_of(host);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool whole = failed == std::errc{} && end == digits.data() + digits.size() && !digits.starts_with('0');
  if (!whole) {
    return wrong(fmt::format("'{}' has no port from 1 to 65535 after the last colon", visible_text(text)),
                 address_forms);
  }
  return replica_address{std::move(*host), port};
}

std::string to_string(const replica_address& address) {
  if (address.host.empty()) return fmt::format("*:{}", address.port);
  const bool is_ipv6 = address.host.find(':') != std::string::npos;
  return is_ipv6 ? fmt::format("[{}]:{}", address.host, address.port)
                 : fmt::format("{}:{}", address.host, address.port);
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "::1" || (host.starts_with("127.") && ipv4(host).has_value());
}

}  // namespace hypermesh::links
