#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/durable_file.hpp"

namespace hypermesh::lab {

/// The answer of a node's HTTP server, read piece by piece, because a stream of events has no end. Memory: the head of
/// the answer, at most `head_bytes_max`.
class node_answer {
 public:
  static constexpr std::size_t head_bytes_max = std::size_t{16} * 1024;

  /// Asks the server on this port of 127.0.0.1 and reads the head of its answer. Null if it does not answer within
  /// `patience`. `path` has no space and no line break.
  [[nodiscard]] static std::unique_ptr<node_answer> ask(std::uint16_t port, std::string_view path,
                                                        std::chrono::milliseconds patience);

  [[nodiscard]] unsigned status() const { return status_; }
  [[nodiscard]] bool is_stream() const { return is_stream_; }

  enum class outcome : std::uint8_t { bytes, none_yet, over };
  static constexpr auto outcome_last = outcome::over;
  /// Reads the next bytes of the body into `into`, and waits at most a quarter of a second for them.
  [[nodiscard]] outcome read(char* into, std::size_t size, std::size_t& count);

 private:
  explicit node_answer(int socket) : socket_(socket) {}
  [[nodiscard]] bool read_head(std::chrono::milliseconds patience);

  open_file socket_;
  unsigned status_ = 0;
  bool is_stream_ = false;
  /// The part of the body that came with the head.
  std::string rest_;
};

}  // namespace hypermesh::lab
