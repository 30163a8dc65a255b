#include "tools/hypermesh/terminal/hard_deadline.hpp"

#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <string_view>

#include "messages/require.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

/// The additional time that a loaded machine may need to begin and to end a command.
constexpr double grace_seconds = 3;

/// The signal handler reads this value. It is negative while no result is known.
volatile std::sig_atomic_t settled_code = -1;

extern "C" void end_process(int) {
  constexpr std::string_view message =
      "error: the command did not end in its time\n"
      "  fix: check the limits of this user (ulimit -a) and the name servers, then run the command again\n";
  if (settled_code >= 0) _exit(settled_code);
  [[maybe_unused]] const auto written = write(STDERR_FILENO, message.data(), message.size());
  _exit(static_cast<int>(exit_code::no_quorum));
}

void set_timer(double seconds) {
  const auto whole = std::floor(seconds);
  const itimerval timer{{0, 0}, {static_cast<time_t>(whole), static_cast<suseconds_t>((seconds - whole) * 1e6)}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

}  // namespace

hard_deadline::hard_deadline(double timeout_seconds) {
  require(timeout_seconds > 0, "a timer needs more than zero seconds");
  settled_code = -1;
  struct sigaction action {};
  action.sa_handler = end_process;
  sigaction(SIGALRM, &action, nullptr);
  // The process that started this process may have blocked the signal.
  sigset_t alarm;
  sigemptyset(&alarm);
  sigaddset(&alarm, SIGALRM);
  pthread_sigmask(SIG_UNBLOCK, &alarm, nullptr);
  set_timer(timeout_seconds + grace_seconds);
}

hard_deadline::~hard_deadline() { set_timer(0); }

exit_code hard_deadline::settle(exit_code code) {
  const auto last = finish_output(code);
  settled_code = static_cast<int>(last);
  set_timer(grace_seconds);
  return last;
}

}  // namespace hypermesh::cli
