#include "tests/support/simulated_disk.hpp"

#include <algorithm>
#include <cstring>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace hypermesh::testing {

std::unique_ptr<simulated_disk> simulated_disk::copy(std::uint64_t seed) const {
  const std::scoped_lock lock{guard_};
  auto same = std::make_unique<simulated_disk>(seed);
  for (const auto& [path, what] : files_) {
    same->files_[path] = std::make_shared<content>(*what);
    // The copied bytes are all on the new disk, so its files count as synced.
    same->files_[path]->synced = what->bytes.size();
    same->files_[path]->overwritten.clear();
  }
  return same;
}

// --- What a program does -----------------------------------------------------------

disk_outcome simulated_disk::begin(std::size_t bytes, std::size_t& allowed) {
  allowed = 0;
  if (killed_) return disk_outcome::failed;
  allowed = bytes;
  if (left_ != never) {
    allowed = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes));
    left_ -= allowed;
    killed_ = left_ == 0;
    // If this change exactly uses up the bytes that may be written, the change itself still succeeds.
    if (killed_ && (allowed < bytes || bytes == 0)) return disk_outcome::failed;
  }
  if (bytes == 0) return disk_outcome::done;
  if (trouble_ == disk_trouble::write_errors) return allowed = 0, disk_outcome::failed;
  if (trouble_ == disk_trouble::full) {
    allowed = static_cast<std::size_t>(chance_.below(bytes));
    return disk_outcome::no_space;
  }
  return disk_outcome::done;
}

void simulated_disk::put_name(undo& steps, const std::string& path, file what) {
  auto& place = files_[path];
  steps.emplace_back(path, place);
  place = std::move(what);
  if (place == nullptr) files_.erase(path);
}

disk_outcome simulated_disk::create(const std::string& path, file& out) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  out = std::make_shared<content>();
  undo steps;
  put_name(steps, path, out);
  change_names(std::move(steps));
  return disk_outcome::done;
}

disk_outcome simulated_disk::open(const std::string& path, file& out) const {
  const std::scoped_lock lock{guard_};
  if (killed_) return disk_outcome::failed;
  const auto found = files_.find(path);
  if (found == files_.end()) return disk_outcome::missing;
  out = found->second;
  return disk_outcome::done;
}

disk_outcome simulated_disk::append(content& into, std::string_view bytes) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  const auto begun = begin(bytes.size(), allowed);
  into.bytes += bytes.substr(0, allowed);
  return begun;
}

disk_outcome simulated_disk::overwrite(content& into, std::size_t at, std::string_view bytes) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  const auto begun = begin(bytes.size(), allowed);
  // A sector is written completely or not at all.
  if (begun != disk_outcome::done) return begun;
  ++changes_;
  for (auto start = at - at % sector_bytes; start < std::min(at + bytes.size(), into.synced); start += sector_bytes) {
    auto& old = into.overwritten[start];
    if (old.change == 0) old.bytes = into.bytes.substr(start, sector_bytes);
    old.change = changes_;
  }
  if (into.bytes.size() < at + bytes.size()) into.bytes.resize(at + bytes.size());
  std::copy(bytes.begin(), bytes.end(), into.bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return disk_outcome::done;
}

disk_outcome simulated_disk::truncate(content& into, std::size_t size) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  into.bytes.resize(size);
  into.synced = std::min(into.synced, size);
  into.overwritten.erase(into.overwritten.lower_bound(size), into.overwritten.end());
  return disk_outcome::done;
}

void simulated_disk::become_durable(std::function<void()> what) {
  delayed_.push_back(std::move(what));
  while (delayed_.size() > delayed_max_) {
    delayed_.front()();
    delayed_.pop_front();
  }
}

disk_outcome simulated_disk::sync(const file& synced) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  if (trouble_ == disk_trouble::sync_errors) return disk_outcome::failed;
  become_durable([synced, size = synced->bytes.size(), change = changes_] {
    synced->synced = std::max(synced->synced, std::min(size, synced->bytes.size()));
    std::erase_if(synced->overwritten, [&](const auto& each) { return each.second.change <= change; });
  });
  return disk_outcome::done;
}

disk_outcome simulated_disk::rename(const std::string& from, const std::string& to) {
  return name_anew(from, to, true);
}

disk_outcome simulated_disk::link(const std::string& from, const std::string& to) { return name_anew(from, to, false); }

/// Gives the file `from` the name `to`. With `moved`, the old name is removed.
disk_outcome simulated_disk::name_anew(const std::string& from, const std::string& to, bool moved) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  const auto found = files_.find(from);
  if (found == files_.end()) return disk_outcome::missing;
  undo steps;
  put_name(steps, to, found->second);
  if (moved) put_name(steps, from, nullptr);
  change_names(std::move(steps));
  return disk_outcome::done;
}

disk_outcome simulated_disk::remove(const std::string& path) {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  if (!files_.contains(path)) return disk_outcome::missing;
  undo steps;
  put_name(steps, path, nullptr);
  change_names(std::move(steps));
  return disk_outcome::done;
}

