#pragma once

namespace hypermesh::cli {

/// The exit code of the process. tools/README.md documents the codes, because scripts depend on them.
enum class exit_code : int {
  ok = 0,
  /// The command line was valid, but the command failed.
  failed = 1,
  /// The options are wrong, or a configuration file is invalid.
  usage = 2,
  /// The cluster did not answer in time, or too few replicas are reachable.
  no_quorum = 3,
  /// The command was stopped by SIGINT, SIGTERM or SIGHUP before its end. Shells report the same number.
  interrupted = 130,
};

}  // namespace hypermesh::cli
