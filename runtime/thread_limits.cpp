#include "runtime/thread_limits.hpp"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstring>
#include <thread>
#include <vector>

#include <fmt/format.h>

namespace hypermesh::runtime {

namespace {

/// Counts CAF's workers, its clock and the multiplexer of the links.
std::size_t threads_of_actor_system() { return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 2, 4) + 2; }

/// Counts the journal, the auditor, RocksDB's background threads and the thread that syncs its log.
constexpr std::size_t threads_of_storage = 6;

/// Counts the HTTP server's thread, the thread that closes its late connections, the sampler, and the threads that
/// examine the disks of data and audit trail.
constexpr std::size_t threads_of_http = 5;

/// Threads that wait until the trial is over. Each thread has a stack of 64 KiB.
class trial_threads {
 public:
  trial_threads() { pthread_mutex_lock(&gate_); }
  ~trial_threads() {
    pthread_mutex_unlock(&gate_);
    for (const auto each : threads_)
      pthread_join(each, nullptr);
    pthread_mutex_destroy(&gate_);
  }
  trial_threads(const trial_threads&) = delete;
  trial_threads& operator=(const trial_threads&) = delete;

  [[nodiscard]] std::size_t count() const { return threads_.size(); }

  /// Starts one more thread. Returns the system's error number, or 0 for success.
  [[nodiscard]] int add() {
    constexpr std::size_t stack_bytes = 64UL * 1024;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread{};
    const int failed = pthread_create(&thread, &attributes, wait_at, &gate_);
    pthread_attr_destroy(&attributes);
    if (failed == 0) threads_.push_back(thread);
    return failed;
  }

 private:
  static void* wait_at(void* gate) {
    auto* const mutex = static_cast<pthread_mutex_t*>(gate);
    pthread_mutex_lock(mutex);
    pthread_mutex_unlock(mutex);
    return nullptr;
  }

  pthread_mutex_t gate_ = PTHREAD_MUTEX_INITIALIZER;
  std::vector<pthread_t> threads_;
};

/// The limit on this user's processes and threads, as `ulimit -u` shows it.
std::optional<rlim_t> user_limit() {
  rlimit processes{};
  if (::getrlimit(RLIMIT_NPROC, &processes) != 0 || processes.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return processes.rlim_cur;
}

}  // namespace

std::size_t threads_of_client(std::size_t names) { return threads_of_actor_system() + names; }

std::size_t threads_of_node(std::size_t names) { return threads_of_actor_system() + threads_of_hosted_node(names); }

std::size_t threads_of_hosted_node(std::size_t names) { return threads_of_storage + threads_of_http + names; }

or_error<void> check_threads(std::size_t threads) {
  trial_threads trial;
  while (trial.count() < threads) {
    const int failed = trial.add();
    if (failed == 0) continue;
    const auto limit = user_limit();
    return tl::unexpected(world_error{
        fmt::format("this process needs {} more threads, but the system allows {}: {}{}", threads, trial.count(),
                    std::strerror(failed), limit ? fmt::format(" (ulimit -u is {})", *limit) : ""),
        fmt::format("raise the limit of this user's processes and threads by {} or more (ulimit -u; of a systemd unit "
                    "TasksMax; in a container pids.max), or end other processes",
                    threads - trial.count())});
  }
  return {};
}

}  // namespace hypermesh::runtime
