#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/ports.hpp"

/// Addresses as they appear in configuration files and options. All addresses go through one parser, so a text is valid
/// everywhere or an error everywhere. Pure.
namespace hypermesh::links {

/// A host and a port.
struct replica_address {
  /// An IPv4 or IPv6 address in its usual form without brackets, or a name in lower case, which is resolved again for
  /// each attempt. An empty host means, for dialing: never dial this replica; for listening: every address of the
  /// machine, IPv4 and IPv6.
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const replica_address&, const replica_address&) = default;
};

/// The purpose of an address.
enum class address_use {
  /// Other nodes dial this address, so it names one host.
  dial,
  /// A replica listens on this address; `*` stands for every address of the machine.
  listen,
};

/// Reads an IPv4 address, an IPv6 address with or without brackets, or a host name by RFC 1123: labels of 1 to 63
/// letters, digits and hyphens, 253 characters in all. The last label must not be a number. Returns the text in the
/// form of `replica_address::host`.
[[nodiscard]] or_error<std::string> parse_host(std::string_view text, address_use use);

/// Reads `HOST:PORT`, `[IPV6]:PORT` or, for listening, `*:PORT`. The port is 1 to 65535. The error says what is wrong
/// and gives the correct form.
[[nodiscard]] or_error<replica_address> parse_address(std::string_view text, address_use use);

/// Writes the form that `parse_address` reads; `*` stands for an empty host.
[[nodiscard]] std::string to_string(const replica_address& address);

/// Whether the host is an address that only this machine can reach, or `localhost`.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace hypermesh::links
