#include "tools/hypermesh-lab/abort_notice.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

#include <unistd.h>

namespace hypermesh::lab {

namespace {

/// Written between runs and read by the signal handler. A signal handler must not allocate memory.
std::array<char, 512> notice{};
std::size_t notice_size = 0;

extern "C" void print_notice(int) {
  // If the output fails now, the handler cannot do anything about it.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, notice.data(), notice_size);
}

}  // namespace

void note_runs_on_abort() {
  struct sigaction action {};
  action.sa_handler = print_notice;
  // The second signal ends the process. It is raised by the C library, or by the same instruction, after the handler
  // returns.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const auto each : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE})
    sigaction(each, &action, nullptr);
}

void note_run(const std::string& command) {
  const auto text = "the process ended during a run; replay the run: " + command + " --trace\n";
  notice_size = std::min(text.size(), notice.size());
  std::copy_n(text.data(), notice_size, notice.data());
}

}  // namespace hypermesh::lab
