#include "tools/hypermesh/terminal/interruption.hpp"

#include <algorithm>
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
  if (signal_ == 0) signal_ = next(patience);
  return signal_ != 0;
}

bool interruption::wait_again(std::chrono::milliseconds patience) {
  const int further = next(patience);
  if (further != 0) signal_ = further;
  return further != 0;
}

int interruption::next(std::chrono::milliseconds patience) const {
  const timespec timeout{patience.count() / 1'000, (patience.count() % 1'000) * 1'000'000};
  return std::max(0, sigtimedwait(&awaited_, nullptr, &timeout));
}

}  // namespace hypermesh::cli
