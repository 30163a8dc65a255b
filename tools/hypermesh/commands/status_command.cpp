#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/live/cluster_status.hpp"
#include "tools/hypermesh/live/live_loop.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/hard_deadline.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

struct status_options {
  client_options client;
  output_options output;
  bool watches = false;
  live_options live;

  [[nodiscard]] status_form form() const { return output.is_wide() ? status_form::wide : status_form::narrow; }
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh status --cluster mycluster\n"
    "  hypermesh status --cluster mycluster -o wide             all columns\n"
    "  hypermesh status --cluster mycluster --watch             look again every 2 seconds\n"
    "  hypermesh status --cluster mycluster -o json | jq '.replicas[].counters'\n"
    "\n"
    "The first sentence says how many more replicas may fail, and which one may be restarted now without a loss of\n"
    "service. The primary is never among them: 'hypermesh hand-over' moves it first.\n"
    "\n"
    "Each row is that replica's own, unverified report. 'standing' is what at least f + 1 other replicas agree on:\n"
    "a score from 0 to 1000, or the reason why the replica is distrusted ('hypermesh release --help'). A replica on\n"
    "probation lost its disk, or started for the first time after the group had begun: it follows the others, and\n"
    "its vote does not count until they readmit it. A line below the table names each address of the genesis at\n"
    "which another replica answers than the listed one.\n"
    "\n"
    "'executed' is the last executed sequence number, which counts batches and not operations. A 'hypermesh submit'\n"
    "in an idle cluster raises it by 2: each process first opens a session, and the opening is ordered too. A\n"
    "batch of a busy cluster has many operations, and null requests have none.\n"
    "\n"
    "--watch redraws the page on a terminal; q or Ctrl-C ends it. Without a terminal it prints one line whenever the\n"
    "state of the cluster changes, and with -o json one document on a line every time it looks.\n"
    "\n"
    "Exit codes: 0 a quorum is reachable and votes; 1 replicas at the same sequence number hold different states; 3\n"
    "fewer than a quorum; 130 --watch was interrupted. With --watch, the last look decides.";

/// Prints what is wrong with the cluster, or that nothing is.
exit_code report_summary(const cluster_status& status) {
  const auto summary = summary_of(status);
  const auto code = verdict_of(status);
  if (code == exit_code::no_quorum) {
    const auto remedy = reachable_count(status.reports) >= status.group().quorum()
                            ? "start the unreachable replicas: a replica on probation needs a quorum of the others"
                            : "start the unreachable replicas, and check addresses and network";
    return report_error({summary, remedy}, code);
  }
  if (code == exit_code::failed) {
    return report_error(
        {summary, "find the replica that differs from a quorum, and keep its files for an investigation"}, code);
  }
  say(summary);
  return code;
}

exit_code show_status(cluster_session& session, const status_options& options) {
  const auto status = look_at(session, milliseconds_of(options.client.timeout_seconds), [] { return true; });
  if (options.output.is_json()) {
    print_json(json_of(status), 2);
  } else {
    print_report(page_of(status, options.form(), text_style::of(STDOUT_FILENO)));
  }
  return report_summary(status);
}

std::string time_text() { return fmt::format("{:%Y-%m-%dT%H:%M:%S%z}", fmt::localtime(std::time(nullptr))); }

/// Shows the status again and again.
class status_watch {
 public:
  status_watch(cluster_session& session, const status_options& options)
      : session_(&session), options_(&options), style_(text_style::of(STDOUT_FILENO)) {}

  exit_code run(live_loop& loop) {
    const auto ended = loop.run({[this](const auto& keep_on) { look(keep_on); },
                                 [this](const screen_size& size) { return page(size); },
                                 [this] { print_round(); },
                                 {},
                                 {}});
    return ended.value_or(last_ ? verdict_of(*last_) : exit_code::no_quorum);
  }

 private:
  void look(const std::function<bool()>& keep_on) {
    // A replica that is down must not delay the view of the others for the whole time-out.
    const auto patience = std::min(milliseconds_of(options_->client.timeout_seconds),
                                   std::max(options_->live.interval(), std::chrono::milliseconds{500}));
    auto found = look_at(*session_, patience, keep_on);
    if (!keep_on()) return;
    last_ = std::move(found);
    seen_at_ = time_text();
  }

  [[nodiscard]] std::string page(const screen_size& size) const {
    if (!last_) return "asking the replicas\n";
    return style_.dim(fmt::format("{}   every {} s   q: quit", seen_at_, options_->live.interval_seconds)) + "\n" +
           page_of(*last_, options_->form(), style_) + "\n" + lines_of(summary_of(*last_), size.columns) + "\n";
  }

  void print_round() {
    if (options_->output.is_json()) return print_json(json_of(*last_));
    auto line = change_line_of(*last_);
    if (line == last_line_) return;
    print_report(fmt::format("{} {}\n", seen_at_, line));
    last_line_ = std::move(line);
  }

  cluster_session* session_;
  const status_options* options_;
  text_style style_;
  std::optional<cluster_status> last_;
  std::string seen_at_;
  std::string last_line_;
};

exit_code run_status(const status_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) {
    return report_error(done.error(), exit_code::failed);
  }
  if (options.watches) {
    live_loop loop{options.live, !options.output.is_json()};
    auto opened = cluster_session::open(std::move(*config), {});
    if (!opened) return report_error(opened.error(), exit_code::usage);
    return status_watch{**opened, options}.run(loop);
  }
  hard_deadline deadline{options.client.timeout_seconds};
  auto opened = cluster_session::open(std::move(*config), {});
  if (!opened) return report_error(opened.error(), exit_code::usage);
  return deadline.settle(show_status(**opened, options));
}

}  // namespace

void add_status(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("status", "Show the health of the cluster and the position of each replica");
  auto options = std::make_shared<status_options>();
  options->client.timeout_seconds = 2;
  command->footer(examples);
  add_client_options(*command, options->client);
  add_wide_output_option(*command, options->output);
  auto* watch = command
                    ->add_option_function<std::string>(
                        "--watch",
                        [options](const std::string& seconds) {
                          options->watches = true;
                          options->live.interval_seconds = seconds_of(seconds).value_or(2);
                        },
                        "Look again at this interval: 5s, 500ms, 2min")
                    ->expected(0, 1)
                    ->default_str("2")
                    ->transform(duration_between(0.1, 86'400))
                    ->type_name("TIME");
  command->add_option("--rounds", options->live.rounds, "End --watch after so many looks; 0: at an interruption only")
      ->needs(watch)
      ->check(CLI::Range(0, rounds_max))
      ->capture_default_str()
      ->type_name("N");
  command->callback([options, &chosen] { chosen = [options] { return run_status(*options); }; });
}

}  // namespace hypermesh::cli
