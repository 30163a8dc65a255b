#include "tools/hypermesh/terminal/service_manager.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>

namespace hypermesh::cli {

bool tell_service_manager(std::string_view state) {
  const auto* const variable = std::getenv("NOTIFY_SOCKET");
  if (variable == nullptr) return false;
  const std::string_view path{variable};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || (path.front() != '/' && path.front() != '@')) {
    return false;
  }
  std::ranges::copy(path, address.sun_path);
  // '@' means a name that is in no folder. The system writes a null byte in its place.
  if (path.front() == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return false;
  const auto sent =
      ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&address), size);
  ::close(descriptor);
  return sent == static_cast<ssize_t>(state.size());
}

}  // namespace hypermesh::cli
