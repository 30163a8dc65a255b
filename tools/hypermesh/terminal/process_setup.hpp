#pragma once

#include <exception>

#include "actors/ports.hpp"

/// The first steps of both binaries, and the messages when an exception ends them.
namespace hypermesh::cli {

/// Call this first in `main`, before a file is opened or a thread is started. It has these effects:
///
/// - Descriptors 0 to 2 that are closed are opened on /dev/null. Otherwise the next opened file would get such a
///   number, and messages would be written into that file.
/// - Writing to a pipe without a reader gives an error instead of a signal.
/// - An uncaught exception because the system refuses a thread or memory ends the process with a message and exit code
///   1. Any other uncaught exception is a fault of the program and still aborts.
void prepare_process();

/// Describes an exception that reached `main` in words for people.
[[nodiscard]] world_error error_of(const std::exception& caught);

}  // namespace hypermesh::cli
