#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/live/live_loop.hpp"
#include "tools/hypermesh/live/top_page.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

struct top_options {
  client_options client;
  output_options output;
  live_options live;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh top --cluster mycluster\n"
    "  hypermesh top --cluster mycluster --interval 500ms\n"
    "  hypermesh top --cluster mycluster --rounds 3 > load.txt\n"
    "  hypermesh top --cluster mycluster -o json --rounds 10 | jq .requests_per_second\n"
    "\n"
    "Shows throughput, the latency of each phase, positions, queues, processor, memory and traffic of all replicas,\n"
    "as they report them themselves. Keys: q quit, p pause, s sort, ? help. A terminal of 150 columns or more shows\n"
    "more columns. Without a terminal, every look is printed below the last one; with -o json, it is one document on\n"
    "a line. The first look has no rates. A node refreshes most of its numbers twice a second, so shorter intervals\n"
    "have gaps.\n"
    "\n"
    "Exit codes: 0 ended by q or --rounds; 1 or 2 the command cannot ask the cluster; 3 fewer than a quorum answered\n"
    "the last look; 130 interrupted.";

/// Looks at the cluster, and draws the page of `top_state`.
class top_session {
 public:
  top_session(cluster_session& session, const top_options& options)
      : session_(&session), options_(&options), style_(text_style::of(STDOUT_FILENO)) {
    state_.interval_seconds = options.live.interval_seconds;
  }

  exit_code run(live_loop& loop) {
    state_.has_keys = live_screen::is_possible() && !options_->output.is_json();
    const auto ended = loop.run({[this](const auto& keep_on) { look(keep_on); },
                                 [this](const screen_size& size) { return page(size); }, [this] { print_round(); },
                                 [this](char key) { on_key(key); }, [this] { return !state_.is_paused; }});
    if (ended) return *ended;
    return has_looked_ && state_.status.has_quorum() ? exit_code::ok : exit_code::no_quorum;
  }

 private:
  using clock = std::chrono::steady_clock;

  void look(const std::function<bool()>& keep_on) {
    const auto patience = std::min(milliseconds_of(options_->client.timeout_seconds),
                                   std::max(options_->live.interval(), std::chrono::milliseconds{500}));
    auto found = look_at(*session_, patience, keep_on);
    if (!keep_on()) return;
    const auto now = clock::now();
    const auto seconds = std::chrono::duration<double>{now - looked_at_}.count();
    state_.view = view_of(has_looked_ ? &state_.status : nullptr, found, seconds);
    state_.status = std::move(found);
    state_.seen_at = fmt::format("{:%H:%M:%S}", fmt::localtime(std::time(nullptr)));
    looked_at_ = now;
    has_looked_ = true;
  }

  [[nodiscard]] std::string page(const screen_size& size) const {
    return has_looked_ ? top_page(state_, size, style_) : std::string{"asking the replicas\n"};
  }

  void print_round() {
    if (options_->output.is_json()) return print_json(json_of(state_.view));
    constexpr std::size_t all_rows = 1'000;
    print_report(page({terminal_width(STDOUT_FILENO), all_rows}) + "\n");
  }

  void on_key(char key) {
    if (key == 'p') state_.is_paused = !state_.is_paused;
    if (key == 's') state_.order = next_of(state_.order);
    if (key == '?' || key == 'h') state_.shows_help = !state_.shows_help;
  }

  cluster_session* session_;
  const top_options* options_;
  text_style style_;
  top_state state_;
  clock::time_point looked_at_{};
  bool has_looked_ = false;
};

exit_code run_top(const top_options& options) {
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_limits(config->cluster); !done) return report_error(done.error(), exit_code::failed);
  live_loop loop{options.live, !options.output.is_json()};
  auto opened = cluster_session::open(std::move(*config), {});
  if (!opened) return report_error(opened.error(), exit_code::usage);
  const auto code = top_session{**opened, options}.run(loop);
  if (code != exit_code::no_quorum) return code;
  return report_error({"fewer than a quorum of the replicas answered",
                       "start the unreachable replicas, and check addresses and network: hypermesh status"},
                      code);
}

}  // namespace

void add_top(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("top", "Watch throughput, latency and resources of all replicas");
  auto options = std::make_shared<top_options>();
  options->client.timeout_seconds = 2;
  command->footer(examples);
  add_client_options(*command, options->client);
  add_output_option(*command, options->output);
  command->add_option("--interval", options->live.interval_seconds, "Time between two looks: 2s, 500ms, 1min")
      ->transform(duration_between(0.1, 86'400))
      ->capture_default_str()
      ->type_name("TIME");
  command->add_option("--rounds", options->live.rounds, "End after so many looks; 0: at q or an interruption only")
      ->check(CLI::Range(0, rounds_max))
      ->capture_default_str()
      ->type_name("N");
  command->callback([options, &chosen] { chosen = [options] { return run_top(*options); }; });
}

}  // namespace hypermesh::cli
