#include "runtime/metrics/disk_watch.hpp"

#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

namespace hypermesh::metrics {

namespace {

constexpr std::chrono::seconds examination_interval{1};

}  // namespace

/// One disk and the thread that examines it.
struct disk_watch::watched {
  const std::filesystem::path directory;
  const examination examine;

  std::mutex guard{};
  std::condition_variable stopping{};
  bool is_over = false;
  std::optional<disk_facts> last{};
  clock::time_point at{};

  [[nodiscard]] std::optional<disk_facts> examined() const {
    try {
      return examine(directory);
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }

  void keep_examining() {
    std::unique_lock lock{guard};
    while (!is_over) {
      lock.unlock();
      const auto facts = examined();
      lock.lock();
      last = facts;
      at = clock::now();
      stopping.wait_for(lock, examination_interval, [this] { return is_over; });
    }
  }
};

disk_watch::disk_watch(const disk_directories& directories, const examination& examine) {
  for (std::size_t index = 0; index < directories.size(); ++index) {
    if (directories[index].empty()) continue;
    const auto disk = std::shared_ptr<watched>{new watched{directories[index], examine}};
    try {
      std::thread{[disk] { disk->keep_examining(); }}.detach();
      disks_[index] = disk;
    } catch (const std::system_error&) {
      // A node works without these facts.
    }
  }
}

disk_watch::~disk_watch() {
  for (const auto& disk : disks_) {
    if (!disk) continue;
    {
      const std::scoped_lock lock{disk->guard};
      disk->is_over = true;
    }
    disk->stopping.notify_all();
  }
}

disk_facts_list disk_watch::facts(clock::time_point now) const {
  disk_facts_list found;
  for (std::size_t index = 0; index < disks_.size(); ++index) {
    if (!disks_[index]) continue;
    const std::scoped_lock lock{disks_[index]->guard};
    if (now - disks_[index]->at <= age_max) found[index] = disks_[index]->last;
  }
  return found;
}

}  // namespace hypermesh::metrics
