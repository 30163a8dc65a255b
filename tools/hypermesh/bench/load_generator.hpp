#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/hosted_client.hpp"
#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/load_result.hpp"

namespace hypermesh::cli {

/// Sends the operations of one load process through its clients and records the answers. `begin` and `run` are called
/// by one thread; answers arrive on the threads of the clients. Memory: the operations in progress, which
/// `client_settings::operations_pending_max` bounds for each client, and one result for each client.
class load_generator : public std::enable_shared_from_this<load_generator> {
 public:
  /// Takes one client for each identity of the shape.
  load_generator(const load_shape& shape, std::vector<std::unique_ptr<hosted_client>> clients);

  /// Has one operation of each client executed, so that all links are open. Returns the name of the first failure, or
  /// an empty text.
  [[nodiscard]] std::string warm_links();

  /// Sends the load from `begin` on until the end of the measured time, waits for answers, and returns what it saw.
  [[nodiscard]] load_result run(moment begin);

  /// Closes the clients. Call it before their actor system ends. Operations in progress then fail and count nowhere.
  void close();

 private:
  /// A client and what it saw. Each has its own lock, so that clients do not wait for each other.
  struct lane {
    lane(const load_shape& shape, std::unique_ptr<hosted_client> with) : client(std::move(with)), operations(shape) {}

    std::unique_ptr<hosted_client> client;
    std::mutex guard;
    operation_maker operations;
    load_result result;
    double operation_bytes = 0;
    double result_bytes = 0;
  };

  /// What is known of an operation when its answer arrives.
  struct sent_operation {
    lane* by;
    /// The moment from which its latency counts.
    moment since;
    std::size_t bytes = 0;
    bool is_read = false;
  };

  void send(lane& from, moment since);
  void note(const sent_operation& sent, const submit_outcome& outcome);
  [[nodiscard]] bool is_measured(moment when) const { return when >= measured_from_ && when < measured_until_; }
  void send_at_rate(moment begin);
  /// Adds up what the clients saw.
  [[nodiscard]] load_result total();

  load_shape shape_;
  std::vector<std::unique_ptr<lane>> lanes_;
  moment measured_from_;
  moment measured_until_;
  std::atomic<bool> ending_ = false;
  /// Set when the result has been read, so answers after it count nowhere.
  std::atomic<bool> over_ = false;
  std::atomic<std::uint64_t> under_way_ = 0;
  std::uint64_t intended_ = 0;
  std::uint64_t late_us_max_ = 0;
};

}  // namespace hypermesh::cli
