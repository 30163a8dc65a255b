#include "tools/hypermesh-lab/demo/demo_session.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "tools/hypermesh-lab/demo/trace_load.hpp"

namespace hypermesh::lab {

namespace {

constexpr std::chrono::milliseconds look_patience{400};
constexpr std::chrono::seconds first_patience{30};
constexpr std::size_t notes_max = 8;
/// The replica that the lab binary runs from the beginning.
constexpr std::uint32_t first_liar = 3;
/// The pages and the command `hypermesh trace` show the last batches.
constexpr std::uint32_t traced_batches = 1'024;
/// A learner may vote two windows, four periods, after its return. So a short period shows a readmission in seconds.
constexpr std::uint32_t checkpoint_period = 16;
constexpr auto rerouted_genesis = "relayed-genesis.toml";

std::filesystem::path product() { return std::filesystem::read_symlink(cli::own_binary).replace_filename("hypermesh"); }

double seconds_since(demo_session::clock::time_point then) {
  return std::chrono::duration<double>(demo_session::clock::now() - then).count();
}

/// Makes the replica read its own copy of the genesis, in which the others have other addresses.
or_error<void> use_genesis(const std::filesystem::path& node_file) {
  constexpr std::string_view before = "\ngenesis = \"../genesis.toml\"\n";
  std::ifstream in{node_file, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  in.close();
  const auto at = text.find(before);
  std::ofstream out{node_file, std::ios::binary | std::ios::trunc};
  if (at != std::string::npos) text.replace(at, before.size(), fmt::format("\ngenesis = \"{}\"\n", rerouted_genesis));
  out << text;
  out.close();
  if (at != std::string::npos && out) return {};
  return tl::unexpected(
      world_error{fmt::format("cannot reroute the links in {}", node_file.string()), "check free space"});
}

}  // namespace

demo_session::demo_session(const demo_settings& settings, cli::workload work, cli::interruption& stop,
                           cli::run_narrator& narrator)
    : settings_(settings), work_(std::move(work)), stop_(&stop), lab_runs_{first_liar} {
  cluster_ = std::make_unique<cli::cluster_under_load>(load_settings_of(settings), stop, narrator);
}

demo_session::~demo_session() {
  // A suspended process does not handle SIGINT, so it continues first.
  if (harm_ == demo_action::pause && harmed_) cluster_->processes().send(*harmed_, SIGCONT);
}

cli::load_settings demo_session::load_settings_of(const demo_settings& settings) {
  cli::load_settings load;
  load.in_flight = settings.in_flight;
  load.traced_batches = traced_batches;
  load.checkpoint_period = checkpoint_period;
  load.program.binary = product();
  load.others[first_liar].words = {"byzantine", "--strategy", settings.strategy, "--when-told"};
  load.state_machine = "scheduler";
  load.make_load = [this](hosted_client& client) { return std::make_shared<trace_load>(client, work_); };
  load.before_start = [this](cli::local_cluster& cluster) { return reroute(cluster); };
  return load;
}

or_error<void> demo_session::reroute(cli::local_cluster& cluster) {
  // Of two replicas, the one with the larger number dials.
  const auto& ports = cluster.ports();
  std::vector<relayed_link> links;
  for (std::uint32_t dialer = 0; dialer < ports.size(); ++dialer) {
    for (std::uint32_t target = 0; target < dialer; ++target)
      links.push_back({dialer, target, ports[target]});
  }
  auto started = link_relay::start(std::move(links));
  if (!started) return failure_of(started);
  relay_ = std::move(*started);
  for (std::uint32_t dialer = 1; dialer < ports.size(); ++dialer) {
    auto content = cluster.content();
    for (std::uint32_t target = 0; target < dialer; ++target)
      content.replicas[target].address.port = relay_->port_of(dialer, target);
    const auto file = cluster.layout().replica_folder(dialer) / rerouted_genesis;
    if (auto done = write_genesis(file, content); !done) return done;
    if (auto done = use_genesis(cluster.layout().node_file(dialer)); !done) return done;
  }
  return {};
}

demo_session::outcome demo_session::start() {
  if (auto done = cluster_->start(); !done) return done;
  // The lab binary is honest until it is told to lie.
  cluster_->trust(first_liar);
  const auto deadline = clock::now() + first_patience;
  auto done = cluster_->wait_until([&] { return cluster_->load().answered() > 0 || clock::now() > deadline; });
  if (!done) return done;
  if (auto read = read_pages(); !read) return tl::unexpected(cli::run_failure{cli::exit_code::failed, read.error()});
  if (auto opened = open_observer(); !opened) return opened;
  last_mark_ = cluster_->mark();
  return look();
}

or_error<void> demo_session::read_pages() {
  for (std::uint32_t number = 0; number < cluster_->content().replicas.size(); ++number) {
    const auto config = read_node_config(cluster_->processes().layout().node_file(number));
    if (!config) return failure_of(config);
    pages_.push_back(config->http.listen);
  }
  return {};
}

std::optional<links::replica_address> demo_session::page_of(std::uint32_t replica) const {
  if (replica >= pages_.size() || lab_runs_.contains(replica)) return std::nullopt;
  return pages_[replica];
}

std::optional<links::replica_address> demo_session::page_to_show() {
  const auto suits = [this](std::uint32_t number) {
    return page_of(number).has_value() && harmed_ != number && learner_ != number;
  };
  for (std::uint32_t number = 0; number < pages_.size() && !suits(shown_); ++number) {
    if (suits(number)) shown_ = number;
  }
  return page_of(shown_);
}

demo_session::outcome demo_session::open_observer() {
  cli::client_options options;
  options.cluster = cluster_->processes().layout().root.string();
  options.client = 1;
  auto config = cli::read_client_of(options);
  if (!config) return tl::unexpected(cli::run_failure{cli::exit_code::failed, config.error()});
  auto opened = cli::cluster_session::open(std::move(*config), {});
  if (!opened) return tl::unexpected(cli::run_failure{cli::exit_code::failed, opened.error()});
  observer_ = std::move(*opened);
  return {};
}

void demo_session::note(std::string what) {
  notes_.push_back(fmt::format("{:7.1f} s  {}", cluster_->seconds(), what));
  if (notes_.size() > notes_max) notes_.pop_front();
}

bool demo_session::is_liar_convicted() const {
  if (!liar_) return false;
  const auto standing = cli::standing_of(replica_id{*liar_}, reports_, cluster_->content().parameters());
  return standing && standing->convictions > 0;
}

bool demo_session::is_whole() const {
  for (std::uint32_t number = 0; number < reports_.size(); ++number) {
    const auto& report = reports_[number];
    if (!report || report->last_executed < to_catch_up_) return false;
    // A learner is on probation before it reports that it is.
    const std::uint64_t before = learner_ == number ? 1 : 0;
    if (cli::find_counter(*report, "on_probation").value_or(before) > 0) return false;
  }
  return !reports_.empty();
}

bool demo_session::has_quorum() const {
  return cli::reachable_count(reports_) >= cluster_->content().parameters().group().quorum();
}

demo_facts demo_session::facts() const {
  demo_facts facts;
  facts.replicas = static_cast<std::uint32_t>(cluster_->content().replicas.size());
  if (has_quorum()) facts.primary = cluster_->primary_of(cluster_->view_in(reports_)).value;
  facts.liar = first_liar;
  facts.harm = harm_;
  facts.harmed = harmed_;
  facts.has_lied = liar_.has_value();
  facts.is_whole = is_whole();
  return facts;
}

demo_session::outcome demo_session::look() {
  // Only a wait finds a replica that ended by itself.
  if (auto done = cluster_->wait_until(clock::now() + std::chrono::milliseconds{1}); !done) return done;
  const auto view = reports_.empty() ? view_number{} : cluster_->view_in(reports_);
  const auto replicas = static_cast<std::uint32_t>(cluster_->content().replicas.size());
  reports_ = cli::collect_reports(observer_->client(), replicas, look_patience, [this] { return !stop_->requested(); });
  const auto now = cluster_->mark();
  rate_ = cli::load_span::between(last_mark_, now).rate();
  last_mark_ = now;
  if (const auto entered = cluster_->view_in(reports_); entered > view) {
    note(fmt::format("view {} begins, replica {} leads it", entered.value, cluster_->primary_of(entered).value));
  }
  if (!was_convicted_ && is_liar_convicted()) {
    was_convicted_ = true;
    note(fmt::format("replica {} is convicted, {:.1f} s after it was told to lie", *liar_, seconds_since(caused_at_)));
  }
  return {};
}

or_error<std::string> demo_session::cause(const demo_request& wanted) {
  const auto decided = decide(wanted, facts());
  if (!decided) return failure_of(decided);
  require(decided->action != demo_action::quit, "the caller handles the end");
  if (decided->action == demo_action::heal) return heal();
  // What happened to the replica stays even if the rest of the action fails, so that it can be healed.
  harm_ = decided->action;
  harmed_ = decided->replica;
  caused_at_ = clock::now();
  or_error<std::string> done;
  if (harm_ == demo_action::split) {
    relay_->divide(replica_groups::halves(facts().replicas));
    done = "the network is split: replicas 0 and 1 do not reach replicas 2 and 3";
  } else {
    done = harm(harm_, *harmed_);
  }
  if (done) note(*done);
  return done;
}

or_error<std::string> demo_session::harm(demo_action action, std::uint32_t replica) {
  auto& processes = cluster_->processes();
  const std::string_view role = facts().primary == replica ? ", the primary," : "";
  if (action == demo_action::kill) {
    processes.kill(replica);
    return fmt::format("replica {}{} is killed (SIGKILL)", replica, role);
  }
  if (action == demo_action::pause) {
    processes.send(replica, SIGSTOP);
    return fmt::format("replica {}{} is paused (SIGSTOP)", replica, role);
  }
  if (action == demo_action::cut_off) {
    relay_->divide(replica_groups::without(replica));
    return fmt::format("replica {}{} is cut off from the others", replica, role);
  }
  if (action == demo_action::lie) return make_liar(replica);
  if (auto done = restart_as_learner(replica); !done) return failure_of(done);
  return fmt::format("replica {}{} lost its disk, and returns as a learner", replica, role);
}

or_error<std::string> demo_session::make_liar(std::uint32_t replica) {
  auto& processes = cluster_->processes();
  liar_ = replica;
  cluster_->distrust(replica);
  if (lab_runs_.contains(replica)) {
    processes.send(replica, SIGUSR1);
    return fmt::format("replica {} plays the strategy {}", replica, settings_.strategy);
  }
  processes.kill(replica);
  cli::replica_program program;
  program.words = {"byzantine", "--strategy", settings_.strategy};
  processes.run_with(replica, std::move(program));
  lab_runs_.insert(replica);
  if (auto started = processes.restart(replica); !started) return failure_of(started);
  return fmt::format("replica {} was started again, and plays the strategy {}", replica, settings_.strategy);
}

or_error<void> demo_session::restart_as_learner(std::uint32_t replica) {
  auto& processes = cluster_->processes();
  processes.kill(replica);
  if (auto lost = processes.lose_disk(replica); !lost) return lost;
  learner_ = replica;
  return processes.restart(replica);
}

or_error<std::string> demo_session::heal() {
  auto& processes = cluster_->processes();
  std::string done;
  const auto number = harmed_.value_or(0);
  if (harm_ == demo_action::kill) {
    if (auto started = processes.restart(number); !started) return failure_of(started);
    done = fmt::format("replica {} starts again from its disk", number);
  } else if (harm_ == demo_action::pause) {
    processes.send(number, SIGCONT);
    done = fmt::format("replica {} continues", number);
  } else if (harm_ == demo_action::cut_off || harm_ == demo_action::split) {
    relay_->divide({});
    done = "all replicas reach each other again";
  } else if (harm_ == demo_action::lie) {
    // An honest replica must not continue with the votes of a liar, so it returns as one that lost its disk.
    processes.kill(number);
    processes.run_with(number, {product()});
    lab_runs_.erase(number);
    if (auto started = restart_as_learner(number); !started) return failure_of(started);
    cluster_->trust(number);
    done = fmt::format("replica {} returns as an honest learner", number);
  } else {
    done = fmt::format("replica {} is a full member again", number);
  }
  for (const auto& each : reports_) {
    if (each) to_catch_up_ = std::max(to_catch_up_, each->last_executed);
  }
  harm_ = demo_action::heal;
  harmed_.reset();
  note(done);
  return done;
}

replica_picture demo_session::picture_of(std::uint32_t replica) const {
  replica_picture out;
  out.number = replica;
  out.is_primary = has_quorum() && cluster_->primary_of(cluster_->view_in(reports_)).value == replica;
  if (const auto page = page_of(replica)) out.page = fmt::format("http://{}/", links::to_string(*page));
  const auto& report = reports_[replica];
  if (report) {
    out.view = report->view.value;
    out.executed = report->last_executed.value;
    out.stable = report->stable_checkpoint.value;
  }
  const auto standing = cli::standing_of(replica_id{replica}, reports_, cluster_->content().parameters());
  if (standing) {
    out.score = standing->score;
    out.convictions = standing->convictions;
  }
  const auto is = [&](demo_action harm) { return harm_ == harm && harmed_ == replica; };
  const auto describe = [&](std::string_view kind, std::string condition) {
    out.kind = kind;
    out.condition = std::move(condition);
  };
  describe("ok", "takes part");
  if (report && report->last_executed < to_catch_up_) describe("doubt", "catches up");
  if (report && cli::counter_of(*report, "on_probation") > 0) describe("doubt", "on probation");
  if (!report) describe("bad", "no answer");
  if (harm_ == demo_action::split) describe("doubt", replica < reports_.size() / 2 ? "in half 1" : "in half 2");
  if (is(demo_action::kill)) describe("bad", "killed");
  if (is(demo_action::pause)) describe("bad", "paused");
  if (is(demo_action::cut_off)) describe("bad", "cut off");
  if (is(demo_action::lie)) describe("bad", "Byzantine");
  // A replica that was replaced by an honest one serves the rest of the quarantine.
  if (standing && standing->is_convicted()) {
    describe(is(demo_action::lie) ? "bad" : "doubt",
             out.condition + (is(demo_action::lie) ? ", convicted" : ", in quarantine"));
  }
  return out;
}

demo_picture demo_session::picture() const {
  demo_picture out;
  out.health = sentence_of(cli::health_of(reports_, cluster_->content().parameters()));
  for (std::uint32_t number = 0; number < reports_.size(); ++number)
    out.replicas.push_back(picture_of(number));
  out.load = fmt::format("load: {}, {}", work_.made_up ? "a made-up trace" : "the trace of a real cluster",
                         work_.description());
  out.answered = last_mark_.answered;
  out.rate = rate_;
  out.notes = notes_;
  out.facts = facts();
  return out;
}

}  // namespace hypermesh::lab
