#include "runtime/state_machines/authenticated_map.hpp"

#include <algorithm>
#include <bit>

#include "messages/digest.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines {

namespace {

static_assert(authenticated_map::leaf_bytes_default <= packed_leaf::leaf_bytes_limit);

/// Frozen states that may wait for `finish`, each with its list of changes. One thread freezes and another one
/// finishes; more of them mean that the other one does not keep up, so the freezing thread waits for it.
constexpr unsigned unfinished_max = 8;

/// A list of changes that is shorter than this is not searched for repetitions.
constexpr std::size_t changed_bound_min = 1'024;

}  // namespace

authenticated_map::authenticated_map(std::size_t leaf_bytes_max, map_keys keys)
    : leaf_bytes_max_(leaf_bytes_max), keys_(keys), changed_bound_(changed_bound_min) {
  require(leaf_bytes_max >= 1 && leaf_bytes_max <= packed_leaf::leaf_bytes_limit, "a leaf has 1 … 65,536 bytes");
}

// --- Finding -----------------------------------------------------------------

authenticated_map::leaf_position authenticated_map::leaf_of(key_place place, byte_span key) const {
  auto behind = leaves_.first_behind(place.order);
  if (behind == leaves_.begin()) return {behind, false};
  const auto before = leaves_.previous(behind);
  const auto& region = leaves_.at(before).region();
  if (!region.covers(place)) return {behind, false};
  if (region.depth < leaf_region::depth_max) return {before, true};
  // Each key of this place has a leaf of its own, in ascending order.
  while (behind != leaves_.begin()) {
    const auto number = leaves_.previous(behind);
    if (leaves_.start_of(number) != place.order) break;
    const auto other = as_text(leaves_.at(number).at(0).key);
    if (other == as_text(key)) return {number, true};
    if (other < as_text(key)) break;
    behind = number;
  }
  return {behind, false};
}

std::optional<byte_span> authenticated_map::find_at(key_place place, byte_span key) const {
  const auto where = leaf_of(place, key);
  if (!where.is_covered) return std::nullopt;
  const auto& leaf = leaves_.at(where.number);
  const auto found = leaf.search(place, key);
  if (!found.is_present) return std::nullopt;
  return leaf.at(found.number).value;
}

void authenticated_map::for_each(const std::function<void(byte_span key, byte_span value)>& visit) const {
  for (auto each = leaves_.begin(); each != leaves_.end(); each = leaves_.next(each)) {
    const auto& leaf = leaves_.at(each);
    for (std::size_t number = 0; number < leaf.count(); ++number) {
      const auto [key, value] = leaf.at(number);
      visit(key, value);
    }
  }
}

void authenticated_map::for_each_after(byte_span after, byte_span prefix,
                                       const std::function<bool(byte_span key, byte_span value)>& visit) const {
  // The keys of a prefix have the first octet of their places in common.
  const auto begin = prefix.empty() ? std::uint64_t{0} : std::to_integer<std::uint64_t>(prefix.front()) << 56U;
  const auto last = prefix.empty() ? ~std::uint64_t{0} : begin | (~std::uint64_t{0} >> 8U);
  const auto place = after.empty() ? key_place{} : place_of(after);
  const auto is_behind = [&](byte_span key) {
    if (after.empty()) return true;
    const auto other = place_of(key);
    return other > place || (other == place && as_text(key) > as_text(after));
  };
  const auto from = std::max(begin, place.order);
  auto each = leaves_.first_from(from);
  // The place may be inside the leaf before.
  if (each != leaves_.begin() && leaves_.at(leaves_.previous(each)).region().covers({from})) {
    each = leaves_.previous(each);
  }
  bool is_passed = false;
  for (; each != leaves_.end() && leaves_.start_of(each) <= last; each = leaves_.next(each)) {
    const auto& leaf = leaves_.at(each);
    const bool has_place = !after.empty() && leaf.region().covers(place);
    auto index = has_place ? leaf.search(place, after).number : std::size_t{0};
    for (; index < leaf.count(); ++index) {
      const auto [key, value] = leaf.at(index);
      is_passed = is_passed || is_behind(key);
      if (!is_passed || !as_text(key).starts_with(as_text(prefix))) continue;
      if (!visit(key, value)) return;
    }
  }
}

// --- Changing ----------------------------------------------------------------

void authenticated_map::note_change(std::uint64_t start) {
  changed_.push_back(start);
  if (changed_.size() < changed_bound_) return;
  std::ranges::sort(changed_);
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  changed_bound_ = std::max(changed_bound_min, 2 * changed_.size());
}

packed_leaf& authenticated_map::open_leaf(leaf_directory::position number) {
  auto& leaf = leaves_.at(number);
  if (leaf.is_sealed()) {
    leaf.open();
    note_change(leaf.region().start);
  }
  return leaf;
}

