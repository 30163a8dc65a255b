#pragma once

#include <csignal>

#include <chrono>

namespace hypermesh::cli {

/// Turns SIGINT, SIGTERM and SIGHUP into a state that can be queried, so that a command can clean up before it ends.
/// SIGHUP counts only if it was not ignored at the start (nohup). Construct this object before the first thread, so
/// that no thread receives the signals.
class interruption {
 public:
  interruption();

  /// Whether one of the signals has arrived. Once true, the result stays true.
  [[nodiscard]] bool requested() { return wait(std::chrono::milliseconds{0}); }

  /// Waits for one of the signals.
  [[nodiscard]] bool wait(std::chrono::milliseconds patience);

  /// Waits for a further one of the signals after the first: the caller's clean end takes too long for somebody.
  [[nodiscard]] bool wait_again(std::chrono::milliseconds patience);

  /// The last signal that arrived; 0 if no signal arrived.
  [[nodiscard]] int signal_number() const { return signal_; }

 private:
  /// The signal that arrived before `patience` passed; 0 if none did.
  [[nodiscard]] int next(std::chrono::milliseconds patience) const;

  sigset_t awaited_{};
  int signal_ = 0;
};

}  // namespace hypermesh::cli
