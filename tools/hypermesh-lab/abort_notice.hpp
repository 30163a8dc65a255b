#pragma once

#include <string>

/// A broken requirement ends the process; these make it say which run broke it.
namespace hypermesh::lab {

/// From now on an abort, or another signal that ends the process, prints the last noted command on stderr.
void note_runs_on_abort();

/// `command` repeats the run that begins now.
void note_run(const std::string& command);

}  // namespace hypermesh::lab
