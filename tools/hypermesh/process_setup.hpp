#pragma once

#include <exception>

#include "actors/ports.hpp"

/// What both binaries do before anything else, and what they say when something ends them.
namespace hypermesh::cli {

/// To be called first in `main`, before a file is opened or a thread is started:
///
/// - descriptors 0 to 2 that are closed are opened on /dev/null, because the next file that is opened would get the
///   number, and messages would be written into it;
/// - a pipe whose reader has gone gives an error instead of a signal;
/// - an exception that nobody catches because the system refuses a thread or memory ends the process with a message and
///   exit code 1. Every other one is a fault of the program, and still aborts.
void prepare_process();

/// What an exception that reached `main` means to people.
[[nodiscard]] world_error error_of(const std::exception& caught);

}  // namespace hypermesh::cli
