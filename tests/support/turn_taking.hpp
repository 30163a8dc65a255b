#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hypermesh::testing {

/// Makes RocksDB deterministic although it needs threads for its background jobs. At most one of the caller and the
/// jobs runs at a time, and only the sequence of calls decides which one.
///
/// The jobs of a call wait until the call returns. Then they run on the caller's thread, in their order. If a call
/// waits for its jobs, they run during the call, on another thread that this class adds. `begin` announces such a call.
/// While a job runs, the caller's operations on the disk wait.
class turn_taking {
 public:
  turn_taking() = default;
  ~turn_taking();
  turn_taking(const turn_taking&) = delete;
  turn_taking& operator=(const turn_taking&) = delete;

  /// Says whether a call waits for jobs that are added during the call.
  enum class waiting { no, until_it_appends, always };

  /// The caller's thread enters the database. It leaves the database when everything is done.
  void begin(waiting how);
  void end();

  /// Adds a job with a tag by which it can be taken back. `taken_back` is called when this happens.
  void add(const void* tag, std::function<void()> run, std::function<void()> taken_back);
  /// Takes back all jobs with this tag that have not run. Returns their number.
  int take_back(const void* tag);

  /// Called before an operation on the disk; waits for the caller's turn. `appends_to_log` ends `until_it_appends`.
  void await_turn(bool appends_to_log);

 private:
  struct job {
    const void* tag;
    bool is_callers;
    std::function<void()> run;
    std::function<void()> taken_back;
  };

  void work();
  [[nodiscard]] bool may_work() const {
    return is_inside_ && how_ != waiting::no && !jobs_.empty() && jobs_.front().is_callers;
  }

  std::mutex guard_;
  std::condition_variable changed_;
  std::deque<job> jobs_;
  std::thread::id caller_;
  waiting how_ = waiting::no;
  bool is_inside_ = false;
  /// Whether the worker is running a job.
  bool works_ = false;
  bool ending_ = false;
  /// The worker's thread, started with the first job that a call waits for.
  std::thread worker_;
};

}  // namespace hypermesh::testing
