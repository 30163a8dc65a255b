#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/local_cluster/local_cluster.hpp"

namespace hypermesh::cli {

/// Repeatedly kills the present primary with SIGKILL while another object makes a load. A killed replica returns from
/// its disk before the next replica is killed. Use it from the main thread.
class primary_killer {
 public:
  using clock = std::chrono::steady_clock;

  /// `every` is the time from one kill to the next. `client` asks the replicas for their views.
  primary_killer(local_cluster& cluster, hosted_client& client, std::chrono::milliseconds every);

  /// Kills or restarts a replica if this is due. The call takes up to 200 ms, because it waits for replicas that do not
  /// answer.
  [[nodiscard]] or_error<void> poll();
  /// Restarts the replica that is away, if there is one.
  [[nodiscard]] or_error<void> restore();

  [[nodiscard]] std::size_t kills() const { return kills_; }

 private:
  void kill_primary();

  local_cluster* cluster_;
  hosted_client* client_;
  std::chrono::milliseconds every_;
  std::chrono::milliseconds away_;
  clock::time_point next_kill_;
  clock::time_point back_at_;
  std::optional<std::uint32_t> victim_;
  std::size_t kills_ = 0;
};

}  // namespace hypermesh::cli
