#include "runtime/http/node_endpoint.hpp"

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/base/steady_moment.hpp"
#include "runtime/events/log_text.hpp"
#include "runtime/http/event_text.hpp"
#include "runtime/http/page_files.hpp"
#include "runtime/metrics/prometheus_text.hpp"
#include "runtime/trace/node_trace.hpp"

namespace hypermesh::http {

namespace {

constexpr std::chrono::seconds sample_interval{1};
void fold(const http_counts& counts, const event_stream& events, metrics::metric_values& into) {
  for (std::size_t answer = 0; answer < counts.answers.size(); ++answer)
    into.set(metrics::metric::http_requests, static_cast<double>(counts.answers[answer]), answer);
  into.set(metrics::metric::http_connections, static_cast<double>(counts.connections));
  into.set(metrics::metric::http_connections_cut, static_cast<double>(counts.connections_cut));
  into.set(metrics::metric::http_event_clients, static_cast<double>(events.clients()));
  into.set(metrics::metric::http_event_clients_dropped, static_cast<double>(events.dropped()));
}

wall_time wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

clock_pair clocks_now() { return {base::steady_moment(), wall_now()}; }

std::string url_of(const http_settings& settings, std::uint16_t port) {
  auto address = settings.listen;
  address.port = port;
  return fmt::format("{}://{}", settings.tls_certificate.empty() ? "http" : "https", to_string(address));
}

}  // namespace

node_tap::node_tap(replica_id self, const cluster_parameters& cluster, std::size_t event_clients_max,
                   std::uint32_t trace_batches, std::size_t pages_max)
    : hub_(std::make_shared<metrics::metric_hub>(self, cluster.replicas, cluster.watermark_window)),
      events_(std::make_shared<event_stream>(event_clients_max, pages_max)),
      trace_(trace_batches > 0 ? std::make_shared<runtime::trace_hub>(trace_batches) : nullptr),
      dashboard_(std::make_shared<runtime::dashboard_hub>(self, cluster)),
      cluster_id_(to_hex(cluster.signing.cluster.view())),
      of_observations_(cluster) {}

void node_tap::publish(const std::optional<runtime::operator_event>& what) const {
  if (!what) return;
  const auto event = streamed(*what);
  if (!event) return;
  events_->publish(event->name, event->data);
  const runtime::taped_event taped{wall_now(), event->name, std::string{to_string(what->level)}, sentence_of(*what)};
  dashboard_->on_event(taped);
  if (events_->clients(audience::page) > 0) events_->publish("tape", tape_text(taped), audience::page);
}

void node_tap::on_observed(const observation& what) const {
  hub_->note(what);
  if (trace_) trace_->note(what);
  dashboard_->note(what, base::steady_moment(), wall_now());
  // An event depends on the observations before it, so all are seen also while there is no client.
  const auto event = [&] {
    const std::scoped_lock lock{guard_};
    return of_observations_.of(what, base::steady_moment());
  }();
  publish(event);
}

void node_tap::on_link(const links::link_event& what) const {
  using happened = links::link_event::what;
  const bool is_link = what.happened == happened::up || what.happened == happened::down;
  if (is_link && what.remote && what.remote->is_replica()) {
    hub_->note_link(replica_id{what.remote->number}, what.happened == happened::up);
    dashboard_->on_link(replica_id{what.remote->number}, what.happened == happened::up);
  }
  const auto event = [&] {
    const std::scoped_lock lock{guard_};
    return of_links_.of(what);
  }();
  publish(event);
}

node_endpoint::node_endpoint(replica_id self, std::shared_ptr<const node_tap> tap,
                             std::shared_ptr<const links::link_counters> counters, node_questions questions)
    : self_(self),
      tap_(std::move(tap)),
      counters_(std::move(counters)),
      questions_(std::move(questions)),
      last_(std::make_shared<const sample>()) {
  require(static_cast<bool>(questions_.health), "a node has a judge of its health");
}

or_error<std::unique_ptr<node_endpoint>> node_endpoint::start(const http_settings& settings, replica_id self,
                                                              std::shared_ptr<const node_tap> tap,
                                                              std::shared_ptr<const links::link_counters> counters,
                                                              node_questions questions) {
  auto token = token_of(settings);
  if (!token) return failure_of(token);
  std::unique_ptr<node_endpoint> endpoint{
      new node_endpoint{self, std::move(tap), std::move(counters), std::move(questions)}};
  endpoint->try_to_look();
  auto server = http_server::start(settings, router{endpoint->routes(), std::move(*token)}, endpoint->tap_->events());
  if (!server) return failure_of(server);
  endpoint->server_ = std::move(*server);
  endpoint->counted_ = endpoint->server_.get();
  endpoint->address_ = url_of(settings, endpoint->port());
  endpoint->sampler_ = std::thread{[of = endpoint.get()] { of->keep_looking(); }};
  return endpoint;
}

std::vector<route> node_endpoint::routes() {
  std::vector<route> all = {
      {"/livez", access::open_unless_verbose, [this](const auto& asked) { return probe(asked, false); }},
      {"/readyz", access::open_unless_verbose, [this](const auto& asked) { return probe(asked, true); }},
      {"/metrics", access::token, [this](const auto&) { return metrics_page(); }},
      {"/api/v1/status", access::token, [this](const auto&) { return status(); }},
      {"/api/v1/events", access::token, [this](const auto& asked) { return event_page(asked, audience::program); }},
      {"/api/v1/trace", access::token, [this](const auto&) { return trace_page(); }}};
  add_data_routes(all);
  add_page_routes(all);
  return all;
}

void node_endpoint::add_data_routes(std::vector<route>& to) {
  const auto hub = tap_->dashboard();
  to.push_back(
      {"/api/v1/live", access::token, [this](const auto& asked) { return event_page(asked, audience::page); }});
  to.push_back({"/api/v1/history", access::token,
                [this, hub](const auto&) { return reused(history_, [&] { return history_text(hub->before()); }); }});
  to.push_back({"/api/v1/batches", access::token, [this, hub](const auto&) {
                  return reused(batches_, [&] {
                    return batches_text(self_, hub->cluster().group(), hub->batches(), clocks_now());
                  });
                }});
  to.push_back({"/api/v1/evidence", access::token, [this, hub](const auto&) {
                  return reused(evidence_,
                                [&] { return evidence_text(hub->cluster().signing, hub->proofs(), questions_.keys); });
                }});
}

http_response node_endpoint::reused(reused_text& text, const std::function<std::string()>& make) {
  http_response out;
  out.body = text.get(clock::now(), make);
  return out;
}

http_response node_endpoint::probe(const http_request& asked, bool for_use) const {
  const auto health = health_now(*last_sample());
  const bool passes = for_use ? health.is_ready : health.is_live;
  http_response out;
  out.status = passes ? 200 : 503;
  out.meaning = passes ? metrics::http_answer::ok : metrics::http_answer::unready;
  out.content_type = "text/plain; charset=utf-8";
  out.body = probe_text(health, passes, asked.is_verbose);
  return out;
}

http_response node_endpoint::status() const {
  // The text is not used again for later requests, so that status and probes always agree.
  const auto last = last_sample();
  http_response out;
  out.body = status_json(self_, last->facts, health_now(*last), age_of(*last));
  return out;
}

std::string node_endpoint::metrics_text() const {
  auto values = tap_->hub()->values();
  const auto last = last_sample();
  if (counters_) metrics::fold(*counters_, values);
  if (last->facts.reputations) metrics::fold(*last->facts.reputations, values);
  metrics::fold(last->facts.host, values);
  if (const auto* server = counted_.load()) fold(server->counts(), *tap_->events(), values);
  values.set(metrics::metric::start_time, std::chrono::duration<double>{started_.time_since_epoch()}.count());
  return metrics::prometheus_text(values);
}

http_response node_endpoint::metrics_page() {
  http_response out;
  out.content_type = metrics::prometheus_content_type;
  out.body = page_.get(clock::now(), [this] { return metrics_text(); });
  return out;
}

http_response node_endpoint::event_page(const http_request& asked, audience as) const {
  http_response out;
  out.content_type = "text/event-stream";
  if (asked.method == "HEAD") return out;
  out.events = tap_->events()->subscribe(as);
  if (out.events) return out;
  out.status = 503;
  out.meaning = metrics::http_answer::overloaded;
  out.content_type = "application/json";
  out.body = as == audience::page
                 ? error_body("too many pages of this node are open", "close one, or raise pages_max of [http]")
                 : error_body("too many clients receive events", "close one, or raise event_clients_max of [http]");
  return out;
}

std::string node_endpoint::trace_text() const {
  const auto offset =
      std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()).time_since_epoch() -
      base::steady_moment().time_since_epoch();
  return runtime::node_trace_text(
      {self_, tap_->cluster_id(), offset.count(), tap_->trace()->batches(runtime::node_trace_bytes_max)});
}

