#pragma once

#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/http/routes.hpp"

/// The files of the page (`page/`), which the build embeds in the binary.
namespace hypermesh::http {

struct page_file {
  /// For example "/page/main.js"; "/" for index.html.
  std::string_view path;
  std::string_view content_type;
  /// A part of the digest of the content, in quotation marks.
  std::string_view etag;
  std::string_view content;
};

/// The build generates this list (`tools/cmake/hypermesh_embed.cmake`).
[[nodiscard]] std::span<const page_file> page_files();

/// Adds a route for each file. The files are open, because they are equal in every node and contain no data.
void add_page_routes(std::vector<route>& to);

struct page_header {
  const char* name;
  std::string_view value;
};

/// What a browser may do with the files of the page: run and show these files and nothing else, ask this node and
/// nobody else, and never make a document of a text.
inline constexpr std::array<page_header, 4> page_headers = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
     "trusted-types 'none'"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

}  // namespace hypermesh::http
