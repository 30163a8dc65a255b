#include "tools/hypermesh/commands/node_watch.hpp"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"
#include "runtime/base/system_wall_clock.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/word_option.hpp"

namespace hypermesh::cli {

namespace {

using kind = operator_event_kind;

/// How often the node is asked for its trust and its transfer.
constexpr duration look_interval = 250ms;
/// How often the position is logged and the disks are read: less often than the log's rate limit.
constexpr duration slow_look_interval = 15s;
static_assert(slow_look_interval > event_limiter::period);
constexpr std::chrono::seconds answer_patience{1};
/// A node that has just started has not heard from the others yet. Without this time every start would log a warning.
constexpr duration start_grace = 2s;

/// The options take the words of the enums.
template <class Enum>
std::vector<std::string> words_of(Enum last) {
  std::vector<std::string> words;
  for (unsigned number = 0; number <= static_cast<unsigned>(last); ++number)
    words.emplace_back(to_string(static_cast<Enum>(number)));
  return words;
}

/// Writes the line, also if stderr takes only a part of it at once. A line that cannot be written is lost.
void write_to_stderr(std::string_view line) {
  while (!line.empty()) {
    const auto count = ::write(STDERR_FILENO, line.data(), line.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return;
    line.remove_prefix(static_cast<std::size_t>(count));
  }
}

/// The line in the colour of its level.
std::string coloured(event_level level, const std::string& line, const text_style& style) {
  if (level < event_level::warn || !style.has_colours()) return line;
  const std::string_view text{line.data(), line.size() - 1};
  return (level == event_level::warn ? style.warning(text) : style.bad(text)) + '\n';
}

}  // namespace

config_overrides log_options::overrides() const {
  config_overrides all;
  if (!format.empty()) all.emplace("log.format", format);
  if (!level.empty()) all.emplace("log.level", level);
  return all;
}

std::vector<std::string> log_options::words() const {
  std::vector<std::string> all;
  if (!format.empty()) all.insert(all.end(), {"--log-format", format});
  if (!level.empty()) all.insert(all.end(), {"--log-level", level});
  return all;
}

void add_log_options(CLI::App& command, log_options& into) {
  command.add_option("--log-format", into.format, "Form of the log on stderr, before 'format' of [log]")
      ->check(one_of(words_of(log_format_last)))
      ->type_name("FORMAT");
  command.add_option("--log-level", into.level, "Least urgent events of the log on stderr, before 'level' of [log]")
      ->check(one_of(words_of(log_level_last)))
      ->type_name("LEVEL");
}

std::shared_ptr<node_log> open_log(const node_config& config) {
  node_log::ports ports;
  ports.now = base::steady_moment;
  ports.wall_time_now = [clock = base::system_wall_clock{}] { return clock.now(); };
  const bool is_text = config.log.format == log_format::text;
  const auto style = is_text ? text_style::of(STDERR_FILENO) : text_style::plain();
  ports.write = [style](event_level level, const std::string& line) { write_to_stderr(coloured(level, line, style)); };
  return std::make_shared<node_log>(config.log, config.self, config.cluster.parameters(), std::move(ports));
}

node_watch::node_watch(hosted_replica& of, std::shared_ptr<node_log> log, const node_config& config)
    : of_(&of), log_(std::move(log)), samples_(config.self), first_health_(base::steady_moment() + start_grace) {
  const bool is_stored = config.storage.mode != durability::memory;
  disks_ = std::make_unique<metrics::disk_watch>(
      metrics::disk_directories{is_stored ? config.storage.directory : std::filesystem::path{},
                                config.audit.enabled ? config.audit.directory : std::filesystem::path{}});
}

void node_watch::look() {
  const auto now = base::steady_moment();
  if (now < next_look_) return;
  next_look_ = now + look_interval;
  look_at_addresses();
  look_at_node();
  if (now >= first_health_) look_at_health();
  log_->report_omissions();
  if (now < next_slow_look_) return;
  next_slow_look_ = now + slow_look_interval;
  for (const auto& each : samples_.of_disks(disks_->facts()))
    log_->note(each);
  if (log_->shows(event_level::debug)) note_position();
}

void node_watch::look_at_addresses() {
  for (const auto& each : of_->misdirected()) {
    if (std::ranges::find(misdirected_, each) != misdirected_.end()) continue;
    misdirected_.push_back(each);
    log_->note(event_of(kind::address_misdirected, {{"listed", std::uint64_t{each.listed_for.value}},
                                                    {"answers", std::uint64_t{each.answers_as.value}}}));
  }
}

void node_watch::look_at_node() {
  const auto report = of_->report(answer_patience, report_wanted{.with_root = false});
  if (!report) return log_->note(event_of(kind::node_silent));
  if (const auto event = samples_.of_transfer(*report)) log_->note(*event);
  const auto reputations = of_->reputations(answer_patience);
  if (!reputations) return;
  for (const auto& each : samples_.of_trust(*reputations))
    log_->note(each);
}

void node_watch::look_at_health() {
  const auto group = of_->health_report();
  // The probes know what needs attention besides; the log has events of its own for that.
  const auto event = health_event(group, group.live && group.ready, {}, was_degraded_);
  auto told = json_of_fields(event);
  if (told == health_) return;
  health_ = std::move(told);
  was_degraded_ = group.degraded();
  log_->note(event);
}

void node_watch::note_position() {
  const auto report = of_->report(answer_patience);
  if (!report) return log_->note(event_of(kind::node_silent));
  constexpr std::size_t root_bytes = 8;
  log_->note(event_of(kind::position_noted, {{"view", report->view.value},
                                             {"sequence", report->last_executed.value},
                                             {"stable", report->stable_checkpoint.value},
                                             {"root", to_hex(report->state_root.view(), root_bytes)}}));
}

}  // namespace hypermesh::cli
