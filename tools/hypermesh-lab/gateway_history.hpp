#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "tests/simulation/linearizability.hpp"
#include "tools/hypermesh-lab/resp_client.hpp"

namespace hypermesh::lab {

/// What clients of several gateways saw of SET, GET, DEL and INCR, in the form of the checker of linearizability. Each
/// client sends pipelines of one to four commands. A client that loses its connection goes on at the next gateway.
///
/// The keys change every two seconds, because the checker searches each key alone, and the search of a short history is
/// fast also if some outcomes are unknown. Memory: about 300 bytes for each command, which the duration of the run
/// bounds.
class gateway_history {
 public:
  /// The ports of the gateways on the loopback interface.
  explicit gateway_history(std::vector<std::uint16_t> ports) : ports_(std::move(ports)) {}

  /// Plays one client until `goes_on` is false. To be called by one thread for each client.
  void run_client(std::uint32_t number, std::uint64_t seed, const std::atomic<bool>& goes_on);

  /// The whole history. Read it when all clients have ended.
  [[nodiscard]] const std::vector<testing::client_operation>& operations() const { return operations_; }
  [[nodiscard]] std::size_t answered() const { return answered_; }
  /// Commands of which it is not known whether they were executed.
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  /// Commands that were not executed: replies TRYAGAIN. They are no part of the history.
  [[nodiscard]] std::size_t refused() const { return refused_; }
  /// The last reply that no command should get; empty if there was none.
  [[nodiscard]] std::string unexpected() const;

 private:
  struct drawn_command {
    std::vector<std::string> words;
    byte_vector operation;
  };

  [[nodiscard]] static drawn_command draw(std::mt19937_64& random, std::uint32_t client, std::uint64_t number);
  [[nodiscard]] static std::optional<operation_result> result_of(const drawn_command& command,
                                                                 const std::string& reply);
  bool run_pipeline(resp_client& client, std::uint32_t number, std::uint64_t pipeline, std::uint64_t& drawn,
                    std::mt19937_64& random);
  void note(testing::client_operation operation);
  void note_unexpected(const std::string& reply);

  std::vector<std::uint16_t> ports_;
  mutable std::mutex guard_;
  std::vector<testing::client_operation> operations_;
  std::string unexpected_;
  std::atomic<std::size_t> answered_ = 0;
  std::atomic<std::size_t> unanswered_ = 0;
  std::atomic<std::size_t> refused_ = 0;
};

}  // namespace hypermesh::lab
