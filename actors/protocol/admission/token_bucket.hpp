#pragma once

#include <algorithm>
#include <cstdint>

#include "messages/types.hpp"

namespace hypermesh::protocol {

/// A token bucket: it allows an action at a fixed rate, and at most `most` times at once. Pure.
///
/// Example with `most` = 8 and a token each 250 ms: after a long pause eight messages pass at once, and then one each
/// 250 ms. The rest of a division into whole periods is kept, so rounding loses no time.
class token_bucket {
 public:
  /// Tokens are earned from `now` on.
  explicit token_bucket(std::uint64_t tokens = 0, moment now = {}) : tokens_(tokens), since_(now) {}

  /// Earns `each` tokens for each whole period up to `now`, at most `most`, and takes one. False when there is none.
  [[nodiscard]] bool take(std::uint64_t most, std::uint64_t each, duration period, moment now) {
    // `since_` is in the future during a pause; nothing is earned then.
    const auto periods = (now - std::min(now, since_)) / period;
    since_ += periods * period;
    add(std::min(most, static_cast<std::uint64_t>(periods) * each), most);
    if (tokens_ == 0) return false;
    --tokens_;
    return true;
  }

  void add(std::uint64_t tokens, std::uint64_t most) { tokens_ = std::min(most, tokens_ + tokens); }

  /// The first token is earned one period after `until`.
  void pause(moment until) {
    tokens_ = 0;
    since_ = until;
  }

 private:
  std::uint64_t tokens_;
  /// All tokens up to this time were earned.
  moment since_;
};

}  // namespace hypermesh::protocol
