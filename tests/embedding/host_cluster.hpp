#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hypermesh/consensus_client.hpp>
#include <hypermesh/consensus_manager.hpp>

namespace hypermesh::testing {

/// Long enough for a busy machine; a test that works ends earlier.
inline constexpr std::chrono::seconds embedding_patience{60};

/// The files of a cluster of four replicas, in a folder that is removed at the end.
class cluster_files {
 public:
  explicit cluster_files(const std::string& state_machine, std::uint32_t checkpoint_period = 16);
  ~cluster_files();
  cluster_files(const cluster_files&) = delete;
  cluster_files& operator=(const cluster_files&) = delete;

  [[nodiscard]] configuration replica(std::uint32_t number) const;
  [[nodiscard]] configuration client(std::uint32_t number = 0) const;

 private:
  std::filesystem::path folder_;
};

/// Four replicas of a host in this process.
class host_cluster {
 public:
  /// Makes the machine of a replica.
  using machine_maker = std::function<std::unique_ptr<state_machine>(std::uint32_t replica)>;

  host_cluster(const std::string& state_machine, machine_maker make);
  ~host_cluster();

  /// Fails the test with the text of the error if the replica does not start.
  void start(std::uint32_t number);
  void stop(std::uint32_t number) { replicas_.at(number) = nullptr; }

  [[nodiscard]] consensus_manager& replica(std::uint32_t number) { return *replicas_.at(number); }
  [[nodiscard]] std::unique_ptr<consensus_client> connect(std::uint32_t number = 0,
                                                          const client_settings& settings = {});
  [[nodiscard]] const cluster_files& files() const { return files_; }

 private:
  cluster_files files_;
  machine_maker make_;
  std::vector<std::unique_ptr<consensus_manager>> replicas_;
};

/// Adds numbers: "add N" gives the sum, "read" too. Other operations throw, block or lie, if the test wants so.
class adding_machine final : public small_state_machine {
 public:
  /// What the machine does for an operation that is neither "add N" nor "read". By default it is malformed.
  using trap_handler = std::function<operation_result(std::uint64_t& sum, byte_span operation)>;

  explicit adding_machine(trap_handler otherwise = {}) : otherwise_(std::move(otherwise)) {}

  [[nodiscard]] std::string_view name() const override { return "adding"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] byte_vector save() const override { return to_byte_vector(std::to_string(sum_)); }
  [[nodiscard]] or_reason<void> load(byte_span saved) override;

 private:
  trap_handler otherwise_;
  std::uint64_t sum_ = 0;
};

/// The outcome of a future as text: the payload of a result, or "error: NAME".
[[nodiscard]] std::string text_of(std::future<submit_outcome> future);

/// Whether `holds` becomes true before the deadline.
[[nodiscard]] bool becomes_true(const std::function<bool()>& holds,
                                std::chrono::milliseconds patience = embedding_patience);

}  // namespace hypermesh::testing
