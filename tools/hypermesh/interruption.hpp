#pragma once

#include <csignal>

#include <chrono>

namespace hypermesh::cli {

/// SIGINT, SIGTERM and SIGHUP, which counts only where it was not ignored at the start (nohup), as something to ask for
/// instead of something that strikes: whoever waits asks, and cleans up in its own order. Construct it before the first
/// thread, so that no thread takes the signals.
class interruption {
 public:
  interruption();

  /// Whether one of the signals has come; stays true.
  [[nodiscard]] bool requested() { return wait(std::chrono::milliseconds{0}); }

  /// Waits for one of the signals.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);

  /// The first signal that came; 0 when none did.
  [[nodiscard]] int signal_number() const { return signal_; }

 private:
  sigset_t awaited_{};
  int signal_ = 0;
};

}  // namespace hypermesh::cli
