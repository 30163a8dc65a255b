#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <fmt/format.h>

#include "messages/layers.hpp"
#include "tools/hypermesh/terminal/service_manager.hpp"

namespace hypermesh::testing {

using namespace cli;

namespace {

/// Sets NOTIFY_SOCKET, and removes it again.
struct notify_socket {
  explicit notify_socket(const std::string& value) { ::setenv("NOTIFY_SOCKET", value.c_str(), 1); }
  ~notify_socket() { ::unsetenv("NOTIFY_SOCKET"); }
};

/// The socket of a service manager, with a name that is in no folder.
class manager_socket {
 public:
  manager_socket() : descriptor_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path + 1, name_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name_.size());
    REQUIRE(::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }
  ~manager_socket() { ::close(descriptor_); }

  [[nodiscard]] std::string address() const { return "@" + name_; }
  [[nodiscard]] std::string received() const {
    std::array<char, 256> bytes{};
    const auto count = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    return count < 0 ? std::string{} : std::string(bytes.data(), static_cast<std::size_t>(count));
  }

 private:
  std::string name_ = fmt::format("hypermesh-test-{}", ::getpid());
  int descriptor_;
};

}  // namespace

TEST_CASE("the service manager receives the state") {
  const manager_socket manager;
  const notify_socket variable{manager.address()};
  CHECK(tell_service_manager("READY=1"));
  CHECK(manager.received() == "READY=1");
  CHECK(manager.received().empty());
}

TEST_CASE("without a service manager nothing is sent") {
  ::unsetenv("NOTIFY_SOCKET");
  CHECK_FALSE(tell_service_manager("READY=1"));
  for (const auto& hostile : {std::string{}, std::string{"relative"}, std::string{"/no/such/socket"},
                              std::string{"@no-such-name"}, "/" + std::string(200, 'x'), std::string{"/dev/null"}}) {
    CAPTURE(hostile);
    const notify_socket variable{hostile};
    CHECK_FALSE(tell_service_manager("READY=1"));
  }
}

}  // namespace hypermesh::testing
