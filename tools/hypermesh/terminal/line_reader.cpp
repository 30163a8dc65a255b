#include "tools/hypermesh/terminal/line_reader.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace hypermesh::cli {

void line_reader::read_more() {
  if (has_ended_) return;
  std::array<char, 65'536> bytes;
  const auto size = read(descriptor_, bytes.data(), bytes.size());
  if (size < 0 && errno == EINTR) return;
  if (size < 0) error_ = errno;
  if (size <= 0) {
    has_ended_ = true;
    return;
  }
  text_.erase(0, begin_);
  begin_ = 0;
  text_.append(bytes.data(), static_cast<std::size_t>(size));
}

input_line line_reader::take(std::size_t size) {
  input_line line{text_.substr(begin_, std::min(size, line_bytes_max_)), size > line_bytes_max_};
  begin_ = std::min(begin_ + size + 1, text_.size());
  return line;
}

std::optional<input_line> line_reader::next() {
  auto end = text_.find('\n', begin_);
  if (is_skipping_) {
    begin_ = end == std::string::npos ? text_.size() : end + 1;
    if (end == std::string::npos) return std::nullopt;
    is_skipping_ = false;
    end = text_.find('\n', begin_);
  }
  if (end != std::string::npos) return take(end - begin_);
  const auto rest = text_.size() - begin_;
  if (rest > line_bytes_max_) {
    is_skipping_ = true;
    return take(rest);
  }
  if (!has_ended_ || rest == 0) return std::nullopt;
  return take(rest);
}

}  // namespace hypermesh::cli
