#include "tools/hypermesh/interruption.hpp"

#include <csignal>
#include <ctime>

namespace hypermesh::cli {

namespace {

sigset_t awaited() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const auto each : {SIGINT, SIGTERM, SIGHUP})
    sigaddset(&signals, each);
  return signals;
}

}  // namespace

interruption::interruption() {
  const auto signals = awaited();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  // A reader that went away shows as a failed write, which leaves time for cleaning up.
  std::signal(SIGPIPE, SIG_IGN);
}

bool interruption::wait(std::chrono::milliseconds patience) {
  if (signal_ != 0) return true;
  const auto signals = awaited();
  const timespec timeout{patience.count() / 1'000, (patience.count() % 1'000) * 1'000'000};
  const int received = sigtimedwait(&signals, nullptr, &timeout);
  if (received > 0) signal_ = received;
  return signal_ != 0;
}

}  // namespace hypermesh::cli
