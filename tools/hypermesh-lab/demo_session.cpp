#include "tools/hypermesh-lab/demo_session.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::lab {

namespace {

constexpr std::chrono::milliseconds look_patience{400};
constexpr std::chrono::seconds first_patience{30};
constexpr std::size_t notes_max = 8;
/// The pages and the command `hypermesh trace` show the last batches.
constexpr std::uint32_t traced_batches = 1'024;
/// A learner may vote two windows, four periods, after its return. So a short period shows a readmission in seconds.
constexpr std::uint32_t checkpoint_period = 16;

std::filesystem::path product() { return std::filesystem::read_symlink(cli::own_binary).replace_filename("hypermesh"); }

cli::load_settings load_of(const demo_settings& settings) {
  cli::load_settings load;
  load.in_flight = settings.in_flight;
  load.traced_batches = traced_batches;
  load.checkpoint_period = checkpoint_period;
  load.program.binary = product();
  load.others[demo_session::liar].words = {"byzantine", "--strategy", settings.strategy, "--when-told"};
  return load;
}

tl::unexpected<world_error> refused(std::string what, std::string remedy) {
  return tl::unexpected(world_error{std::move(what), std::move(remedy)});
}

double seconds_since(demo_session::clock::time_point then) {
  return std::chrono::duration<double>(demo_session::clock::now() - then).count();
}

}  // namespace

const std::vector<demo_key>& demo_keys() {
  static const std::vector<demo_key> keys = {{'k', demo_fault::kill_primary, "kill the primary"},
                                             {'p', demo_fault::pause, "pause a backup"},
                                             {'b', demo_fault::lie, "make replica 3 Byzantine"},
                                             {'d', demo_fault::lose_disk, "destroy the disk of a backup"},
                                             {'h', demo_fault::heal, "heal"}};
  return keys;
}

demo_session::demo_session(const demo_settings& settings, cli::interruption& stop, cli::run_narrator& narrator)
    : settings_(settings),
      stop_(&stop),
      cluster_(std::make_unique<cli::cluster_under_load>(load_of(settings), stop, narrator)) {}

demo_session::~demo_session() {
  // A suspended process does not handle SIGINT, so it continues first.
  if (faulty_ && cause_ == demo_fault::pause) cluster_->processes().send(*faulty_, SIGCONT);
}

demo_session::outcome demo_session::start() {
  if (auto done = cluster_->start(); !done) return done;
  const auto deadline = clock::now() + first_patience;
  auto done = cluster_->wait_until([&] { return cluster_->load().answered() > 0 || clock::now() > deadline; });
  if (!done) return done;
  if (auto read = read_pages(); !read) return tl::unexpected(cli::run_failure{cli::exit_code::failed, read.error()});
  if (auto opened = open_observer(); !opened) return opened;
  last_mark_ = cluster_->mark();
  return look();
}

or_error<void> demo_session::read_pages() {
  for (std::uint32_t number = 0; number < liar; ++number) {
    const auto config = read_node_config(cluster_->processes().layout().node_file(number));
    if (!config) return failure_of(config);
    pages_.push_back(fmt::format("http://{}/", links::to_string(config->http.listen)));
  }
  return {};
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
  const auto standing = cli::standing_of(replica_id{liar}, reports_, cluster_->content().parameters());
  return standing && standing->convictions > 0;
}

bool demo_session::is_whole() const {
  for (std::uint32_t number = 0; number < reports_.size(); ++number) {
    if (!reports_[number]) return false;
    // A learner is on probation before it reports that it is.
    const std::uint64_t before = learner_ == number ? 1 : 0;
    if (cli::find_counter(*reports_[number], "on_probation").value_or(before) > 0) return false;
  }
  return !reports_.empty();
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
    note(fmt::format("replica {} is convicted, {:.1f} s after it was told to lie", liar, seconds_since(caused_at_)));
  }
  return {};
}

