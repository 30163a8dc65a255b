#include "runtime/http/routes.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/links/address.hpp"

namespace hypermesh::http {

namespace {

using metrics::http_answer;

http_response refusal(unsigned status, http_answer meaning, std::string_view what, std::string_view remedy) {
  http_response out;
  out.status = status;
  out.meaning = meaning;
  out.body = error_body(what, remedy);
  return out;
}

std::string paths_of(const std::vector<route>& routes) {
  std::string text;
  for (const auto& each : routes)
    text += fmt::format("{}{}", text.empty() ? "" : " ", each.path);
  return text;
}

}  // namespace

std::string error_body(std::string_view what, std::string_view remedy) {
  const nlohmann::ordered_json body = {{"error", what}, {"fix", remedy}};
  // A text with bytes that are not UTF-8 must not throw.
  return body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool names_this_machine(std::string_view host) {
  // In brackets, a colon belongs to the address.
  const auto address_end = host.starts_with('[') ? host.find(']') : 0;
  const auto named = parse_host(host.substr(0, host.find(':', address_end)), address_use::dial);
  return named && is_loopback(*named);
}

bool router::admits(const route& to, const http_request& asked) const {
  if (!token_) return true;
  if (to.needs == access::open || (to.needs == access::open_unless_verbose && !asked.is_verbose)) return true;
  return token_->is_shown_by(asked.authorization);
}

http_response router::answer(const http_request& asked) const {
  // A program that sends no Host is no browser.
  if (!token_ && !asked.host.empty() && !names_this_machine(asked.host)) {
    return refusal(421, http_answer::bad_request, "the header Host does not name this machine",
                   "use 127.0.0.1 or localhost in the address, or configure token_file of [http]");
  }
  const auto found = std::ranges::find(routes_, asked.path, &route::path);
  if (found == routes_.end()) {
    return refusal(404, http_answer::not_found, "there is no such path", "use one of: " + paths_of(routes_));
  }
  if (asked.method != "GET" && asked.method != "HEAD") {
    auto out = refusal(405, http_answer::bad_method, "this port only answers GET and HEAD", "use GET");
    out.header_name = "Allow";
    out.header_value = "GET, HEAD";
    return out;
  }
  if (!admits(*found, asked)) {
    auto out = refusal(401, http_answer::unauthorized, "the token is missing or wrong",
                       "send the header: Authorization: Bearer TOKEN");
    out.header_name = "WWW-Authenticate";
    out.header_value = "Bearer";
    return out;
  }
  return found->answer(asked);
}

}  // namespace hypermesh::http
