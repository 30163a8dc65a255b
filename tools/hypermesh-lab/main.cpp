#include <exception>

#include "tools/hypermesh-lab/lab_command_line.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/process_setup.hpp"

int main(int count, char** words) {
  namespace cli = hypermesh::cli;
  cli::prepare_process();
  auto code = cli::exit_code::failed;
  try {
    code = hypermesh::lab::lab_command_line{}.run(count, words);
  } catch (const std::exception& caught) {
    code = cli::report_error(cli::error_of(caught), cli::exit_code::failed);
  }
  return static_cast<int>(cli::finish_output(code));
}