or_error<std::string> demo_session::cause(demo_fault fault) {
  if (fault == demo_fault::heal) return heal();
  if (faulty_) {
    return refused(fmt::format("replica {} is faulty already, and four replicas tolerate one fault", *faulty_),
                   "press h to heal it first");
  }
  if (fault == demo_fault::lie && has_lied_)
    return refused("replica 3 has lied already", "start the demonstration again");
  if (!has_quorum()) return refused("too few replicas answered to know the primary", "press the key again");
  auto& processes = cluster_->processes();
  const auto leads = primary();
  // A backup that does not lie.
  const auto backup = leads == 1 ? 2U : 1U;
  std::string done;
  if (fault == demo_fault::kill_primary) {
    faulty_ = leads;
    processes.kill(leads);
    done = fmt::format("replica {}, the primary, is killed (SIGKILL)", leads);
  } else if (fault == demo_fault::pause) {
    faulty_ = backup;
    processes.send(backup, SIGSTOP);
    done = fmt::format("replica {} is paused (SIGSTOP)", backup);
  } else if (fault == demo_fault::lie) {
    faulty_ = liar;
    has_lied_ = true;
    processes.send(liar, SIGUSR1);
    done = fmt::format("replica {} plays the strategy {}", liar, settings_.strategy);
  } else {
    faulty_ = backup;
    processes.kill(backup);
    if (auto lost = processes.lose_disk(backup); !lost) return failure_of(lost);
    if (auto started = processes.restart(backup); !started) return failure_of(started);
    learner_ = backup;
    done = fmt::format("replica {} lost its disk, and returns as a learner", backup);
  }
  cause_ = fault;
  caused_at_ = clock::now();
  note(done);
  return done;
}

or_error<std::string> demo_session::heal() {
  if (!faulty_) return refused("no replica is faulty", "press another key");
  const auto number = *faulty_;
  auto& processes = cluster_->processes();
  std::string done;
  if (cause_ == demo_fault::kill_primary) {
    if (auto started = processes.restart(number); !started) return failure_of(started);
    done = fmt::format("replica {} starts again from its disk", number);
  } else if (cause_ == demo_fault::pause) {
    processes.send(number, SIGCONT);
    done = fmt::format("replica {} continues", number);
  } else if (cause_ == demo_fault::lie) {
    // An honest replica must not continue with the votes of a liar, so it returns as one that lost its disk.
    processes.kill(number);
    if (auto lost = processes.lose_disk(number); !lost) return failure_of(lost);
    processes.run_with(number, {product()});
    if (auto started = processes.restart(number); !started) return failure_of(started);
    learner_ = number;
    done = fmt::format("replica {} returns as an honest learner", number);
  } else {
    if (!is_whole()) return refused(fmt::format("replica {} is not readmitted yet", number), "wait some seconds");
    done = fmt::format("replica {} is a full member again", number);
  }
  faulty_.reset();
  note(done);
  return done;
}

bool demo_session::has_quorum() const {
  return cli::reachable_count(reports_) >= cluster_->content().parameters().group().quorum();
}

std::string demo_session::replica_table(const cli::text_style& style) const {
  using side = cli::text_table::side;
  const auto parameters = cluster_->content().parameters();
  cli::text_table table{{{"replica"},
                         {"role"},
                         {"view", side::right},
                         {"executed", side::right},
                         {"stable", side::right},
                         {"score", side::right},
                         {"convictions", side::right}}};
  for (std::uint32_t number = 0; number < reports_.size(); ++number) {
    const auto& report = reports_[number];
    const auto standing = cli::standing_of(replica_id{number}, reports_, parameters);
    std::string role = number == primary() && has_quorum() ? style.bold("primary") : "backup";
    if (report && cli::counter_of(*report, "on_probation") > 0) role = style.warning("on probation");
    if (!report) role = style.bad("no answer");
    if (standing && standing->is_convicted()) role += style.bad(", convicted");
    table.add({std::to_string(number), role, report ? std::to_string(report->view.value) : "",
               report ? cli::grouped(report->last_executed.value) : "",
               report ? cli::grouped(report->stable_checkpoint.value) : "",
               standing ? std::to_string(standing->score) : "?",
               standing ? std::to_string(standing->convictions) : "?"});
  }
  return sentence_of(cli::health_of(reports_, parameters)) + "\n\n" + table.text(style);
}

std::string demo_session::page(const cli::text_style& style) const {
  auto text = style.bold("HyperMesh: four replicas, one of which may be faulty") + "\n\n";
  for (std::size_t number = 0; number < pages_.size(); ++number)
    text += fmt::format("  page of replica {}   {}\n", number, pages_[number]);
  text += fmt::format("\n{}\n", replica_table(style));
  text += fmt::format("{} operations answered, {:.0f} a second\n\n", cli::grouped(last_mark_.answered), rate_);
  for (const auto& each : notes_)
    text += "  " + each + "\n";
  text += "\n";
  for (const auto& each : demo_keys())
    text += fmt::format("  {}  {}\n", style.bold(std::string(1, each.key)), each.about);
  return text + fmt::format("  {}  quit: stop everything and compare the states\n", style.bold("q"));
}

}  // namespace hypermesh::lab
