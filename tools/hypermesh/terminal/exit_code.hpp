#pragma once

namespace hypermesh::cli {

/// The exit code of the process. Documented in tools/README.md; scripts rely on it.
enum class exit_code : int {
  ok = 0,
  /// The command line was valid, but the command failed.
  failed = 1,
  /// Wrong options, or an invalid configuration file.
  usage = 2,
  /// The cluster did not answer in time, or too few replicas are reachable.
  no_quorum = 3,
  /// Stopped by SIGINT, SIGTERM or SIGHUP before the end. Shells report the same number.
  interrupted = 130,
};

}  // namespace hypermesh::cli
