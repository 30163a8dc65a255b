#include "tests/support/core_cluster.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

/// A replica's tick comes every `tick_moments` moments, and a client's tick every second moment.
constexpr std::uint64_t tick_moments = 12;
constexpr duration moment_length = 1ms;

}  // namespace

core_cluster::core_cluster(const core_cluster_options& options)
    : options_(options),
      factory_(options.cluster, options.seed),
      faults_(options.faults),
      random_(options.seed),
      checker_(options.cluster, factory_.keys().verifier()),
      ignored_(options.cluster, factory_.keys().verifier()) {
  for (std::uint32_t number = 0; number < options.cluster.replicas; ++number) {
    nodes_.push_back(make_node(replica_id{number}, checker_));
    if (options.new_directories) nodes_.back()->start_on_probation(true);
  }
  for (std::uint32_t number = 0; number < options.cluster.clients; ++number) {
    const client_id self{number};
    clients_.push_back(std::make_unique<client_core>(options.cluster, self, factory_.keys_of(self), options.clients,
                                                     timestamp{1 + options.seed % 1'000}));
  }
}

void core_cluster::submit(client_id client, std::string_view operation) {
  ++submitted_;
  send_of(client.value, clients_.at(client.value)->on_submit(to_byte_vector(operation), submitted_, time()));
}

void core_cluster::corrupt(replica_id replica, intercept lie) {
  corrupt_.insert(replica);
  filters_[replica] = std::move(lie);
  nodes_.at(replica.value) = make_node(replica, ignored_);
}

void core_cluster::replace_disk(replica_id replica, bool looks_new) {
  checker_.on_disk_lost(replica);
  nodes_.at(replica.value) = make_node(replica, checker_);
  nodes_.at(replica.value)->start_on_probation(looks_new);
}

std::unique_ptr<core_node> core_cluster::make_node(replica_id id, order_checker& checker) const {
  return std::make_unique<core_node>(options_.cluster, id, factory_.keys_of(id), options_.batching, options_.views,
                                     std::make_unique<counting_machine>(options_.state_padding, options_.state_ballast),
                                     checker);
}

void core_cluster::isolate(replica_id replica) {
  const auto self = principal::of(replica);
  for (std::uint32_t number = 0; number < options_.cluster.replicas; ++number) {
    cut_link(self, principal::of(replica_id{number}));
    cut_link(principal::of(replica_id{number}), self);
  }
  for (std::uint32_t number = 0; number < options_.cluster.clients; ++number) {
    cut_link(self, principal::of(client_id{number}));
    cut_link(principal::of(client_id{number}), self);
  }
}

// --- The network -------------------------------------------------------------------

void core_cluster::send(principal from, principal to, const frame_ptr& frame) {
  if (cut_links_.contains({from, to}) || random_.below(100) < faults_.drop_percent) return;
  const auto copies = random_.below(100) < faults_.duplicate_percent ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    auto arrives = now_ + 1 + random_.below(faults_.delay_max);
    if (kind_of(byte_span{*frame}) == message_kind::state_chunk) {
      ++chunks_carried_;
      const auto pace = faults_.moments_per_chunk;
      if (pace > 0) arrives = chunks_done_at_ = std::max(arrives, chunks_done_at_ + pace);
    }
    network_.emplace(arrives, frame_on_its_way{from, to, frame});
  }
}

void core_cluster::send_of(core_node& node) {
  const auto from = principal::of(node.self());
  const auto filter = filters_.find(node.self());
  for (const auto& each : node.take_sends()) {
    if (filter == filters_.end()) {
      send(from, each.to, each.frame);
    } else {
      for (const auto& told : filter->second(each.to, each.frame))
        send(from, each.to, told);
    }
  }
}

void core_cluster::send_of(std::uint32_t client, client_effects effects) {
  const auto from = principal::of(client_id{client});
  for (const auto& each : effects.sends) {
    const auto value = decode(each.frame);
    if (value && std::holds_alternative<request>(*value)) checker_.on_sent(std::get<request>(*value));
    for (std::uint32_t number = 0; number < options_.cluster.replicas; ++number) {
      if (!each.to || each.to->value == number) send(from, principal::of(replica_id{number}), each.frame);
    }
  }
  for (auto& each : effects.done) {
    if (const auto* result = std::get_if<operation_result>(&each.outcome)) checker_.on_result(result->payload);
    outcomes_.push_back(std::move(each.outcome));
  }
}

void core_cluster::deliver(const frame_on_its_way& event) {
  if (event.to.is_replica()) {
    auto& node = *nodes_.at(event.to.number);
    node.on_frame(event.from, event.frame);
    return send_of(node);
  }
  const auto decoded = decode(event.frame);
  const auto* answer = decoded ? std::get_if<reply>(&*decoded) : nullptr;
  if (answer == nullptr || !event.from.is_replica()) return;
  auto& client = *clients_.at(event.to.number);
  send_of(event.to.number, client.on_reply(replica_id{event.from.number}, *answer, time()));
}

// --- Time ----------------------------------------------------------------------------

moment core_cluster::time() const { return moment{now_ * moment_length}; }

void core_cluster::run_executors() {
  for (auto& node : nodes_) {
    // Sometimes an executor is slow, so that ordering gets ahead of execution.
    while (random_.below(4) != 0 && node->run_executor()) {
    }
    send_of(*node);
  }
}

void core_cluster::pass_moment() {
  ++now_;
  for (auto& node : nodes_)
    node->advance_to(time());
  std::vector<frame_on_its_way> due;
  const auto last = network_.upper_bound(now_);
  for (auto place = network_.begin(); place != last; ++place)
    due.push_back(std::move(place->second));
  network_.erase(network_.begin(), last);
  for (auto left = due.size(); left > 1; --left)
    std::swap(due[left - 1], due[random_.below(left)]);
  for (const auto& event : due)
    deliver(event);
  run_executors();
  for (auto& node : nodes_) {
    // Ticks of different replicas come at different moments.
    if ((now_ + 5ULL * node->self().value) % tick_moments != 0) continue;
    node->on_tick();
    send_of(*node);
  }
  for (std::uint32_t client = 0; client < clients_.size() && now_ % 2 == 0; ++client) {
    send_of(client, clients_[client]->on_tick(time()));
  }
}

void core_cluster::run(std::uint64_t moments) {
  for (std::uint64_t passed = 0; passed < moments && !violation(); ++passed)
    pass_moment();
}

bool core_cluster::is_settled() const {
  const auto target = checker_.last_committed();
  const bool answered =
      std::all_of(clients_.begin(), clients_.end(), [](const auto& client) { return client->is_idle(); });
  return answered && std::all_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
           return corrupt_.contains(node->self()) ||
                  (node->state().last_executed() == target && node->replica().last_executed() == target &&
                   !node->executor_has_work());
         });
}

bool core_cluster::settle(std::uint64_t moments_max) {
  for (std::uint64_t passed = 0; passed < moments_max && !violation() && !is_settled(); ++passed)
    pass_moment();
  return !violation() && is_settled();
}

std::string core_cluster::describe() const {
  auto text = fmt::format("seed={} moment={} results={}/{} committed={}", options_.seed, now_, outcomes_.size(),
                          submitted_, checker_.last_committed().value);
  for (const auto& node : nodes_) {
    text += fmt::format(" | {}: v={}{} h={} ordered={} executed={} in_flight={} pending={} installs={}",
                        node->self().value, node->replica().view().value, node->replica().is_active() ? "" : "?",
                        node->replica().marks().low().value, node->replica().last_executed().value,
                        node->state().last_executed().value, node->batcher().in_flight(),
                        node->batcher().requests_pending(), node->installs());
  }
  if (violation()) text += " | violation: " + *violation();
  return text;
}

}  // namespace hypermesh::testing
