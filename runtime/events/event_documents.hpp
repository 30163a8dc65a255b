#pragma once

#include <string>

/// The document that is generated from the table of events. Pure. `hypermesh events` prints it, and a test compares it
/// with the file of the repository.
namespace hypermesh::runtime {

/// `runtime/EVENTS.md`: every event with its level, sentence and fields, and what becomes of every observation.
[[nodiscard]] std::string events_reference_text();

}  // namespace hypermesh::runtime
