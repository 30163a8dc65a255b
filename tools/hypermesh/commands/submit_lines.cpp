#include "tools/hypermesh/commands/submit_lines.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <set>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/operations.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/line_reader.hpp"

namespace hypermesh::cli {

namespace {

/// The largest number of lines of stdin in progress: as many requests as a session may have in flight, and the same
/// number again that wait in the client. More lines would not make the cluster busier. They would only wait in the
/// client until their deadline passes: a slow cluster would execute the first lines, and the last lines would time out.
/// Memory: 8,192 lines at most.
std::size_t lines_in_flight_max(std::size_t bundle) {
  return std::min<std::size_t>(2 * limits::requests_in_flight_max * bundle, 8'192);
}

/// The longest line: the largest operation with every byte escaped, and room for words and numbers.
constexpr std::size_t line_bytes_max = 2 * limits::operation_bytes_max + 65'536;

/// Passes outcomes from the client's thread to the thread that prints. The descriptor is readable while outcomes wait.
class outcome_inbox {
 public:
  outcome_inbox() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~outcome_inbox() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  outcome_inbox(const outcome_inbox&) = delete;
  outcome_inbox& operator=(const outcome_inbox&) = delete;

  [[nodiscard]] int descriptor() const { return descriptor_; }

  void put(std::size_t number, const submit_outcome& outcome) {
    const std::scoped_lock lock{guard_};
    const bool is_first = outcomes_.empty();
    outcomes_.emplace(number, outcome);
    const std::uint64_t one = 1;
    if (is_first) [[maybe_unused]]
      const auto written = write(descriptor_, &one, sizeof one);
  }

  [[nodiscard]] std::map<std::size_t, submit_outcome> take() {
    const std::scoped_lock lock{guard_};
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(descriptor_, &count, sizeof count);
    return std::exchange(outcomes_, {});
  }

 private:
  int descriptor_;
  std::mutex guard_;
  std::map<std::size_t, submit_outcome> outcomes_;
};

/// A line whose result has not been printed yet.
struct pending_line {
  byte_vector operation;
  std::optional<shown_outcome> shown;
};

class line_submission {
 public:
  line_submission(cluster_session& session, std::size_t bundle, bool as_json)
      : session_(&session), lines_max_(lines_in_flight_max(bundle)), as_json_(as_json) {}

  [[nodiscard]] exit_code run() {
    if (inbox_->descriptor() < 0) {
      return report_error(
          {fmt::format("no file descriptor is available: {}", std::strerror(errno)), "raise the limit: ulimit -n 1024"},
          exit_code::failed);
    }
    while (true) {
      take_lines();
      note_outcomes();
      print_answered();
      // If stdout cannot be written, the command cannot show further results.
      if (!flush_output()) return exit_code::failed;
      if (pending_.empty() && input_.has_ended()) break;
      wait();
    }
    if (input_.error() == 0) return code_;
    return worse_of(code_,
                    report_error({fmt::format("stdin cannot be read: {}", std::strerror(input_.error())),
                                  "submit the remaining lines again; every line before this error was submitted"},
                                 exit_code::failed));
  }

 private:
  /// Waits until the client has a new outcome, or stdin is readable and there is room for its lines.
  void wait() {
    const bool has_room = pending_.size() < lines_max_ && !input_.has_ended();
    std::array<pollfd, 2> awaited{pollfd{inbox_->descriptor(), POLLIN, 0}, pollfd{STDIN_FILENO, POLLIN, 0}};
    if (poll(awaited.data(), has_room ? 2 : 1, -1) < 0) return;
    if (has_room && awaited[1].revents != 0) input_.read_more();
  }

  void take_lines() {
    while (pending_.size() < lines_max_) {
      auto line = input_.next();
      if (!line) return;
      submit(*line);
    }
  }

  void submit(const input_line& line) {
    const auto number = first_ + pending_.size();
    pending_.emplace_back();
    if (line.is_too_long) return refuse(number, fmt::format("the line is longer than {} bytes", line_bytes_max));
    const auto words = words_of(line.text);
    if (!words) return refuse(number, words.error());
    if (words->empty()) return refuse(number, "the line is empty");
    auto operation = parse_operation(session_->cluster().state_machine, *words);
    if (!operation) return refuse(number, operation.error());
    pending_.back().operation = *operation;
    session_->client().submit(std::move(*operation),
                              [inbox = inbox_, number](const submit_outcome& outcome) { inbox->put(number, outcome); });
  }

  /// Reports that the line is not a valid operation. `why` may end with the list of operations, which is printed only
  /// once.
  void refuse(std::size_t number, const std::string& why) {
    const auto first_line = why.substr(0, why.find('\n'));
    const auto reason = first_line.substr(0, first_line.rfind("; use one of:"));
    pending_.back().shown = show_malformed(reason);
    const bool names_operations = why.size() > reason.size();
    const bool is_first = names_operations && !std::exchange(usage_was_said_, true);
    report_error({fmt::format("line {}: {}", number, is_first ? why : reason), ""}, exit_code::usage);
  }

  void note_outcomes() {
    for (const auto& [number, outcome] : inbox_->take()) {
      require(number >= first_ && number - first_ < pending_.size(), "an outcome belongs to a waiting line");
      auto& line = pending_[number - first_];
      line.shown = show_outcome(session_->cluster(), line.operation, outcome);
      const auto* const error = std::get_if<client_error>(&outcome);
      if (error == nullptr) continue;
      const auto kind = kind_of_operation(session_->cluster(), line.operation);
      if (errors_said_.emplace(*error, kind).second) report_error(explain(*error, kind), line.shown->code);
    }
  }

  void print_answered() {
    while (!pending_.empty() && pending_.front().shown) {
      print_outcome_line(*pending_.front().shown, as_json_);
      code_ = worse_of(code_, pending_.front().shown->code);
      pending_.pop_front();
      ++first_;
    }
  }

  cluster_session* session_;
  std::size_t lines_max_;
  bool as_json_;
  std::shared_ptr<outcome_inbox> inbox_ = std::make_shared<outcome_inbox>();
  line_reader input_{STDIN_FILENO, line_bytes_max};
  std::deque<pending_line> pending_;
  /// The number of the first line whose result was not printed. Lines count from 1.
  std::size_t first_ = 1;
  bool usage_was_said_ = false;
  std::set<std::pair<client_error, operation_kind>> errors_said_;
  exit_code code_ = exit_code::ok;
};

}  // namespace

exit_code submit_lines(cluster_session& session, std::size_t bundle, bool as_json) {
  return line_submission{session, bundle, as_json}.run();
}

}  // namespace hypermesh::cli
