#include "tools/hypermesh-lab/checkpoint_bench.hpp"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/frozen_checkpoint.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/key_value_store.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

namespace hypermesh::lab {

namespace {

using clock = std::chrono::steady_clock;
using actors::frozen_checkpoint;
using machines::authenticated_map;
using machines::key_value_store;
namespace key_value = machines::key_value;

constexpr auto notes =
    "A key-value store of this size is filled in this process, without consensus. In each round, writes change a part\n"
    "of it, and then it takes a checkpoint as a replica does: it freezes the state, which is the pause of execution, "
    "and\n"
    "another thread hashes what changed and computes the root, while the writes of the next round continue.\n"
    "\n"
    "Memory is the resident memory of the process, with the snapshots of the last two checkpoints, which a replica "
    "keeps for\n"
    "others; the ratio is that to the bytes of all keys and values.\n"
    "\n"
    "Exit codes: 0 measured, whatever the figures; 2 wrong usage.";

/// The last snapshots, as a replica keeps them: that of the stable checkpoint and the newest one.
constexpr std::size_t snapshots_kept = 2;

struct checkpoint_figures {
  std::uint64_t entries = 0;
  std::uint64_t content_bytes = 0;
  std::uint64_t chunks = 0;
  /// Writes of one round, and the chunks that they changed.
  std::uint64_t writes = 0;
  std::uint64_t changed_chunks = 0;
  std::uint64_t changed_bytes = 0;
  double fill_seconds = 0;
  double first_ms = 0;
  /// Of each round, in milliseconds.
  std::vector<double> pauses;
  /// The same in processor time, which does not count other work of the machine.
  std::vector<double> busy_pauses;
  std::vector<double> hashes;
  double write_us = 0;
  std::uint64_t filled_bytes = 0;
  std::uint64_t memory_bytes = 0;

