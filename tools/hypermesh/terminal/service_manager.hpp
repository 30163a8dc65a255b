#pragma once

#include <string_view>

namespace hypermesh::cli {

/// Tells the service manager of the system the state of this process, for example "READY=1" or "STOPPING=1", as
/// sd_notify(3) describes it. Returns whether the state was sent: false without a service manager (NOTIFY_SOCKET is not
/// set), and if its socket does not take the text. Never blocks, and a failure has no further effect: a process that
/// told nothing is stopped by the time-out of its unit.
bool tell_service_manager(std::string_view state);

}  // namespace hypermesh::cli
