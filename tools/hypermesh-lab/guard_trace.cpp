#include "tools/hypermesh-lab/guard_trace.hpp"

#include <csignal>

#include "runtime/member_identity.hpp"
#include "tools/hypermesh-lab/steady_moment.hpp"

namespace hypermesh::lab {

namespace {

using clock = cli::cluster_under_load::clock;
using outcome = cli::cluster_under_load::outcome;

constexpr std::uint32_t replicas = 4;
constexpr replica_id primary{0};
constexpr std::uint32_t returning = 1;
constexpr std::uint32_t contradicting = 2;
constexpr replica_id backup{3};
constexpr std::chrono::milliseconds event_duration{2'000};
constexpr int questions = 20;
/// The state is large enough that each of the other replicas has to send a part of it.
constexpr std::uint32_t state_mib = 2;

/// A cluster in which one replica records its frames.
class trace_run {
 public:
  trace_run(const guard_trace_settings& settings, replica_id recorder, cli::interruption& stop,
            cli::run_narrator& narrator)
      : settings_(settings), recorder_(recorder), cluster_(load(), stop, narrator) {}
  ~trace_run() {
    // A suspended process does not handle SIGTERM, so it continues first.
    if (is_suspended_) cluster_.processes().send(primary.value, SIGCONT);
  }
  trace_run(const trace_run&) = delete;
  trace_run& operator=(const trace_run&) = delete;

  outcome run(guard_trace& into) {
    if (auto done = cluster_.start(); !done) return done;
    if (auto done = pass(settings_.warm_up); !done) return done;
    const auto cpu = cluster_.processes().usage();
    const auto begin = cluster_.mark();
    if (auto done = pass(settings_.duration); !done) return done;
    const auto end = cluster_.mark();
    const auto cpu_then = cluster_.processes().usage();
    into.from = moment_of(begin.when);
    into.until = moment_of(end.when);
    into.operations = end.answered - begin.answered;
    if (into.operations == 0)
      return error_of({"the cluster answered no operation during the measurement", "run the command again"});
    for (std::uint32_t number = 0; number < replicas; ++number) {
      cpu_us_.push_back(1e6 * (cpu_then[number].cpu_seconds - cpu[number].cpu_seconds) /
                        static_cast<double>(into.operations));
    }
    if (recorder_ == backup) {
      if (auto done = have_events(); !done) return done;
    }
    return read(into);
  }

  /// The processor time that an operation of the measured load cost a replica, in microseconds.
  [[nodiscard]] double cpu_us(replica_id of) const { return cpu_us_.at(of.value); }

 private:
  static outcome error_of(const world_error& error) {
    return tl::unexpected(cli::run_failure{cli::exit_code::failed, error});
  }

  [[nodiscard]] cli::load_settings load() {
    cli::load_settings load;
    load.in_flight = settings_.in_flight;
    // The binary of the product is in the same folder as the binary of the laboratory.
    load.program.binary = std::filesystem::read_symlink(cli::own_binary).replace_filename("hypermesh");
    auto made = cli::temporary_directory::make();
    if (made) folder_ = std::move(*made);
    if (recorder_ == backup) load.state_mib = state_mib;
    load.others[recorder_.value].words = {"byzantine", "--record", file()};
    if (recorder_ == backup) {
      load.others[contradicting].words = {"byzantine", "--strategy", "conflicting-votes", "--when-told"};
    }
    return load;
  }

  [[nodiscard]] std::string file() const { return folder_ == nullptr ? "" : (folder_->path() / "frames").string(); }

  outcome pass(std::chrono::milliseconds time) { return cluster_.wait_until(clock::now() + time); }

  outcome have_events() {
    auto& processes = cluster_.processes();
    for (int count = 0; count < questions; ++count)
      (void)cluster_.look(event_duration);
    processes.send(contradicting, SIGUSR1);
    if (auto done = pass(event_duration); !done) return done;
    is_suspended_ = true;
    processes.send(primary.value, SIGSTOP);
    if (auto done = pass(event_duration); !done) return done;
    processes.send(primary.value, SIGCONT);
    is_suspended_ = false;
    if (auto done = pass(event_duration); !done) return done;
    processes.kill(returning);
    if (auto done = pass(2 * event_duration); !done) return done;
    if (auto done = processes.restart(returning); !done) return error_of(done.error());
    return pass(event_duration);
  }

  outcome read(guard_trace& into) {
    const auto& layout = cluster_.processes().layout();
    auto config = read_node_config(layout.node_file(recorder_.value));
    if (!config) return error_of(config.error());
    const auto& node = *config;
    auto keys = load_keys(node.key_file, principal::of(recorder_), node.cluster);
    if (!keys) return error_of(keys.error());
    into.keys = *keys;
    into.cluster = node.cluster.parameters();
    into.self = recorder_;
    cluster_.load().halt();
    // The recording is complete only after the process has ended in order.
    (void)cluster_.processes().stop();
    auto frames = read_recording(file());
    if (!frames) return error_of(frames.error());
    into.frames = std::move(*frames);
    return {};
  }

  guard_trace_settings settings_;
  replica_id recorder_;
  std::unique_ptr<cli::temporary_directory> folder_;
  cli::cluster_under_load cluster_;
  std::vector<double> cpu_us_;
  bool is_suspended_ = false;
};

}  // namespace

cli::or_run_failure<guard_traces> record_guard_traces(const guard_trace_settings& settings, cli::interruption& stop,
                                                      cli::run_narrator& narrator) {
  guard_traces traces;
  {
    trace_run run{settings, backup, stop, narrator};
    if (auto done = run.run(traces.backup); !done) return failure_of(done);
    traces.primary_cpu_us = run.cpu_us(primary);
    traces.backup_cpu_us = run.cpu_us(replica_id{returning});
  }
  trace_run run{settings, primary, stop, narrator};
  if (auto done = run.run(traces.primary); !done) return failure_of(done);
  return traces;
}

}  // namespace hypermesh::lab
