#include "runtime/base/wrapped_text.hpp"

#include <algorithm>

namespace hypermesh::base {

std::string wrapped_text(std::string_view text, std::string_view first, std::string_view next) {
  std::string out;
  std::string line{first};
  bool is_empty = true;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (!is_empty && line.size() + 1 + word.size() > line_bytes_max) {
      out += line + "\n";
      line = next;
      is_empty = true;
    }
    line += (is_empty ? "" : " ") + std::string{word};
    is_empty = false;
  }
  return out + line + "\n";
}

}  // namespace hypermesh::base
