#include "tools/hypermesh/bench/load_fleet.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "runtime/base/steady_moment.hpp"
#include "tools/hypermesh/bench/load_process.hpp"

namespace hypermesh::cli {

namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds ready_patience{60};
constexpr std::chrono::milliseconds look_interval{5};
/// After the load has waited for its answers, it only writes a file.
constexpr duration end_patience = drain_patience + 20s;

const tl::unexpected interrupted{run_failure{exit_code::interrupted, {"interrupted", ""}}};

std::string text_of_file(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

}  // namespace

fs::path load_fleet::log_of(std::size_t index) const { return exchange_ / fmt::format("load-{}.log", index); }

run_failure load_fleet::failure_of_process(std::size_t index) const {
  constexpr std::size_t words_max = 2'000;
  auto words = text_of_file(log_of(index));
  if (words.size() > words_max) words.erase(0, words.size() - words_max);
  words.erase(words.find_last_not_of('\n') + 1);
  // The load process knows best whether the cluster is at fault.
  const auto reason = processes_[index]->end_reason();
  const auto code = reason == "exit code 3" ? exit_code::no_quorum : exit_code::failed;
  return {code,
          {fmt::format("load process {} ended: {}{}{}", index, reason, words.empty() ? "" : "\n", words),
           "read the message of the load process above"}};
}

or_run_failure<void> load_fleet::launch(const load_shape& shape, const fs::path& cluster) {
  auto begun = child_process::start(own_binary, words_of(shape, cluster, exchange_, getpid()), log_of(shapes_.size()));
  if (!begun) return tl::unexpected(run_failure{exit_code::failed, begun.error()});
  shapes_.push_back(shape);
  processes_.push_back(std::move(*begun));
  return {};
}

or_run_failure<std::unique_ptr<load_fleet>> load_fleet::start(const std::vector<load_shape>& shapes,
                                                              const fs::path& cluster, const fs::path& exchange,
                                                              interruption& stop) {
  std::unique_ptr<load_fleet> fleet{new load_fleet{exchange}};
  for (const auto& shape : shapes) {
    if (auto done = fleet->launch(shape, cluster); !done) return failure_of(done);
  }
  const auto deadline = base::steady_moment() + ready_patience;
  for (std::size_t index = 0; index < shapes.size(); ++index) {
    auto& process = *fleet->processes_[index];
    // A short wait at a time, so that an interruption ends it.
    while (!process.wait_until_ready(std::chrono::milliseconds{100})) {
      if (stop.requested()) return interrupted;
      if (!process.is_running()) return tl::unexpected(fleet->failure_of_process(index));
      if (base::steady_moment() < deadline) continue;
      return tl::unexpected(
          run_failure{exit_code::no_quorum,
                      {fmt::format("load process {} was not ready within {} s", index, ready_patience.count()),
                       "run the command again with less load on this machine, or with fewer --clients"}});
    }
  }
  return fleet;
}

or_run_failure<void> load_fleet::begin(moment when) {
  for (const auto& shape : shapes_) {
    const auto text = std::to_string(when.time_since_epoch().count());
    if (auto done = exchange_text(begin_file(exchange_, shape.first_client), text); !done)
      return tl::unexpected(run_failure{exit_code::failed, done.error()});
  }
  return {};
}

or_run_failure<void> load_fleet::check_health() {
  for (std::size_t index = 0; index < processes_.size(); ++index) {
    if (!processes_[index]->is_running()) return tl::unexpected(failure_of_process(index));
  }
  return {};
}

or_run_failure<load_result> load_fleet::finish(interruption& stop) {
  const auto deadline = base::steady_moment() + end_patience;
  load_result all;
  for (std::size_t index = 0; index < processes_.size(); ++index) {
    auto& process = *processes_[index];
    while (process.is_running() && base::steady_moment() < deadline) {
      if (stop.wait(look_interval)) return interrupted;
    }
    process.wait_or_kill(std::chrono::milliseconds{0});
    const auto result = read_load_result(text_of_file(result_file(exchange_, shapes_[index].first_client)));
    if (!result) return tl::unexpected(failure_of_process(index));
    all.add(*result);
  }
  return all;
}

std::vector<pid_t> load_fleet::process_ids() const {
  std::vector<pid_t> all;
  for (const auto& each : processes_)
    all.push_back(each->id());
  return all;
}

}  // namespace hypermesh::cli
