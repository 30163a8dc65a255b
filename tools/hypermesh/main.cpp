#include <exception>

#include "tools/hypermesh/command_line.hpp"
#include "tools/hypermesh/console.hpp"
#include "tools/hypermesh/process_setup.hpp"

int main(int count, char** words) {
  using namespace hypermesh::cli;
  prepare_process();
  auto code = exit_code::failed;
  try {
    code = command_line{}.run(count, words);
  } catch (const std::exception& caught) {
    code = report_error(error_of(caught), exit_code::failed);
  }
  // Output that did not reach its file is a failure, whatever the command says.
  return static_cast<int>(finish_output(code));
}
