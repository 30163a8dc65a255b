#include "tools/hypermesh/terminal/interruption.hpp"

#include <ctime>

namespace hypermesh::cli {

namespace {

bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

interruption::interruption() {
  sigemptyset(&awaited_);
  for (const auto each : {SIGINT, SIGTERM})
    sigaddset(&awaited_, each);
  // A blocked signal would be delivered to the wait although it is ignored, so SIGHUP is left out in this case.
  if (!is_ignored(SIGHUP)) sigaddset(&awaited_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &awaited_, nullptr);
}

bool interruption::wait(std::chrono::milliseconds patience) {
  if (signal_ != 0) return true;
  const timespec timeout{patience.count() / 1'000, (patience.count() % 1'000) * 1'000'000};
  const int received = sigtimedwait(&awaited_, nullptr, &timeout);
  if (received > 0) signal_ = received;
  return signal_ != 0;
}

}  // namespace hypermesh::cli