leaf_directory::position authenticated_map::insert_leaf(leaf_directory::position before, leaf_ptr leaf) {
  note_change(leaf->region().start);
  return leaves_.insert(before, std::move(leaf));
}

leaf_directory::position authenticated_map::remove_leaf(leaf_directory::position number) {
  note_change(leaves_.start_of(number));
  return leaves_.erase(number);
}

authenticated_map::leaf_ptr authenticated_map::new_leaf(leaf_region region) const {
  return std::make_unique<packed_leaf>(leaf_bytes_max_, region, keys_ == map_keys::kept);
}

/// The largest region around an uncovered place that has no entries. The region that is one bit shorter has entries in
/// several leaves or in one that does not cover the place, so it does not fit.
leaf_region authenticated_map::free_region(key_place place) const {
  const auto behind = leaves_.first_behind(place.order);
  unsigned depth = 0;
  const auto keep_apart = [&](const leaf_region& other) {
    // Leaves of single keys at this place get one more of them.
    depth = std::max(depth, other.start == place.order
                                ? leaf_region::depth_max
                                : static_cast<unsigned>(std::countl_zero(other.start ^ place.order)) + 1);
  };
  if (behind != leaves_.begin()) keep_apart(leaves_.at(leaves_.previous(behind)).region());
  if (behind != leaves_.end()) keep_apart(leaves_.at(behind).region());
  if (depth == 0) return {0, 0};
  const auto mask = depth >= 64 ? std::uint64_t{0} : ~std::uint64_t{0} >> depth;
  return {place.order & ~mask, depth};
}

byte_span authenticated_map::put_at(key_place place, byte_span key, byte_span value) {
  require(!key.empty() && key.size() <= key_bytes_max, "a key has 1 … 1,024 bytes");
  require(value.size() <= value_bytes_max, "a value fits into a chunk");
  const auto where = leaf_of(place, key);
  const auto found = where.is_covered ? leaves_.at(where.number).search(place, key) : packed_leaf::position{};
  if (!found.is_present) {
    root_.reset();
    ++size_;
    content_bytes_ += key.size() + value.size();
    return add(place, {key, value}, nullptr);
  }
  const auto present = leaves_.at(where.number).at(found.number);
  // A value that is written again changes no chunk.
  if (as_text(present.value) == as_text(value)) return present.key;
  root_.reset();
  const auto bytes_before = present.value.size();
  content_bytes_ = content_bytes_ - bytes_before + value.size();
  auto& leaf = open_leaf(where.number);
  const bool fits = leaf.count() == 1 || leaf.size() - bytes_before + value.size() <= leaf_bytes_max_;
  if (!fits) {
    auto kept = leaf.erase(found.number);
    return add(place, {key, value}, std::move(kept));
  }
  leaf.set_value(found.number, value);
  if (value.size() >= bytes_before) return leaf.at(found.number).key;
  // The region around may fit from now on, and the leaf may be moved.
  join_around(leaf.region());
  const auto now = leaf_of(place, key);
  const auto& holder = leaves_.at(now.number);
  return holder.at(holder.search(place, key).number).key;
}

byte_span authenticated_map::add(key_place place, const packed_leaf::entry& added, key_memory kept) {
  for (;;) {
    const auto where = leaf_of(place, added.key);
    if (!where.is_covered) {
      auto leaf = new_leaf(free_region(place));
      leaf->insert(0, place, added, std::move(kept));
      const auto key = leaf->at(0).key;
      insert_leaf(where.number, std::move(leaf));
      return key;
    }
    auto& leaf = open_leaf(where.number);
    if (leaf.size() + packed_leaf::entry_bytes(added.key, added.value) <= leaf_bytes_max_) {
      const auto number = leaf.search(place, added.key).number;
      leaf.insert(number, place, added, std::move(kept));
      return leaf.at(number).key;
    }
    split(where.number);
  }
}

/// Replaces a leaf by the leaves of the two halves of its region, or by leaves of single keys.
void authenticated_map::split(leaf_directory::position number) {
  auto& leaf = open_leaf(number);
  const auto region = leaf.region();
  require(region.depth < leaf_region::depth_max, "a single key is not split");
  if (region.depth == 64) {
    auto behind = number;
    while (leaf.count() > 1) {
      // The first key goes in front, so the leaf itself keeps the last one.
      auto made = new_leaf({region.start, leaf_region::depth_max});
      made->append(leaf, 0, 1);
      (void)leaf.erase(0);
      behind = leaves_.next(insert_leaf(behind, std::move(made)));
    }
    leaf.move_to({region.start, leaf_region::depth_max});
    return;
  }
  const auto middle = region.start | (std::uint64_t{1} << (63U - region.depth));
  std::size_t first = 0;
  for (auto left = leaf.count(); left > 0;) {
    const auto half = left / 2;
    const bool is_lower = place_of(leaf.at(first + half).key).order < middle;
    left = is_lower ? left - half - 1 : half;
    if (is_lower) first += half + 1;
  }
  const leaf_region lower{region.start, region.depth + 1};
  const leaf_region upper{middle, region.depth + 1};
  if (first == leaf.count()) return leaf.move_to(lower);
  auto above = new_leaf(upper);
  above->append(leaf, first, leaf.count());
  if (first == 0) {
    (void)insert_leaf(remove_leaf(number), std::move(above));
    return;
  }
  auto below = new_leaf(lower);
  below->append(leaf, 0, first);
  leaves_.replace(number, std::move(below));
  (void)insert_leaf(leaves_.next(number), std::move(above));
}

