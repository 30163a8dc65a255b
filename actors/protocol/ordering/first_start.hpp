#pragma once

#include <cstdint>
#include <map>

#include "actors/protocol/base/cluster.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Decides whether a replica with a new data directory starts for the first time. The directory alone cannot tell,
/// because somebody may have copied the folder of `init` to the machine a second time, after the first copy has voted
/// (attack 9). The other replicas can tell: a replica has voted only in a group that has begun. Pure. Memory: one flag
/// for each other replica.
///
/// A report shows no beginning if its sender is in view 0, has no stable checkpoint, and has prepared nothing. The
/// first start is proven when 2f other replicas have sent such reports, that is a quorum with this replica. Suppose
/// that an earlier vote of this replica counted in a certificate. Then 2f others voted in the same certificate, and at
/// least f of them are among the 2f that reported. This replica counts as one of the f faulty ones until the proof, so
/// one of these f is correct, and its report would have shown a prepared batch.
///
/// The first report of each replica counts. A replica sends a STATUS as soon as its own first start is proven and
/// before it votes, and links keep the order. So the first commit does not refute the start of a replica that is
/// connected. If the start is refuted, the replica stays on `probation`, and the group readmits it.
class first_start {
 public:
  enum class finding { open, proven, refuted };

  first_start(const cluster_parameters& cluster, replica_id self) : group_(cluster.group()), self_(self) {}

  /// Another replica reports its position.
  void on_status(const status& value);
  /// A status period has passed.
  void on_tick();

  [[nodiscard]] finding found() const;
  /// Whether enough replicas have reported no beginning, so that only the patience can delay the proof.
  [[nodiscard]] bool quiet_is_enough() const { return quiet_ >= enough(); }

  /// Status periods for which the replica waits for the last reports, 1.5 s by default. While all replicas of a new
  /// group start together, nobody begins before the last one is connected, so none of them starts late.
  static constexpr std::uint64_t patience_ticks = 10;

 private:
  [[nodiscard]] std::size_t enough() const { return group_.quorum() - 1; }
  [[nodiscard]] bool shows_no_beginning(const status& value) const;

  group_size group_;
  replica_id self_;
  /// Whether the first report of each replica showed no beginning.
  std::map<replica_id, bool> heard_;
  /// The number of reports that showed no beginning.
  std::size_t quiet_ = 0;
  std::uint64_t ticks_waited_ = 0;
};

}  // namespace hypermesh::protocol
