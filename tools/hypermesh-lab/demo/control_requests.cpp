#include "tools/hypermesh-lab/demo/control_requests.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <sodium.h>
#include <nlohmann/json.hpp>

#include "runtime/http/routes.hpp"

namespace hypermesh::lab {

namespace {

tl::unexpected<control_refusal> refused(unsigned status, std::string what, std::string remedy) {
  return tl::unexpected(control_refusal{status, std::move(what), std::move(remedy)});
}

bool is_key(std::string_view shown, std::string_view key) {
  return !key.empty() && shown.size() == key.size() && sodium_memcmp(shown.data(), key.data(), key.size()) == 0;
}

bool is_plain(std::string_view path) {
  return std::ranges::all_of(path, [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '/';
  });
}

}  // namespace

tl::expected<control_route, control_refusal> route_of(const control_request& asked, std::string_view key) {
  if (asked.host.empty() || !http::names_this_machine(asked.host))
    return refused(421, "the header Host does not name this machine", "use 127.0.0.1 or localhost in the address");
  if (!asked.origin.empty() && asked.origin != fmt::format("http://{}", asked.host))
    return refused(403, "a page of another origin sent this request", "open the address that the terminal shows");
  const bool is_order = asked.path == "/lab/orders";
  if (is_order != (asked.method == "POST") || (!is_order && asked.method != "GET" && asked.method != "HEAD"))
    return refused(405, "this path does not answer this method", is_order ? "use POST" : "use GET");
  if (is_order || asked.path == "/lab/state") {
    if (!is_key(asked.key, key))
      return refused(401, "the key is missing or wrong", "open the address that the terminal shows, with its key");
    return is_order ? control_route::order : control_route::state;
  }
  if (asked.path.starts_with("/api/v1/") && is_plain(asked.path)) return control_route::node;
  return control_route::file;
}

std::optional<demo_request> parse_order(std::string_view body) {
  if (body.size() > order_bytes_max) return std::nullopt;
  const auto read = nlohmann::json::parse(body, nullptr, false);
  if (!read.is_object() || !read.contains("action") || !read["action"].is_string()) return std::nullopt;
  const auto action = action_named(read["action"].get<std::string>());
  const bool has_replica = read.contains("replica");
  if (!action || read.size() != (has_replica ? 2U : 1U)) return std::nullopt;
  demo_request order{*action, {}};
  if (!has_replica) return order;
  const auto& replica = read["replica"];
  if (!replica.is_number_unsigned() || replica.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max())
    return std::nullopt;
  order.replica = replica.get<std::uint32_t>();
  return order;
}

}  // namespace hypermesh::lab