disk_outcome simulated_disk::sync_names() {
  const std::scoped_lock lock{guard_};
  std::size_t allowed = 0;
  if (const auto begun = begin(0, allowed); begun != disk_outcome::done) return begun;
  if (trouble_ == disk_trouble::sync_errors) return disk_outcome::failed;
  become_durable([this, through = synced_names_ + unsynced_names_.size()] {
    for (; synced_names_ < through; ++synced_names_)
      unsynced_names_.pop_front();
  });
  return disk_outcome::done;
}

disk_outcome simulated_disk::read(const content& from, std::size_t at, std::size_t size, char* out,
                                  std::size_t& count) const {
  const std::scoped_lock lock{guard_};
  if (killed_) return disk_outcome::failed;
  count = at < from.bytes.size() ? std::min(size, from.bytes.size() - at) : 0;
  if (count > 0) std::memcpy(out, from.bytes.data() + at, count);
  return disk_outcome::done;
}

disk_outcome simulated_disk::size_of(const std::string& path, std::uint64_t& out) const {
  file found;
  const auto opened = open(path, found);
  if (opened == disk_outcome::done) out = found->bytes.size();
  return opened;
}

std::vector<std::string> simulated_disk::list(const std::string& folder) const {
  const std::scoped_lock lock{guard_};
  const auto start = folder + "/";
  std::set<std::string> found;
  for (auto each = files_.lower_bound(start); each != files_.end() && each->first.starts_with(start); ++each) {
    const auto rest = each->first.substr(start.size());
    found.insert(rest.substr(0, rest.find('/')));
  }
  return {found.begin(), found.end()};
}

bool simulated_disk::exists(const std::string& path) const {
  const std::scoped_lock lock{guard_};
  return files_.contains(path);
}

// --- What happens to it ------------------------------------------------------------

void simulated_disk::kill_after(std::uint64_t bytes) {
  const std::scoped_lock lock{guard_};
  left_ = bytes;
  killed_ = bytes == 0;
}

bool simulated_disk::is_killed() const {
  const std::scoped_lock lock{guard_};
  return killed_;
}

void simulated_disk::revive() {
  const std::scoped_lock lock{guard_};
  left_ = never;
  killed_ = false;
}

void simulated_disk::lose_power(content& of) {
  if (of.bytes.size() > of.synced) {
    of.bytes.resize(of.synced + static_cast<std::size_t>(chance_.below(of.bytes.size() - of.synced + 1)));
  }
  for (const auto& [at, old] : of.overwritten) {
    if (chance_.below(2) == 0)
      of.bytes.replace(at, std::min(old.bytes.size(), of.bytes.size() - at), old.bytes, 0, of.bytes.size() - at);
  }
  of.overwritten.clear();
  of.synced = of.bytes.size();
}

void simulated_disk::lose_power() {
  const std::scoped_lock lock{guard_};
  lost_syncs_ += delayed_.size();
  delayed_.clear();
  const auto kept = chance_.below(unsynced_names_.size() + 1);
  while (unsynced_names_.size() > kept) {
    auto& last = unsynced_names_.back();
    for (auto step = last.rbegin(); step != last.rend(); ++step) {
      if (step->second != nullptr) {
        files_[step->first] = step->second;
      } else {
        files_.erase(step->first);
      }
    }
    unsynced_names_.pop_back();
  }
  synced_names_ += unsynced_names_.size();
  unsynced_names_.clear();
  std::set<content*> seen;
  for (const auto& [path, what] : files_) {
    if (seen.insert(what.get()).second) lose_power(*what);
  }
}

void simulated_disk::set_trouble(disk_trouble trouble) {
  const std::scoped_lock lock{guard_};
  trouble_ = trouble;
}

void simulated_disk::delay_syncs(std::size_t count) {
  const std::scoped_lock lock{guard_};
  delayed_max_ = count;
  while (delayed_.size() > count) {
    delayed_.front()();
    delayed_.pop_front();
  }
}

std::size_t simulated_disk::lose_delayed_syncs() {
  bool has_power = false;
  {
    const std::scoped_lock lock{guard_};
    has_power = !delayed_.empty();
  }
  if (has_power) lose_power();
  return std::exchange(lost_syncs_, 0);
}

bool simulated_disk::damage(std::uint64_t seed) {
  const std::scoped_lock lock{guard_};
  splitmix64 random{seed};
  std::vector<content*> candidates;
  for (const auto& [path, what] : files_) {
    if (!what->bytes.empty()) candidates.push_back(what.get());
  }
  if (candidates.empty()) return false;
  auto& bytes = candidates.at(random.below(candidates.size()))->bytes;
  for (auto count = 1 + random.below(8); count > 0; --count) {
    auto& hit = bytes.at(random.below(bytes.size()));
    hit = static_cast<char>(static_cast<unsigned char>(hit) ^ (1U + random.below(255)));
  }
  return true;
}

std::string simulated_disk::summary() const {
  const std::scoped_lock lock{guard_};
  std::string text;
  for (const auto& [path, what] : files_)
    text += fmt::format("{} {} {}\n", path, what->bytes.size(), what->synced);
  return text;
}

}  // namespace hypermesh::testing
