#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

namespace hypermesh::http {

/// A text that is made for the first request and used again for those that soon follow. So a flood of requests makes
/// few texts. Pure; not thread-safe. Memory: the text.
class reused_text {
 public:
  using clock = std::chrono::steady_clock;

  /// A text that is older than `age_max` is made again.
  explicit reused_text(clock::duration age_max) : age_max_(age_max) {}

  /// The text at the time `now`, which `make` returns if it has to be made. If `make` throws, the old text stays.
  template <class Make>
  [[nodiscard]] const std::string& get(clock::time_point now, const Make& make) {
    if (!made_at_ || now - *made_at_ > age_max_) {
      text_ = make();
      made_at_ = now;
    }
    return text_;
  }

 private:
  clock::duration age_max_;
  std::optional<clock::time_point> made_at_;
  std::string text_;
};

}  // namespace hypermesh::http
