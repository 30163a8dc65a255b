#pragma once

#include <algorithm>

#include "runtime/scheduling/resource_scheduler_api.hpp"
#include "runtime/scheduling/scheduler_port.hpp"

namespace hypermesh::scheduling {

/// The contract over a port: encodes operations, decodes results, and keeps the promise that reads never go back.
///
/// A read first asks for a committed state, which costs no ordering. If the answer is `behind`, or the replicas do not
/// agree on one in the time of the port, the read is ordered, because an ordered read reflects every write that
/// returned. Replicas at different positions give different answers, because an answer has the number of its newest
/// event; so under load many reads are ordered. Memory: one number.
class scheduler_client : public resource_scheduler_api {
 public:
  /// `port` outlives the client. `seen` is an event that an earlier process has seen.
  explicit scheduler_client(scheduler_port& port, std::uint64_t seen = 0) : port_(&port), seen_(seen) {}

  or_failure<change_result> register_node(const node_spec& node) override;
  or_failure<change_result> drain_node(std::string_view name) override;
  or_failure<change_result> undrain_node(std::string_view name) override;
  or_failure<removal_result> remove_node(std::string_view name, removal_mode mode) override;
  or_failure<change_result> submit(const submit_task& submission) override;
  or_failure<change_result> place(std::string_view task) override;
  or_failure<change_result> release(std::string_view task) override;
  or_failure<change_result> end(std::string_view task) override;
  or_failure<renewal_result> renew_lease(std::string_view task, std::chrono::milliseconds lease) override;
  or_failure<expiry_result> expire_leases() override;
  or_failure<node_view> node(std::string_view name) override;
  or_failure<task_view> task(std::string_view name) override;
  or_failure<summary_view> summary() override;
  or_failure<capacity_view> capacity() override;
  or_failure<fit_view> explain(std::string_view task) override;
  or_failure<fit_view> explain_demand(const demand& needs) override;
  or_failure<nodes_page> nodes(std::string_view after, std::uint16_t limit) override;
  or_failure<tasks_page> tasks(std::string_view after, std::uint16_t limit) override;
  or_failure<placed_page> placed(std::uint64_t after, std::uint16_t limit) override;
  or_failure<events_page> events(std::uint64_t since, std::uint16_t limit) override;
  [[nodiscard]] std::uint64_t seen() const override { return seen_; }
  void note_seen(std::uint64_t event) override { seen_ = std::max(seen_, event); }

 private:
  template <class Decode>
  auto write(const machines::scheduler::operation& operation, const Decode& decode);
  template <class Decode>
  auto read(const machines::scheduler::operation& operation, const Decode& decode);
  /// Reads all pages of an explanation, and adds them.
  template <class Question>
  or_failure<fit_view> explain_pages(Question question);

  scheduler_port* port_;
  std::uint64_t seen_;
};

}  // namespace hypermesh::scheduling
