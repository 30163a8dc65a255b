#pragma once

#include <condition_variable>
#include <mutex>

namespace hypermesh::testing {

/// Holds the threads that call `pass` while it is closed. Its destructor opens it, so that no thread waits for ever.
class gate {
 public:
  explicit gate(bool is_open = true) : is_open_(is_open) {}
  ~gate() { set(true); }
  gate(const gate&) = delete;
  gate& operator=(const gate&) = delete;

  void set(bool is_open) {
    const std::scoped_lock lock{guard_};
    is_open_ = is_open;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock{guard_};
    changed_.wait(lock, [this] { return is_open_; });
  }

 private:
  std::mutex guard_;
  std::condition_variable changed_;
  bool is_open_;
};

}  // namespace hypermesh::testing
