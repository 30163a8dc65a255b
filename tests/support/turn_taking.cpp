#include "tests/support/turn_taking.hpp"

#include <chrono>
#include <utility>

#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

/// The longest wait for a turn. A caller that waits unexpectedly continues after this time, and so does a caller that
/// never gets its turn because it holds a resource that the job needs. In this case runs with equal seeds may differ,
/// but they end.
constexpr std::chrono::seconds patience{2};

}  // namespace

turn_taking::~turn_taking() {
  {
    const std::scoped_lock lock{guard_};
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

void turn_taking::begin(waiting how) {
  const std::scoped_lock lock{guard_};
  require(!is_inside_, "one call at a time");
  is_inside_ = true;
  caller_ = std::this_thread::get_id();
  how_ = how;
}

void turn_taking::end() {
  std::unique_lock lock{guard_};
  require(is_inside_, "a call ends once");
  how_ = waiting::no;
  changed_.wait(lock, [this] { return !works_; });
  while (!jobs_.empty()) {
    const auto next = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    next.run();
    lock.lock();
  }
  is_inside_ = false;
}

void turn_taking::add(const void* tag, std::function<void()> run, std::function<void()> taken_back) {
  const std::scoped_lock lock{guard_};
  jobs_.push_back({tag, std::this_thread::get_id() == caller_, std::move(run), std::move(taken_back)});
  if (!worker_.joinable()) worker_ = std::thread{[this] { work(); }};
  changed_.notify_all();
}

int turn_taking::take_back(const void* tag) {
  std::deque<job> taken;
  {
    const std::scoped_lock lock{guard_};
    std::deque<job> kept;
    for (auto& each : jobs_)
      (each.tag == tag ? taken : kept).push_back(std::move(each));
    jobs_ = std::move(kept);
  }
  for (const auto& each : taken)
    each.taken_back();
  return static_cast<int>(taken.size());
}

void turn_taking::await_turn(bool appends_to_log) {
  std::unique_lock lock{guard_};
  if (!is_inside_ || caller_ != std::this_thread::get_id()) return;
  if (appends_to_log && how_ == waiting::until_it_appends) how_ = waiting::no;
  changed_.wait_for(lock, patience, [this] { return !works_; });
}

void turn_taking::work() {
  std::unique_lock lock{guard_};
  while (!ending_) {
    changed_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    changed_.wait_for(lock, patience, [this] { return ending_ || jobs_.empty() || may_work(); });
    if (ending_ || jobs_.empty()) continue;
    const auto next = std::move(jobs_.front());
    jobs_.pop_front();
    works_ = true;
    lock.unlock();
    next.run();
    lock.lock();
    works_ = false;
    changed_.notify_all();
  }
}

}  // namespace hypermesh::testing
