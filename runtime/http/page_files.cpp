#include "runtime/http/page_files.hpp"

namespace hypermesh::http {

namespace {

http_response answer_of(const page_file& file, const http_request& asked) {
  http_response out;
  out.content_type = file.content_type;
  // The browser keeps the file and asks each time whether it is still the same, because a new version of the node has
  // the same paths.
  out.cache_control = "no-cache";
  out.etag = file.etag;
  out.is_page = true;
  // A browser sends the one tag that it was given.
  if (asked.if_none_match == file.etag) {
    out.status = 304;
  } else {
    out.body = file.content;
  }
  return out;
}

}  // namespace

void add_page_routes(std::vector<route>& to) {
  for (const auto& each : page_files())
    to.push_back({each.path, access::open, [&each](const http_request& asked) { return answer_of(each, asked); }});
}

}  // namespace hypermesh::http
