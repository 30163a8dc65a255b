#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "tools/hypermesh-lab/demo/demo_state.hpp"

/// Which requests the control page's server obeys. Pure: `control_server` has the sockets. All texts are hostile,
/// because any web page in the viewer's browser and any program on this machine can send them.
namespace hypermesh::lab {

/// The header that shows the key of the demonstration. A web page of another origin cannot send it, because a browser
/// first asks this server whether it may (CORS), and the server does not agree.
inline constexpr const char* key_header = "X-HyperMesh-Lab";
/// The longest body of an order, for example {"action": "lose-disk", "replica": 12}.
inline constexpr std::size_t order_bytes_max = 256;

struct control_request {
  std::string_view method;
  std::string_view path;
  /// The headers; empty if they are missing.
  std::string_view host;
  std::string_view origin;
  std::string_view key;
};

struct control_refusal {
  unsigned status = 400;
  std::string what;
  std::string remedy;
};

/// What a request asks for.
enum class control_route : std::uint8_t { file, state, order, node };
inline constexpr auto control_route_last = control_route::node;

/// The route of a request that the server may answer, or the reason against it. The header Host must name this machine,
/// so that no web page reads the port under a name of its own (DNS rebinding), and Origin must be the same host. State
/// and orders need the key, which only the terminal shows, so that no other user of this machine harms the cluster. The
/// node's data do not, because the node shows them at its own port too.
[[nodiscard]] tl::expected<control_route, control_refusal> route_of(const control_request& asked, std::string_view key);

/// The order in a body; nothing if it is not exactly one.
[[nodiscard]] std::optional<demo_request> parse_order(std::string_view body);

}  // namespace hypermesh::lab
