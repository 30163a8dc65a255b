#include "tools/hypermesh/gateway/cluster_watch.hpp"

namespace hypermesh::cli {

cluster_watch::cluster_watch(hosted_client& client, cluster_parameters cluster)
    : client_(&client), cluster_(std::move(cluster)) {}

void cluster_watch::ask(moment now) {
  const auto replicas = cluster_.group().replicas();
  questions_.clear();
  reports_.assign(replicas, std::nullopt);
  for (std::uint32_t number = 0; number < replicas; ++number)
    questions_.push_back(client_->report(replica_id{number}));
  is_asking_ = true;
  asked_at_ = now;
}

std::optional<cluster_view> cluster_watch::look(moment now) {
  if (!is_asking_) {
    if (questions_.empty() || now - asked_at_ >= interval) ask(now);
    return std::nullopt;
  }
  bool is_complete = true;
  for (std::size_t number = 0; number < questions_.size(); ++number) {
    auto& question = questions_[number];
    if (!question.valid()) continue;
    if (question.wait_for(std::chrono::seconds{0}) == std::future_status::ready) {
      reports_[number] = question.get();
    } else {
      is_complete = false;
    }
  }
  if (!is_complete && now - asked_at_ < patience) return std::nullopt;
  is_asking_ = false;
  return view_of(reports_, cluster_, now);
}

}  // namespace hypermesh::cli