bool authenticated_map::erase_at(key_place place, byte_span key) {
  const auto where = leaf_of(place, key);
  if (!where.is_covered) return false;
  const auto found = leaves_.at(where.number).search(place, key);
  if (!found.is_present) return false;
  root_.reset();
  auto& leaf = open_leaf(where.number);
  const auto [stored_key, value] = leaf.at(found.number);
  content_bytes_ -= stored_key.size() + value.size();
  --size_;
  const auto region = leaf.region();
  (void)leaf.erase(found.number);
  if (leaf.count() == 0) (void)remove_leaf(where.number);
  join_around(region);
  return true;
}

authenticated_map::region_content authenticated_map::content_of(const leaf_region& region) const {
  region_content found;
  found.first = leaves_.first_from(region.start);
  auto bytes = packed_leaf::header_bytes;
  std::size_t entries = 0;
  for (auto each = found.first; each != leaves_.end() && leaves_.start_of(each) <= region.last();
       each = leaves_.next(each)) {
    const auto& leaf = leaves_.at(each);
    bytes += leaf.entry_bytes();
    entries += leaf.count();
    ++found.leaves;
    // The leaves of a region that does not fit are not all read: two or three of them are enough.
    if (bytes > leaf_bytes_max_ && entries > 1) return found;
  }
  found.fits = true;
  return found;
}

/// Replaces the leaves of the largest region around `region` that fits by one leaf.
void authenticated_map::join_around(leaf_region region) {
  region_content joined;
  leaf_region widest = region;
  while (region.depth > 0) {
    region = region.parent();
    const auto found = content_of(region);
    if (!found.fits) break;
    joined = found;
    widest = region;
  }
  if (joined.leaves == 0) return;
  auto made = new_leaf(widest);
  auto behind = joined.first;
  for (std::size_t number = 0; number < joined.leaves; ++number) {
    auto& leaf = leaves_.at(behind);
    made->append(leaf, 0, leaf.count());
    behind = remove_leaf(behind);
  }
  (void)insert_leaf(behind, std::move(made));
}

// --- Snapshots ---------------------------------------------------------------

std::shared_ptr<frozen_map> authenticated_map::freeze() {
  if (changed_.empty()) {
    if (frozen_ == nullptr) frozen_ = std::make_shared<frozen_map>(frozen_map::content{});
    return frozen_;
  }
  std::ranges::sort(changed_);
  changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
  std::vector<frozen_map::change> changes;
  changes.reserve(changed_.size());
  for (const auto start : changed_) {
    auto each = leaves_.first_from(start);
    if (each == leaves_.end() || leaves_.start_of(each) != start) changes.push_back({start, nullptr});
    for (; each != leaves_.end() && leaves_.start_of(each) == start; each = leaves_.next(each))
      changes.push_back({start, leaves_.at(each).seal()});
  }
  changed_.clear();
  changed_bound_ = changed_bound_min;
  unfinished_ = frozen_ != nullptr && !frozen_->is_finished() ? unfinished_ + 1 : 0;
  if (unfinished_ > unfinished_max) (void)frozen_->finish();
  frozen_ = std::make_shared<frozen_map>(std::move(frozen_), std::move(changes));
  return frozen_;
}

state_snapshot authenticated_map::snapshot() { return freeze()->finish(); }

digest authenticated_map::root() {
  if (root_) return *root_;
  const auto frozen = freeze();
  const auto& chunks = frozen->finish();
  std::vector<digest> leaves;
  leaves.reserve(chunks.size());
  for (const auto& chunk : chunks)
    leaves.push_back(chunk.leaf);
  root_ = tree_.update(leaves);
  return *root_;
}

std::uint64_t authenticated_map::overhead_bytes() const {
  std::uint64_t total = changed_.capacity() * sizeof(std::uint64_t) + leaves_.overhead_bytes();
  for (auto each = leaves_.begin(); each != leaves_.end(); each = leaves_.next(each))
    total += leaves_.at(each).overhead_bytes();
  return total;
}

}  // namespace hypermesh::machines
