#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include <hypermesh/state_machine.hpp>

/// Additions to the port `state_machine`, for machines with a large state: `state_map`, in which a machine keeps its
/// state, and `freezable_state`, which keeps the pauses of execution short.
namespace hypermesh {

/// The state of a machine at one moment. The machine changes meanwhile, but not what it shares with this object.
class frozen_state {
 public:
  virtual ~frozen_state() = default;

  /// What `state_machine::snapshot` would have returned at that moment. Computed by the first call. Called by one
  /// thread at a time, which need not be the thread of the machine.
  [[nodiscard]] virtual const state_snapshot& finish() = 0;
};

/// A machine that derives from this class besides `state_machine` lets another thread hash its chunks at a checkpoint.
/// Execution pauses for `freeze` only. Without it, execution pauses for `state_machine::snapshot`, about 1 ms for each
/// MiB that changed.
class freezable_state {
 public:
  virtual ~freezable_state() = default;

  /// The present state; never null. Called by the thread of the machine. The machine makes a copy of what it changes
  /// afterwards, and should do here only what costs little.
  [[nodiscard]] virtual std::shared_ptr<frozen_state> freeze() = 0;
};

/// A state whose snapshot is known.
class known_state final : public frozen_state {
 public:
  explicit known_state(state_snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  [[nodiscard]] const state_snapshot& finish() override { return snapshot_; }

 private:
  state_snapshot snapshot_;
};

/// The state of a machine as an ordered map of bytes to bytes, which the machines of the product use too. It gives
/// snapshots whose cost is proportional to what changed, and keeps the state in memory once. A machine that derives
/// from `state_machine` and `freezable_state` passes `snapshot`, `freeze`, `root` and `restore` on to it, and keeps
/// nothing outside of it that is not a function of it.
///
/// One thread at a time. Memory: the content, 10 bytes for each entry, and about a tenth for small leaves. The machine
/// must bound `content_bytes` and refuse operations beyond its bound, which is the same at all replicas.
class state_map {
 public:
  static constexpr std::size_t key_bytes_max = 1024;
  static constexpr std::size_t value_bytes_max = limits::state_chunk_bytes_max - key_bytes_max - 64;

  state_map();
  ~state_map();
  state_map(state_map&&) noexcept;
  state_map& operator=(state_map&&) noexcept;

  /// The value of `key`. The span is valid until the next change.
  [[nodiscard]] std::optional<byte_span> find(byte_span key) const;
  /// Sets the value of `key`. Neither may be bytes of this map. Returns false, and changes nothing, if the key is empty
  /// or one of them is too long.
  [[nodiscard]] bool put(byte_span key, byte_span value);
  /// Removes `key`. Returns false if there was no such key.
  bool erase(byte_span key);

  /// The number of entries, and the bytes of all keys and values.
  [[nodiscard]] std::uint64_t size() const;
  [[nodiscard]] std::uint64_t content_bytes() const;

  /// Calls `visit` with the keys that begin with `prefix`, from the key behind `after` on (from the first key if
  /// `after` is empty), until it returns false. The order is the same at all replicas, but not that of the bytes. Keys
  /// with the same first octet follow each other, so a prefix of one octet costs only the keys that begin with it. The
  /// keys that are present throughout are visited once, whatever changes between two calls. `visit` must not change the
  /// map.
  void for_each_after(byte_span after, byte_span prefix,
                      const std::function<bool(byte_span key, byte_span value)>& visit) const;

  /// See `state_machine` and `freezable_state`.
  [[nodiscard]] state_snapshot snapshot();
  [[nodiscard]] std::shared_ptr<frozen_state> freeze();
  [[nodiscard]] digest root();
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot);

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

}  // namespace hypermesh
