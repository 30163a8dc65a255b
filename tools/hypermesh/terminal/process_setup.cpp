#include "tools/hypermesh/terminal/process_setup.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <new>
#include <system_error>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::cli {

namespace {

void open_missing_descriptors() {
  for (const int wanted : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(wanted, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is the wanted number, because the descriptors below it are open.
    if (open("/dev/null", O_RDWR) != wanted) _exit(static_cast<int>(exit_code::failed));
  }
}

[[noreturn]] void end_for_uncaught() {
  leave_live_screen();
  try {
    if (const auto current = std::current_exception()) std::rethrow_exception(current);
  } catch (const std::system_error& caught) {
    report_error(error_of(caught), exit_code::failed);
    _exit(static_cast<int>(exit_code::failed));
  } catch (const std::bad_alloc& caught) {
    report_error(error_of(caught), exit_code::failed);
    _exit(static_cast<int>(exit_code::failed));
  } catch (...) {
    // The exception is a fault of the program, so the process aborts below, where a debugger can find the cause.
  }
  std::abort();
}

}  // namespace

void prepare_process() {
  open_missing_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  std::set_terminate(end_for_uncaught);
}

world_error error_of(const std::exception& caught) {
  if (const auto* system = dynamic_cast<const std::system_error*>(&caught)) {
    if (system->code() == std::errc::resource_unavailable_try_again) {
      return {"the system refused to create a thread",
              "raise the limit of this user's processes and threads (ulimit -u; in a container pids.max), or end other "
              "processes"};
    }
    return {fmt::format("the system refused: {}", caught.what()),
            "correct the named problem, and run the command again"};
  }
  if (dynamic_cast<const std::bad_alloc*>(&caught) != nullptr) {
    return {"the system has no more memory for this process",
            "free memory, or raise the limit (ulimit -v; in a container memory.max)"};
  }
  return {caught.what(), "report this error with the command line"};
}

}  // namespace hypermesh::cli
