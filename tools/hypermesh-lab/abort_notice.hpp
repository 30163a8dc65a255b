#pragma once

#include <string>

/// A failed assertion (`require`) ends the process. These functions make the process report in which run the assertion
/// failed.
namespace hypermesh::lab {

/// From now on an abort, or another fatal signal, prints the last noted command on stderr.
void note_runs_on_abort();

/// Notes the command that repeats the run that begins now.
void note_run(const std::string& command);

}  // namespace hypermesh::lab
