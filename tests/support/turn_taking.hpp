#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace hypermesh::testing {

/// Makes RocksDB, which needs threads for its background jobs, deterministic: at most one of the caller and the jobs
/// runs at a time, and the sequence of calls alone decides which one.
///
/// The jobs of a call wait until it returns, and then run on the caller's thread, in their order. Only a call that
/// waits for its jobs has them run meanwhile, on another thread that it adds itself; `begin` announces such a call.
/// While one of them runs the caller's operations on the disk wait.
class turn_taking {
 public:
  turn_taking() = default;
  ~turn_taking();
  turn_taking(const turn_taking&) = delete;
  turn_taking& operator=(const turn_taking&) = delete;

  /// Whether a call waits for jobs that come while it runs.
  enum class waiting { no, until_it_appends, always };

  /// The caller's thread enters the database, and leaves it when everything is done.
  void begin(waiting how);
  void end();

  /// A job, with a tag that it can be taken back by; `taken_back` is called when it is.
  void add(const void* tag, std::function<void()> run, std::function<void()> taken_back);
  /// How many jobs of this tag were taken back before they ran.
  int take_back(const void* tag);

  /// An operation on the disk: waits for its turn. `appends_to_log` ends `until_it_appends`.
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
  /// The worker runs a job.
  bool works_ = false;
  bool ending_ = false;
  /// Started with the first job that a call waits for.
  std::thread worker_;
};

}  // namespace hypermesh::testing
