#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <hypermesh/settings.hpp>

#include "actors/ports.hpp"
#include "messages/time.hpp"
#include "tools/hypermesh/bench/arrival_times.hpp"

namespace hypermesh::cli {

/// The operations that a load sends, and how it sends them.
struct load_shape {
  std::string machine = "null";
  /// The first client identity of the load, and the number of identities.
  std::uint32_t first_client = 0;
  std::uint32_t clients = 1;
  /// Closed loop: the operations in flight. Each answer is followed by the next operation.
  std::size_t in_flight = 64;
  /// Open loop: operations in a second. 0 is a closed loop.
  double rate = 0;
  arrival_spacing spacing = arrival_spacing::poisson;
  /// The most operations under one signature.
  std::size_t bundle = 1;
  /// Bytes of the value of a write, or of the payload of an operation of the machine "null".
  std::size_t payload_bytes = 16;
  /// Bytes of the reply of the machine "null".
  std::size_t reply_bytes = 16;
  /// The share of reads, in percent.
  std::uint32_t reads_percent = 0;
  read_mode reads = read_mode::linearizable;
  duration warm_up = 2s;
  duration measured = 10s;
  /// After this time an operation without a result fails.
  duration deadline = 30s;
  std::uint64_t seed = 1;

  [[nodiscard]] bool is_open() const { return rate > 0; }
};

/// The machines for which there is a load, as a list for people.
inline constexpr auto bench_machines = "null, key-value, redis";

/// Whether the bench has a load for this machine.
[[nodiscard]] bool is_bench_machine(std::string_view machine);

/// Divides a load among processes: each has its own identities, and its share of the operations in flight and of the
/// rate. Every process has at least one client and one operation in flight, so there may be fewer processes than
/// wanted. The seeds differ. Pure.
[[nodiscard]] std::vector<load_shape> divided(const load_shape& whole, std::uint32_t processes);

/// The options by which this binary becomes a load process for `shape`. `exchange` is the folder in which the two
/// processes exchange files, and `parent` is the process with which the load process ends.
[[nodiscard]] std::vector<std::string> words_of(const load_shape& shape, const std::filesystem::path& cluster,
                                                const std::filesystem::path& exchange, int parent);

/// An operation, and whether it only reads.
struct bench_operation {
  bool is_read = false;
  byte_vector bytes;
};

/// Makes the operations of one load process. They follow from the shape alone. Writes go to `keys` keys, and reads read
/// the same keys. Pure.
class operation_maker {
 public:
  static constexpr std::uint64_t keys = 1'024;

  explicit operation_maker(const load_shape& shape);

  [[nodiscard]] bench_operation next();

 private:
  load_shape shape_;
  splitmix64 random_;
  byte_vector payload_;
};

}  // namespace hypermesh::cli
