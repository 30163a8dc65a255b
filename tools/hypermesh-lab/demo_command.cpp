#include "tools/hypermesh-lab/demo_command.hpp"

#include <unistd.h>

#include <functional>

#include <fmt/format.h>

#include "tests/byzantine/strategy.hpp"
#include "tools/hypermesh-lab/strategy_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::lab {

namespace {

using clock = demo_session::clock;
using outcome = demo_session::outcome;

constexpr std::chrono::milliseconds look_interval{500};
constexpr std::chrono::milliseconds key_patience{150};
/// The longest time until a step of the script has its effect.
constexpr std::chrono::seconds step_patience{90};

constexpr auto notes =
    "Starts four replicas as processes with a load of operations, and prints the address of each one's page. On a\n"
    "terminal, keys cause faults: kill the primary, pause a backup, make replica 3 Byzantine, destroy a disk, heal.\n"
    "'b' makes replica 3 vote for two batches at one sequence number; within a second the page shows the evidence.\n"
    "  hypermesh-lab demo\n"
    "  hypermesh-lab demo --script                   the same without keys, for an unattended run\n"
    "\n"
    "At the end the states of the honest replicas and the results of all operations are compared. Nothing is left\n"
    "behind, also after Ctrl-C.\n"
    "\n"
    "Exit codes: 0 all states are equal and no operation was lost or executed twice; 1 otherwise; 130 interrupted.";

cli::run_failure failure(std::string what, std::string remedy) {
  return {cli::exit_code::failed, {std::move(what), std::move(remedy)}};
}

/// Shows each kind of fault once, and waits for the effect of each.
class demo_script {
 public:
  demo_script(demo_session& session, cli::run_narrator& narrator, std::chrono::milliseconds pause)
      : session_(&session), narrator_(&narrator), pause_(pause) {}

  outcome run() {
    const auto first = view();
    const std::vector<std::function<outcome()>> steps = {
        [&] {
          return cause(
              demo_fault::kill_primary, [&] { return view() > first; }, "a new primary leads");
        },
        [&] {
          return cause(
              demo_fault::heal, [&] { return session_->is_whole(); }, "the old primary is back");
        },
        [&] {
          return cause(
              demo_fault::pause, [] { return true; }, "the others continue without it");
        },
        [&] {
          return cause(
              demo_fault::heal, [&] { return session_->is_whole(); }, "all replicas answer");
        },
        [&] {
          return cause(
              demo_fault::lose_disk, [&] { return session_->is_whole(); }, "the learner is readmitted");
        },
        [&] {
          return cause(
              demo_fault::heal, [] { return true; }, "no replica is faulty");
        },
        [&] {
          return cause(
              demo_fault::lie, [&] { return session_->is_liar_convicted(); }, "the liar is convicted");
        }};
    // Before the first fault, there is time to open a page.
    if (auto done = rest(); !done) return done;
    for (const auto& each : steps) {
      if (auto done = each(); !done) return done;
    }
    return {};
  }

 private:
  outcome rest() {
    return watch(clock::now() + pause_, [] { return false; });
  }
  [[nodiscard]] view_number view() const { return session_->cluster().view_in(session_->reports()); }

  outcome watch(clock::time_point until, const std::function<bool()>& reached) {
    do {
      if (auto done = session_->look(); !done) return done;
      if (reached()) return {};
      if (auto done = session_->cluster().wait_until(clock::now() + look_interval / 5); !done) return done;
    } while (clock::now() < until);
    return {};
  }

  outcome cause(demo_fault fault, const std::function<bool()>& reached, std::string_view effect) {
    const auto begin = clock::now();
    const auto done = session_->cause(fault);
    if (!done) return tl::unexpected(cli::run_failure{cli::exit_code::failed, done.error()});
    if (auto watched = watch(begin + step_patience, reached); !watched) return watched;
    if (!reached()) {
      return tl::unexpected(failure(fmt::format("{}, but not within {} s: {}", *done, step_patience.count(), effect),
                                    "run it again with less load on this machine; if the error returns, report it"));
    }
    const auto seconds = std::chrono::duration<double>(clock::now() - begin).count();
    narrator_->step(fmt::format("{}: {}", *done, effect), seconds);
    return rest();
  }

