#pragma once

#include <future>
#include <optional>
#include <vector>

#include "messages/time.hpp"
#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/gateway/cluster_view.hpp"

namespace hypermesh::cli {

/// Asks all replicas for their reports every few seconds, and never waits. An adapter; `view_of` judges the reports.
/// Memory: one question and one report for each replica, at most 50 KiB each.
class cluster_watch {
 public:
  /// The time from one round of questions to the next one. A replica computes the root of its state for an answer.
  static constexpr duration interval = std::chrono::seconds{5};
  /// Replicas that have not answered by then count as silent.
  static constexpr duration patience = std::chrono::seconds{2};
  static_assert(patience < interval);

  /// The client must live longer than the watch.
  cluster_watch(hosted_client& client, cluster_parameters cluster);

  /// To be called ten times a second. A new view of the cluster, if a round of questions has ended.
  [[nodiscard]] std::optional<cluster_view> look(moment now);

 private:
  void ask(moment now);

  hosted_client* client_;
  cluster_parameters cluster_;
  std::vector<std::future<std::optional<node_report>>> questions_;
  cluster_reports reports_;
  bool is_asking_ = false;
  moment asked_at_{};
};

}  // namespace hypermesh::cli
