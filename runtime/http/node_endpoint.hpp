#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "runtime/dashboard/dashboard_hub.hpp"
#include "runtime/events/event_maker.hpp"
#include "runtime/http/http_server.hpp"
#include "runtime/http/page_text.hpp"
#include "runtime/http/reused_text.hpp"
#include "runtime/links/link_counters.hpp"
#include "runtime/links/link_event.hpp"
#include "runtime/metrics/metric_hub.hpp"
#include "runtime/trace/trace_ring.hpp"

namespace hypermesh::http {

/// Receives the events of a node from its start on, for metrics and event clients. Thread-safe; never blocks.
class node_tap {
 public:
  node_tap(replica_id self, const cluster_parameters& cluster, std::size_t event_clients_max,
           std::uint32_t trace_batches, std::size_t pages_max = 0);

  void on_observed(const observation& what) const;
  void on_link(const links::link_event& what) const;
  /// Sends the event to the clients, if it is one for them.
  void publish(const std::optional<runtime::operator_event>& what) const;

  [[nodiscard]] const std::shared_ptr<metrics::metric_hub>& hub() const { return hub_; }
  [[nodiscard]] const std::shared_ptr<event_stream>& events() const { return events_; }
  /// Null if nothing is traced.
  [[nodiscard]] const std::shared_ptr<runtime::trace_hub>& trace() const { return trace_; }
  [[nodiscard]] const std::string& cluster_id() const { return cluster_id_; }
  [[nodiscard]] const std::shared_ptr<runtime::dashboard_hub>& dashboard() const { return dashboard_; }

 private:
  std::shared_ptr<metrics::metric_hub> hub_;
  std::shared_ptr<event_stream> events_;
  std::shared_ptr<runtime::trace_hub> trace_;
  std::shared_ptr<runtime::dashboard_hub> dashboard_;
  std::string cluster_id_;
  mutable std::mutex guard_;
  mutable runtime::observation_events of_observations_;
  mutable runtime::link_events of_links_;
};

/// What the endpoint asks. Each function but `health` may block for a second, and runs on the sampler's thread. If one
/// of them throws, the round has no result, and the last round stays in place and grows old.
struct node_questions {
  std::function<std::optional<node_report>()> report;
  std::function<std::optional<std::vector<reputation>>()> reputations;
  std::function<or_error<void>()> works;
  /// Empty: the disks are unknown. Must not wait for a disk, because a disk may hang.
  std::function<metrics::disk_facts_list()> disks;
  /// The judge of the node, which answers at once, also while an actor hangs.
  health_port health;
  /// The public keys of the replicas by number, with which a browser verifies evidence.
  std::vector<public_key> keys = {};
};

/// The HTTP interface of one node: routes, sampler, server. The sampler asks the node once a second, and requests are
/// answered from its last round and the present health. So a request never waits for an actor, and a flood of requests
/// asks no actor.
class node_endpoint {
 public:
  /// `counters` are those of the node. An address that other machines reach is refused without a token.
  [[nodiscard]] static or_error<std::unique_ptr<node_endpoint>> start(
      const http_settings& settings, replica_id self, std::shared_ptr<const node_tap> tap,
      std::shared_ptr<const links::link_counters> counters, node_questions questions);

  /// Stops the endpoint.
  ~node_endpoint();
  node_endpoint(const node_endpoint&) = delete;
  node_endpoint& operator=(const node_endpoint&) = delete;

  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  /// For example "https://127.0.0.1:8400".
  [[nodiscard]] const std::string& address() const { return address_; }

  /// Stops server and sampler. A second call does nothing.
  void stop();

 private:
  using clock = std::chrono::steady_clock;

  /// One round of the sampler.
  struct sample {
    node_facts facts;
    clock::time_point at;
  };

  node_endpoint(replica_id self, std::shared_ptr<const node_tap> tap,
                std::shared_ptr<const links::link_counters> counters, node_questions questions);

  [[nodiscard]] std::vector<route> routes();
  [[nodiscard]] http_response probe(const http_request& asked, bool for_use) const;
  [[nodiscard]] http_response status() const;
  [[nodiscard]] std::string metrics_text() const;
  [[nodiscard]] http_response metrics_page();
  [[nodiscard]] http_response event_page(const http_request& asked, audience as) const;
  [[nodiscard]] std::string trace_text() const;
  [[nodiscard]] http_response trace_page();
  /// A text that is made at most once a second, however many ask.
  [[nodiscard]] static http_response reused(reused_text& text, const std::function<std::string()>& make);
  /// The routes of the page's data.
  void add_data_routes(std::vector<route>& to);
  void publish_snapshot(const sample& now) const;
  [[nodiscard]] std::shared_ptr<const sample> last_sample() const;
  /// The one judgement behind probes, status and events.
  [[nodiscard]] static std::chrono::milliseconds age_of(const sample& last);
  [[nodiscard]] health_answer health_now(const sample& last) const;
  /// One round. Throws what a question throws.
  void look();
  void try_to_look() noexcept;
  void keep_looking();

  replica_id self_;
  std::shared_ptr<const node_tap> tap_;
  std::shared_ptr<const links::link_counters> counters_;
  node_questions questions_;
  std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
  std::string address_;

  mutable std::mutex guard_;
  std::condition_variable stopping_;
  bool is_stopping_ = false;
  std::shared_ptr<const sample> last_;
  /// The data of the last event about the health. Only the thread that samples uses it.
  std::string published_;
  /// Only the server's thread uses these texts. A flood of requests makes at most five texts of metrics a second, and
  /// one of each of the others: a trace has up to 4 MiB, the others up to 300 KiB.
  reused_text page_{std::chrono::milliseconds{200}};
  reused_text trace_{std::chrono::seconds{1}};
  reused_text history_{std::chrono::seconds{1}};
  reused_text batches_{std::chrono::seconds{1}};
  reused_text evidence_{std::chrono::seconds{1}};

  std::thread sampler_;
  std::unique_ptr<http_server> server_;
  /// The same server once it has started. Its thread may answer before `start` has returned.
  std::atomic<const http_server*> counted_ = nullptr;
};

}  // namespace hypermesh::http