  demo_session* session_;
  cli::run_narrator* narrator_;
  std::chrono::milliseconds pause_;
};

/// Lets a viewer cause faults until it quits.
outcome play(demo_session& session, cli::interruption& stop) {
  cli::live_screen screen;
  const auto style = cli::text_style::of(STDOUT_FILENO);
  std::string message;
  auto next = clock::now();
  while (true) {
    if (clock::now() >= next) {
      if (auto done = session.look(); !done) return done;
      next = clock::now() + look_interval;
    }
    screen.show(session.page(style) + "\n" + message);
    const auto key = screen.wait_for_key(key_patience);
    if (stop.requested() || (key && *key == cli::interrupt_key)) {
      return tl::unexpected(cli::run_failure{cli::exit_code::interrupted, {"interrupted", ""}});
    }
    if (!key) continue;
    if (*key == 'q' || *key == 'Q') return {};
    for (const auto& each : demo_keys()) {
      if (each.key != *key) continue;
      const auto done = session.cause(each.fault);
      message = done ? *done : fmt::format("{}; {}", done.error().what, done.error().remedy);
    }
  }
}

outcome show(const demo_command& command, demo_session& session, cli::interruption& stop, cli::run_narrator& narrator) {
  const auto begin = clock::now();
  if (auto done = session.start(); !done) return done;
  narrator.step("the first operation is committed", std::chrono::duration<double>(clock::now() - begin).count());
  for (std::size_t number = 0; number < session.pages().size(); ++number)
    cli::say(fmt::format("page of replica {}: {}", number, session.pages()[number]));
  const bool has_keys = !command.script && cli::live_screen::is_possible() && cli::is_terminal(STDIN_FILENO);
  if (has_keys) return play(session, stop);
  return demo_script{session, narrator, cli::milliseconds_of(command.pause_seconds)}.run();
}

cli::exit_code end(demo_session& session) {
  // A replica that is still away would be missing in the comparison.
  if (session.faulty() && session.faulty() != demo_session::liar) (void)session.cause(demo_fault::heal);
  const auto verdict = session.cluster().finish();
  if (!verdict) return cli::report_error(verdict.error().error, verdict.error().code);
  cli::print_report(
      fmt::format("{} operations, {} lost, {} executed twice, {} without an answer; the states of the "
                  "honest replicas are {}\n",
                  cli::grouped(verdict->acknowledged), verdict->lost, verdict->doubled, verdict->failed,
                  verdict->roots_are_equal ? "equal" : "different"));
  return verdict->is_right() ? cli::exit_code::ok : cli::exit_code::failed;
}

}  // namespace

CLI::App* add_demo(CLI::App& app, demo_command& into) {
  auto* command =
      app.add_subcommand("demo", "show in two minutes what the product is for: faults, and a page to watch");
  command->footer(notes);
  command->add_flag("--script", into.script, "cause each fault once, without keys");
  command->add_option("--pause", into.pause_seconds, "time between two faults of the script")
      ->transform(cli::duration_between(0.0, 60.0))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--operations-in-flight", into.settings.in_flight, "operations in flight")
      ->check(CLI::Range(1, 1'024))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--strategy", into.settings.strategy, "strategy of replica 3")
      ->check([](const std::string& names) {
        return testing::make_adversary(names) == nullptr ? unknown_strategy_text(names) : std::string{};
      })
      ->capture_default_str()
      ->type_name("NAME");
  return command;
}

cli::exit_code run(const demo_command& command) {
  cli::interruption stop;
  cli::console_narrator narrator{false};
  demo_session session{command.settings, stop, narrator};
  const auto done = show(command, session, stop, narrator);
  if (!done) {
    const auto& [code, error] = done.error();
    return code == cli::exit_code::interrupted ? code : cli::report_error(error, code);
  }
  return end(session);
}

}  // namespace hypermesh::lab
