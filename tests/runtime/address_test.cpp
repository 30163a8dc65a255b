#include <doctest/doctest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "runtime/links/address.hpp"
#include "runtime/links/listening.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string read(std::string_view text, address_use use = address_use::dial) {
  const auto parsed = parse_address(text, use);
  return parsed ? to_string(*parsed) : "error";
}

world_error error_of(std::string_view text, address_use use = address_use::dial) {
  const auto parsed = parse_address(text, use);
  CAPTURE(text);
  REQUIRE_FALSE(parsed.has_value());
  CHECK_FALSE(parsed.error().remedy.empty());
  return parsed.error();
}

/// Whether a listener accepts connections at this port of the family's loopback address.
bool answers(int family, std::uint16_t port) {
  const open_file file{::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (family == AF_INET) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    return ::connect(file.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  sockaddr_in6 to{};
  to.sin6_family = AF_INET6;
  to.sin6_addr = in6addr_loopback;
  to.sin6_port = htons(port);
  return ::connect(file.descriptor(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
}

std::uint16_t port_of(const open_file& file) {
  sockaddr_storage at{};
  socklen_t size = sizeof(at);
  REQUIRE(::getsockname(file.descriptor(), reinterpret_cast<sockaddr*>(&at), &size) == 0);
  return ntohs(at.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(at).sin6_port
                                        : reinterpret_cast<const sockaddr_in&>(at).sin_port);
}

open_file opened(const replica_address& address) {
  auto file = open_listening_socket(address);
  REQUIRE(file);
  return std::move(*file);
}

world_error refusal_to_listen(const replica_address& address) {
  auto file = open_listening_socket(address);
  REQUIRE(!file);
  return file.error();
}

bool has_ipv6() {
  const auto file = open_listening_socket({"::1", 0});
  if (file) return true;
  MESSAGE("not run: this machine has no IPv6");
  return false;
}

}  // namespace

TEST_CASE("an address is a host and a port, and is written in the form in which it is read") {
  CHECK(read("127.0.0.1:7400") == "127.0.0.1:7400");
  CHECK(read("replica-1.example.net:1") == "replica-1.example.net:1");
  CHECK(read("3com:65535") == "3com:65535");
  CHECK(read("[2001:db8::20]:7400") == "[2001:db8::20]:7400");
  CHECK(read("*:7400", address_use::listen) == "*:7400");
  CHECK(read("0.0.0.0:7400", address_use::listen) == "0.0.0.0:7400");
  CHECK(read("[::]:7400", address_use::listen) == "[::]:7400");
}

TEST_CASE("two spellings of one address are one address") {
  CHECK(read("[2001:0DB8:0:0::0020]:7400") == "[2001:db8::20]:7400");
  CHECK(read("[::ffff:10.0.0.5]:7400") == "10.0.0.5:7400");
  CHECK(read("Replica-1.EXAMPLE:7400") == "replica-1.example:7400");
}

TEST_CASE("an IPv6 address without brackets is refused with the form that has them") {
  for (const auto* text : {"2001:db8::20", "2001:db8::20:7400", "::1", "fe80::1%eth0:7400", "1:2:3"}) {
    CHECK(contains(error_of(text).remedy, "[2001:db8::20]:7400"));
  }
}

TEST_CASE("a name that is not a host by RFC 1123 is refused") {
  const std::string long_label(64, 'a');
  const std::string longest_label(63, 'a');
  CHECK(read(longest_label + ":1") == longest_label + ":1");
  std::string long_name;
  while (long_name.size() <= 253)
    long_name += "label.";
  for (const auto& text : std::vector<std::string>{":7400",
                                                   "a b:7400",
                                                   "%:7400",
                                                   "[::1:7400",
                                                   "::1]:7400",
                                                   "[]:7400",
                                                   "[:7400",
                                                   "]:7400",
                                                   "[10.0.0.1]:7400",
                                                   "[fe80::1%eth0]:7400",
                                                   "[host]:7400",
                                                   "-a:7400",
                                                   "a-:7400",
                                                   "a..b:7400",
                                                   ".a:7400",
                                                   "a.:7400",
                                                   "a_b:7400",
                                                   "\"x\":7400",
                                                   "a\n:7400",
                                                   "\x1b[31m:7400",
                                                   "\xff:7400",
                                                   "h\xc3\xb6st:7400",
                                                   "10.0.0:7400",
                                                   "10.0.0.256:7400",
                                                   "10.0.0.1.1:7400",
                                                   "010.0.0.1:7400",
                                                   "0x7f000001:7400",
                                                   "a.0x1:7400",
                                                   "127.1:7400",
                                                   "1:7400",
                                                   long_label + ":7400",
                                                   long_name + "a:7400",
                                                   "*:7400",
                                                   "0.0.0.0:7400",
                                                   "[::]:7400",
                                                   "[::ffff:0.0.0.0]:7400",
                                                   std::string{"a\0b:7400", 8},
                                                   std::string{"10.0.0.1\0:7400", 14},
                                                   "10.0.0.1 :7400",
                                                   " 10.0.0.1:7400"}) {
    CAPTURE(text);
    CHECK(read(text) == "error");
  }
}

TEST_CASE("a port is a number from 1 to 65535") {
  for (const auto* text : {"h",         "h:",     "h:0",     "h:00", "h:07400", "h:65536", "h:99999999999999999999",
                           "h:-1",      "h:+1",   "h: 1",    "h:1 ", "h:1a",    "h:0x1",   "[::1]",
                           "[::1]7400", "[::1]:", "[::1]:0", "",     ":",       "*"}) {
    CAPTURE(text);
    CHECK(read(text) == "error");
    CHECK(read(text, address_use::listen) == "error");
  }
}

TEST_CASE("a text that a message quotes cannot reach the terminal as a command") {
  CHECK(contains(error_of("\x1b[31m\xff:7400").what, "\\x1b[31m\\xff"));
}

TEST_CASE("a listener on every address is reached by IPv4 and by IPv6") {
  const auto file = opened({"", 0});
  CHECK(answers(AF_INET, port_of(file)));
  if (has_ipv6()) CHECK(answers(AF_INET6, port_of(file)));
}

TEST_CASE("a listener on every address of one family is reached by that family") {
  const auto four = opened({"0.0.0.0", 0});
  CHECK(answers(AF_INET, port_of(four)));
  CHECK_FALSE(answers(AF_INET6, port_of(four)));
  if (!has_ipv6()) return;
  const auto six = opened({"::", 0});
  CHECK(answers(AF_INET6, port_of(six)));
  CHECK_FALSE(answers(AF_INET, port_of(six)));
}

TEST_CASE("each reason why a port cannot be opened has its own advice") {
  const auto taken = opened({"127.0.0.1", 0});
  const auto in_use = refusal_to_listen({"127.0.0.1", port_of(taken)});
  CHECK(contains(in_use.remedy, "ss -ltnp"));
  CHECK(in_use.origin == fault_origin::machine);
  const auto everywhere = refusal_to_listen({"", port_of(taken)});
  CHECK(contains(everywhere.remedy, "ss -ltnp"));

  // TEST-NET-1 (RFC 5737) has no hosts.
  const auto foreign = refusal_to_listen({"192.0.2.1", 7'400});
  CHECK(contains(foreign.what, "no interface of this machine has this address"));
  CHECK(contains(foreign.remedy, "\"*:7400\""));
  CHECK_FALSE(contains(foreign.remedy, "ss -ltnp"));
  CHECK(foreign.origin == fault_origin::configuration);

  // The top-level domain "invalid" (RFC 6761) has no addresses.
  const auto unknown = refusal_to_listen({"no-such-host.invalid", 7'400});
  CHECK(contains(unknown.what, "no-such-host.invalid"));
  CHECK(contains(unknown.remedy, "getent"));
  CHECK_FALSE(contains(unknown.remedy, "ss -ltnp"));
  CHECK(unknown.origin == fault_origin::configuration);
}

TEST_CASE("a user without the right to a low port gets that reason, and no advice to look for another process") {
  std::uint32_t first_free = 0;
  std::ifstream{"/proc/sys/net/ipv4/ip_unprivileged_port_start"} >> first_free;
  if (::geteuid() != 0 || first_free <= 81) {
    MESSAGE("not run: it needs root, to become another user, and ports that only root may use");
    return;
  }
  const auto child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    constexpr uid_t nobody = 65'534;
    if (::setresuid(nobody, nobody, nobody) != 0) ::_exit(2);
    const auto refused = open_listening_socket({"127.0.0.1", 81});
    const bool told = !refused && contains(refused.error().remedy, "setcap cap_net_bind_service") &&
                      !contains(refused.error().remedy, "ss -ltnp") &&
                      refused.error().origin == fault_origin::configuration;
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(WEXITSTATUS(status) == 0);
}