http_response node_endpoint::trace_page() {
  http_response out;
  if (!tap_->trace()) {
    out.status = 404;
    out.meaning = metrics::http_answer::not_found;
    out.body = error_body("this node keeps no trace", "set batches of [trace] in its node.toml, for example to 1024");
    return out;
  }
  out.body = trace_.get(clock::now(), [this] { return trace_text(); });
  return out;
}

std::shared_ptr<const node_endpoint::sample> node_endpoint::last_sample() const {
  const std::scoped_lock lock{guard_};
  return last_;
}

std::chrono::milliseconds node_endpoint::age_of(const sample& last) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now() - last.at);
}

health_answer node_endpoint::health_now(const sample& last) const {
  return answer_of(questions_.health(), last.facts, age_of(last));
}

void node_endpoint::look() {
  auto now = std::make_shared<sample>();
  const auto before = last_sample();
  now->facts.report = questions_.report();
  now->facts.reputations = questions_.reputations();
  // The numbers of convictions are counters, which must not fall to 0 because one answer is late.
  if (!now->facts.reputations) now->facts.reputations = before->facts.reputations;
  now->facts.works = questions_.works();
  now->facts.host = metrics::read_host_facts();
  if (questions_.disks) now->facts.host.disks = questions_.disks();
  now->at = clock::now();
  {
    const std::scoped_lock lock{guard_};
    last_ = now;
  }
  tap_->dashboard()->close_second(now->facts.reputations, wall_now());
  publish_snapshot(*now);
  const auto event = event_of(health_now(*now));
  auto data = runtime::json_of_fields(event);
  if (data == published_) return;
  tap_->publish(event);
  published_ = std::move(data);
}

void node_endpoint::publish_snapshot(const sample& now) const {
  // One text for all pages, and none if no page is open.
  if (tap_->events()->clients(audience::page) == 0) return;
  const auto uptime = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() - started_);
  const page_subject of{self_, tap_->dashboard()->cluster(), uptime};
  const auto text = snapshot_text(of, now.facts, health_now(now), tap_->dashboard()->now(), clocks_now());
  tap_->events()->publish("snapshot", text, audience::page);
}

void node_endpoint::try_to_look() noexcept {
  try {
    look();
  } catch (...) {
    // The questions run code of the host, and a failure of theirs must not end the process.
  }
}

void node_endpoint::keep_looking() {
  std::unique_lock lock{guard_};
  while (!stopping_.wait_for(lock, sample_interval, [this] { return is_stopping_; })) {
    lock.unlock();
    try_to_look();
    lock.lock();
  }
}

void node_endpoint::stop() {
  {
    const std::scoped_lock lock{guard_};
    if (is_stopping_) return;
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (server_) server_->stop();
  if (sampler_.joinable()) sampler_.join();
}

node_endpoint::~node_endpoint() { stop(); }

}  // namespace hypermesh::http
