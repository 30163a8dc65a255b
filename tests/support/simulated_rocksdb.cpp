#include "tests/support/simulated_rocksdb.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "messages/require.hpp"

namespace hypermesh::testing {

namespace {

const node_directory home{"/node"};

/// The least number of bytes that a change writes in addition to its content. A write can be torn within them.
constexpr std::size_t change_bytes = 100;
constexpr std::size_t record_bytes = 64;
/// The size of tables, manifests and the log of a kept state.
constexpr std::size_t state_bytes = 4'000;

constexpr duration sync_period = wal_syncer::period;

using record_key = std::tuple<record_kind, std::uint64_t, std::uint64_t, byte_vector>;

record_key key_of(const storage_record& record) {
  return {record.kind, record.sequence.value, record.view.value, *record.bytes};
}

std::map<record_key, int> counted(const std::vector<storage_record>& records) {
  std::map<record_key, int> counts;
  for (const auto& each : records)
    ++counts[key_of(each)];
  return counts;
}

bool is_same_state(const std::optional<stored_state>& one, const std::optional<stored_state>& other) {
  if (!one || !other) return one.has_value() == other.has_value();
  return one->sequence == other->sequence &&
         std::ranges::equal(one->snapshot, other->snapshot, {}, &state_chunk::leaf, &state_chunk::leaf);
}

/// Returns how `found` differs from the model. Forgotten records may be present, because forgetting is not synced.
std::string difference(const stored_history& found, simulated_storage& model) {
  const auto read = model.read();
  const auto& expected = *read;
  if (!is_same_state(found.state, expected.state)) return "another state than was kept";
  auto counts = counted(found.records);
  for (const auto& each : expected.records) {
    if (--counts[key_of(each)] < 0) {
      return fmt::format("lacks a record of kind {} for sequence {}", static_cast<unsigned>(each.kind),
                         each.sequence.value);
    }
  }
  for (const auto& [key, count] : counts) {
    const auto& [kind, sequence, view, bytes] = key;
    const bool was_forgotten = !is_replaced(kind) && sequence_number{sequence} <= model.forgotten_through();
    if (count > 0 && !was_forgotten) {
      return fmt::format("has a record of kind {} for sequence {} that was not written or was replaced",
                         static_cast<unsigned>(kind), sequence);
    }
  }
  return {};
}

/// A call into the database. The destructor ends the call even after an exception.
class database_call {
 public:
  database_call(turn_taking& turns, turn_taking::waiting how) : turns_(turns) { turns_.begin(how); }
  ~database_call() { turns_.end(); }
  database_call(const database_call&) = delete;
  database_call& operator=(const database_call&) = delete;

