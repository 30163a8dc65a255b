#include <exception>

#include "tools/hypermesh/commands/command_line.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/process_setup.hpp"

int main(int count, char** words) {
  using namespace hypermesh::cli;
  prepare_process();
  auto code = exit_code::failed;
  try {
    code = command_line{}.run(count, words);
  } catch (const std::exception& caught) {
    code = report_error(error_of(caught), exit_code::failed);
  }
  // If output could not be written, that is a failure, whatever the command returned.
  return static_cast<int>(finish_output(code));
}