  [[nodiscard]] double ratio_of(std::uint64_t bytes) const {
    return static_cast<double>(bytes) / static_cast<double>(content_bytes);
  }
};

double ms_since(clock::time_point begun) {
  return std::chrono::duration<double, std::milli>(clock::now() - begun).count();
}

/// The processor time of this thread, in milliseconds.
double busy_ms() {
  timespec now{};
  (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e3 * static_cast<double>(now.tv_sec) + 1e-6 * static_cast<double>(now.tv_nsec);
}

/// Resident memory of this process, which contains what the allocator cannot use.
std::uint64_t resident_bytes() {
  std::ifstream file{"/proc/self/statm"};
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

double median_of(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

std::string key_of(std::uint64_t number) { return fmt::format("key {:012}", number); }

/// One key-value store, and what a replica has around it at a checkpoint.
class checkpoint_run {
 public:
  explicit checkpoint_run(const checkpoint_bench_command& command)
      : command_(command),
        random_(command.seed),
        store_(authenticated_map::leaf_bytes_default, 2 * command.state_bytes + (1ULL << 20U)) {}

  checkpoint_figures measure() {
    fill();
    figures_.chunks = finish(freeze()).snapshot->size();
    figures_.filled_bytes = resident_bytes() - memory_before_;
    const auto share = command_.changed_percent / 100;
    const auto units = command_.counts_entries ? figures_.entries : figures_.chunks;
    figures_.writes = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(share * static_cast<double>(units)));
    for (std::size_t round = 0; round < command_.rounds; ++round)
      run_round();
    if (hashing_.joinable()) hashing_.join();
    figures_.memory_bytes = resident_bytes() - memory_before_;
    figures_.hashes = hash_times_;
    count_changes();
    return figures_;
  }

 private:
  void put(std::uint64_t number) {
    // A value of the same length, as that of a counter or a record.
    const auto word = random_.next();
    for (std::size_t index = 0; index < value_.size(); ++index)
      value_[index] = static_cast<char>(word >> (index % 8 * 8));
    const auto operation = key_value::encode(key_value::put{as_byte_span(key_of(number)), as_byte_span(value_)});
    const auto result = store_.apply({}, operation);
    require(result.status == operation_status::applied, "the store has room for the state");
  }

  void fill() {
    memory_before_ = resident_bytes();
    value_.resize(command_.value_bytes);
    const auto begun = clock::now();
    const auto entry_bytes = key_of(0).size() + command_.value_bytes;
    figures_.entries = command_.state_bytes / entry_bytes;
    figures_.content_bytes = figures_.entries * entry_bytes;
    for (std::uint64_t number = 0; number < figures_.entries; ++number)
      put(number);
    figures_.fill_seconds = ms_since(begun) / 1e3;
    const auto first = clock::now();
    (void)finish(freeze());
    figures_.first_ms = ms_since(first);
  }

  std::shared_ptr<frozen_checkpoint> freeze() {
    protocol::checkpoint_parts parts{sequence_number{++sequence_}, {}, {}, store_.freeze(), {}};
    return std::make_shared<frozen_checkpoint>(std::move(parts), roots_);
  }

  const protocol::taken_state& finish(const std::shared_ptr<frozen_checkpoint>& frozen) {
    const auto& taken = frozen->finish();
    kept_.push_back(frozen);
    if (kept_.size() > snapshots_kept) kept_.pop_front();
    return taken;
  }

  void run_round() {
    const auto begun = clock::now();
    for (std::uint64_t number = 0; number < figures_.writes; ++number)
      put(random_.below(figures_.entries));
    figures_.write_us += 1e3 * ms_since(begun) / static_cast<double>(figures_.writes * command_.rounds);
    const auto pause_begun = clock::now();
    const auto busy_begun = busy_ms();
    const auto frozen = freeze();
    figures_.busy_pauses.push_back(busy_ms() - busy_begun);
    figures_.pauses.push_back(ms_since(pause_begun));
    // The hash of the last round is long done, unless the machine is busy.
    if (hashing_.joinable()) hashing_.join();
    hashing_ = std::thread{[this, frozen] {
      const auto hash_begun = clock::now();
      (void)finish(frozen);
      hash_times_.push_back(ms_since(hash_begun));
    }};
  }

  /// Compares the last two snapshots.
  void count_changes() {
    std::vector<const byte_vector*> known;
    for (const auto& chunk : *kept_.front()->finish().snapshot)
      known.push_back(chunk.bytes.get());
    std::ranges::sort(known);
    for (const auto& chunk : *kept_.back()->finish().snapshot) {
      if (std::ranges::binary_search(known, chunk.bytes.get())) continue;
      ++figures_.changed_chunks;
      figures_.changed_bytes += chunk.bytes->size();
    }
  }

  checkpoint_bench_command command_;
  cli::splitmix64 random_;
  key_value_store store_;
  std::string value_;
  std::uint64_t sequence_ = 0;
  std::uint64_t memory_before_ = 0;
  std::shared_ptr<actors::root_tree> roots_ = std::make_shared<actors::root_tree>();
  std::deque<std::shared_ptr<frozen_checkpoint>> kept_;
  checkpoint_figures figures_;
  std::thread hashing_;
  /// Written by the thread that hashes, and read after it has ended.
  std::vector<double> hash_times_;
};

/// Removes the sign of a percentage. Returns what is wrong with it, or nothing.
std::string percentage(std::string& text) {
  if (!text.empty() && text.back() == '%') text.pop_back();
  double value = -1;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const bool is_share = read.ec == std::errc{} && read.ptr == end && value >= 0 && value <= 100;
  return is_share ? std::string{} : fmt::format("'{}' is not a percentage from 0% to 100%", text);
}

std::string text_of(const checkpoint_figures& figures, const cli::text_style& style) {
  cli::text_table table{{{""}, {""}}};
  table.add({"state",
             fmt::format("{} in {} entries and {} chunks, filled in {:.1f} s", cli::short_bytes(figures.content_bytes),
                         cli::grouped(figures.entries), cli::grouped(figures.chunks), figures.fill_seconds)});
  table.add(
      {"changed",
       fmt::format("{} writes in each round, {} chunks of {} ({:.2f} % of the chunks)", cli::grouped(figures.writes),
                   cli::grouped(figures.changed_chunks), cli::short_bytes(figures.changed_bytes),
                   100.0 * static_cast<double>(figures.changed_chunks) / static_cast<double>(figures.chunks))});
  table.add({"pause", style.bold(fmt::format("{:.2f} ms", median_of(figures.pauses))) +
                          fmt::format(", at most {:.2f} ms; in processor time {:.2f} ms, at most {:.2f} ms",
                                      std::ranges::max(figures.pauses), median_of(figures.busy_pauses),
                                      std::ranges::max(figures.busy_pauses))});
  table.add({"hashing meanwhile",
             fmt::format("{:.1f} ms, at most {:.1f} ms; the first checkpoint {:.0f} ms", median_of(figures.hashes),
                         std::ranges::max(figures.hashes), figures.first_ms)});
  table.add({"a write", fmt::format("{:.2f} µs, with the copy of its chunk", figures.write_us)});
  table.add({"memory", fmt::format("{:.2f} times the content; {:.2f} before the first change",
                                   figures.ratio_of(figures.memory_bytes), figures.ratio_of(figures.filled_bytes))});
  return table.text(style);
}

}  // namespace

CLI::App* add_checkpoint_bench(CLI::App& bench, checkpoint_bench_command& into) {
  auto* command = bench.add_subcommand("checkpoint", "measure the checkpoints of a large state");
  command->footer(notes);
  command->add_option("--state-bytes", into.state_bytes, "bytes of all keys and values, such as 256MiB")
      ->transform(CLI::AsSizeValue{true})
      ->check(CLI::Range(std::uint64_t{1} << 20U, std::uint64_t{1} << 36U))
      ->type_name("BYTES");
  command->add_option("--changed", into.changed_percent, "share that changes between two checkpoints, such as 1.6%")
      ->transform(CLI::Validator{percentage, ""})
      ->type_name("PERCENT");
  command->add_flag("--entries", into.counts_entries,
                    "count the share in entries, spread over the state, not in chunks");
  command->add_option("--value-bytes", into.value_bytes, "bytes of each value")
      ->check(CLI::Range(std::size_t{1}, authenticated_map::value_bytes_max))
      ->capture_default_str()
      ->type_name("BYTES");
  command->add_option("--rounds", into.rounds, "number of checkpoints")
      ->check(CLI::Range(std::size_t{2}, std::size_t{10'000}))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--seed", into.seed, "seed of the writes")->capture_default_str()->type_name("N");
  cli::add_output_option(*command, into.output);
  return command;
}

cli::exit_code run(const checkpoint_bench_command& command) {
  const auto figures = checkpoint_run{command}.measure();
  if (!command.output.is_json()) {
    cli::print_report(text_of(figures, cli::text_style::of(STDOUT_FILENO)));
    return cli::exit_code::ok;
  }
  cli::print_json({{"content_bytes", figures.content_bytes},
                   {"entries", figures.entries},
                   {"chunks", figures.chunks},
                   {"writes_per_round", figures.writes},
                   {"changed_chunks", figures.changed_chunks},
                   {"changed_bytes", figures.changed_bytes},
                   {"rounds", command.rounds},
                   {"seed", command.seed},
                   {"pause_ms_median", median_of(figures.pauses)},
                   {"pause_ms_max", std::ranges::max(figures.pauses)},
                   {"pause_busy_ms_median", median_of(figures.busy_pauses)},
                   {"pause_busy_ms_max", std::ranges::max(figures.busy_pauses)},
                   {"hash_ms_median", median_of(figures.hashes)},
                   {"hash_ms_max", std::ranges::max(figures.hashes)},
                   {"first_checkpoint_ms", figures.first_ms},
                   {"write_us", figures.write_us},
                   {"memory_ratio", figures.ratio_of(figures.memory_bytes)},
                   {"memory_ratio_unchanged", figures.ratio_of(figures.filled_bytes)}},
                  2);
  return cli::exit_code::ok;
}

}  // namespace hypermesh::lab
