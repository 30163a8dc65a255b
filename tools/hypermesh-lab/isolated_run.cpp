#include "tools/hypermesh-lab/isolated_run.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <limits>
#include <stdexcept>

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/state_machines/printable.hpp"

namespace hypermesh::lab {

namespace {

/// This mark separates the child's report from everything that the child printed before.
constexpr std::string_view mark = "\nhypermesh-lab-report\n";

/// Runs the plan in the child and writes its output and report to `out`. Never returns.
[[noreturn]] void run_child(const testing::run_plan& plan, int out) {
  dup2(out, STDERR_FILENO);
  const auto report = testing::run_simulation(plan);
  const auto failure = report.failure.value_or(testing::violation{});
  fmt::print(stderr, "{}{}\n{}\n{}", mark, report.virtual_time.count(), failure.invariant, failure.what);
  std::fflush(stderr);
  // Ends the child without the exit handlers and buffers that it inherited from the parent.
  _exit(0);
}

std::string read_to_end(int in) {
  std::string text;
  std::array<char, 4'096> buffer;
  for (auto size = read(in, buffer.data(), buffer.size()); size != 0; size = read(in, buffer.data(), buffer.size())) {
    if (size < 0 && errno != EINTR) throw std::runtime_error{"cannot read the report of a run"};
    if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  return text;
}

/// Removes the text up to the next line break, and the line break, and returns the text.
std::string take_line(std::string& text) {
  const auto end = text.find('\n');
  auto line = text.substr(0, end);
  text.erase(0, end == std::string::npos ? text.size() : end + 1);
  return line;
}

testing::run_report report_of(std::string text) {
  testing::run_report report;
  report.virtual_time = duration{parse_decimal<duration::rep>(take_line(text)).value_or(0)};
  auto invariant = take_line(text);
  if (!invariant.empty()) report.failure = testing::violation{std::move(invariant), std::move(text)};
  return report;
}

testing::run_report report_of_end(std::string printed, int status) {
  auto name = take_line(printed);
  if (name.empty()) name = fmt::format("the process of the run ended with status {}", status);
  testing::run_report report;
  // The child ended early, so the virtual time of its end is unknown.
  report.virtual_time = duration::max();
  report.failure = testing::violation{std::move(name), "a run ended its process"};
  return report;
}

}  // namespace

testing::run_report run_isolated(const testing::run_plan& plan) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) throw std::runtime_error{"cannot create a pipe for a run"};
  std::fflush(nullptr);
  const auto child = fork();
  if (child < 0) throw std::runtime_error{"cannot start a process for a run"};
  if (child == 0) {
    close(ends[0]);
    run_child(plan, ends[1]);
  }
  close(ends[1]);
  auto text = read_to_end(ends[0]);
  close(ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::runtime_error{"the process of a run does not exist"};
  }
  const auto begin = text.rfind(mark);
  if (status != 0 || begin == std::string::npos) return report_of_end(std::move(text), status);
  return report_of(text.substr(begin + mark.size()));
}

}  // namespace hypermesh::lab