 private:
  turn_taking& turns_;
};

}  // namespace

simulated_rocksdb::simulated_rocksdb(rocksdb_disk_settings settings, std::unique_ptr<simulated_disk> disk)
    : settings_(std::move(settings)),
      disk_(std::move(disk)),
      environment_(std::make_shared<simulated_environment>(*disk_)) {
  require(settings_.mode != durability::memory, "mode memory has no files");
}

simulated_rocksdb::simulated_rocksdb(rocksdb_disk_settings settings)
    : simulated_rocksdb(settings, std::make_unique<simulated_disk>(settings.seed)) {}

simulated_rocksdb::~simulated_rocksdb() { on_killed(false); }

// --- Opening and closing -----------------------------------------------------------

or_error<stored_history> simulated_rocksdb::open() {
  const database_call call{environment_->turns(), turn_taking::waiting::no};
  auto opened = origin_ ? rocksdb_storage::open(home, directory_lock::none(), settings_.mode, *origin_, environment_)
                        : rocksdb_storage::create(home, directory_lock::none(), settings_.mode, environment_);
  if (!opened) return failure_of(opened);
  storage_ = std::move(*opened);
  origin_ = storage_->origin();
  return storage_->read();
}

or_error<stored_history> simulated_rocksdb::read() {
  require(storage_ == nullptr, "a storage is opened once");
  auto found = open();
  was_refused_ = !found;
  if (was_refused_) {
    on_killed(false);
    return found;
  }
  const auto& history = *found;
  if (auto done = check(history); !done) {
    on_killed(false);
    return failure_of(done);
  }
  begin_model(history);
  return found;
}

void simulated_rocksdb::on_killed(bool power_lost) {
  disk_->kill();
  close();
  disk_->revive();
  if (power_lost) disk_->lose_power();
}

void simulated_rocksdb::close() {
  if (storage_ == nullptr) return;
  const database_call call{environment_->turns(), turn_taking::waiting::always};
  storage_.reset();
}

std::size_t simulated_rocksdb::lose_lies() {
  const auto lost = disk_->lose_delayed_syncs();
  has_lied_ = has_lied_ || lost > 0;
  return lost;
}

bool simulated_rocksdb::damage(std::uint64_t seed) {
  require(storage_ == nullptr, "nobody has the disk open");
  const bool done = disk_->damage(seed);
  is_damaged_ = is_damaged_ || done;
  return done;
}

std::shared_ptr<inspected_storage> simulated_rocksdb::copy() const {
  auto settings = settings_;
  settings.seed = splitmix64{settings.seed}.next();
  auto files = disk_->copy(settings.seed);
  std::shared_ptr<simulated_rocksdb> same{new simulated_rocksdb{std::move(settings), std::move(files)}};
  same->model_ = std::static_pointer_cast<simulated_storage>(model_->copy());
  same->pending_ = pending_;
  same->origin_ = origin_;
  same->has_lied_ = has_lied_;
  same->is_damaged_ = is_damaged_;
  return same;
}

// --- The model ---------------------------------------------------------------------

or_error<void> simulated_rocksdb::check(const stored_history& found) const {
  if (has_lied_) return {};
  const auto acknowledged = difference(found, *model_);
  if (acknowledged.empty()) return {};
  if (pending_) {
    const auto with_pending = std::static_pointer_cast<simulated_storage>(model_->copy());
    if (pending_(*with_pending) && difference(found, *with_pending).empty()) return {};
  }
  return tl::unexpected(world_error{"what RocksDB gives is not what it had acknowledged: it " + acknowledged, ""});
}

void simulated_rocksdb::begin_model(const stored_history& found) {
  const auto forgotten = model_->forgotten_through();
  model_ = std::make_shared<simulated_storage>();
  pending_ = nullptr;
  has_lied_ = false;
  const auto expect_done = [](const or_error<void>& done) { require(done.has_value(), "a model writes what it gets"); };
  if (found.state) {
    std::vector<digest> leaves;
    for (const auto& chunk : found.state->snapshot)
      leaves.push_back(chunk.leaf);
    expect_done(model_->store_chunks(found.state->snapshot));
    expect_done(model_->keep_state(found.state->sequence, leaves));
  }
  expect_done(model_->write(found.records));
  expect_done(model_->forget_through(forgotten));
}

// --- Changes -----------------------------------------------------------------------

void simulated_rocksdb::sync_if_due() {
  const auto now = settings_.clock ? settings_.clock() : synced_at_ + sync_period;
  if (settings_.mode != durability::async || now < synced_at_ + sync_period) return;
  synced_at_ = now;
  storage_->sync_log();
}

or_error<void> simulated_rocksdb::change(std::size_t bytes, turn_taking::waiting how, operation what) {
  require(storage_ != nullptr, "a storage is read before anything else");
  const auto durable = on_write_ ? std::min(on_write_(bytes), bytes) : bytes;
  // An interrupted change leaves its first bytes on the disk, or none.
  if (durable < bytes) disk_->kill_after(durable);
  auto done = [&] {
    const database_call call{environment_->turns(), how};
    sync_if_due();
    return what(*storage_);
  }();
  if (durable < bytes) disk_->kill();
  if (done && durable < bytes) done = tl::unexpected(world_error{"the node crashed in a write", ""});
  if (!done) {
    pending_ = std::move(what);
    return done;
  }
  return what(*model_);
}

or_error<void> simulated_rocksdb::write(std::span<const storage_record> records) {
  auto bytes = change_bytes;
  for (const auto& each : records)
    bytes += record_bytes + each.bytes->size();
  return change(bytes, turn_taking::waiting::no,
                [kept = std::vector<storage_record>{records.begin(), records.end()}](stable_storage& storage) {
                  return storage.write(kept);
                });
}

or_error<void> simulated_rocksdb::forget_through(sequence_number last) {
  return change(change_bytes, turn_taking::waiting::no,
                [last](stable_storage& storage) { return storage.forget_through(last); });
}

or_error<void> simulated_rocksdb::store_chunks(std::span<const state_chunk> chunks) {
  return change(change_bytes, turn_taking::waiting::no,
                [kept = state_snapshot{chunks.begin(), chunks.end()}](stable_storage& storage) {
                  return storage.store_chunks(kept);
                });
}

or_error<void> simulated_rocksdb::keep_state(sequence_number sequence, std::span<const digest> leaves) {
  return change(state_bytes, turn_taking::waiting::until_it_appends,
                [sequence, kept = std::vector<digest>{leaves.begin(), leaves.end()}](stable_storage& storage) {
                  return storage.keep_state(sequence, kept);
                });
}

}  // namespace hypermesh::testing
