#pragma once

#include <functional>
#include <future>
#include <memory>

#include <hypermesh/expected.hpp>
#include <hypermesh/receipt.hpp>
#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>
#include <hypermesh/types.hpp>

namespace hypermesh {

/// A client in plain C++ (R18): futures and callbacks. All functions may be called from any thread. One client serves a
/// whole process: its operations share links and signatures.
///
/// Threads: two to four workers and the network. Memory: at most `client_settings::operations_pending_max` operations.
class consensus_client {
 public:
  /// Called once, on a thread of the client. It must not block. An exception that it throws is dropped, because nobody
  /// waits for it.
  using completion = std::function<void(const submit_outcome&)>;

  /// Opens links to all replicas. Operations may be submitted at once; they wait until the links are up.
  [[nodiscard]] static or_error<std::unique_ptr<consensus_client>> connect(const configuration& config,
                                                                           const client_settings& settings = {});

  /// Fails all pending operations with `client_error::stopped`, and closes the links.
  ~consensus_client();
  consensus_client(const consensus_client&) = delete;
  consensus_client& operator=(const consensus_client&) = delete;

  [[nodiscard]] client_id self() const;

  /// Orders and executes an operation. The future always becomes ready, either with a result that f+1 replicas gave or
  /// with an error.
  [[nodiscard]] std::future<submit_outcome> submit(byte_vector operation);

  /// Like the function above, but with a callback.
  void submit(byte_vector operation, completion done);

  /// Like `submit`, and then asks the replicas to sign that they executed the operation. The future becomes ready when
  /// a quorum has signed, or at the deadline of the operation with what was signed until then. For the proof of a read,
  /// submit a reading operation. At most 1,024 receipts are collected at once; above, the outcome is
  /// `too_many_pending`.
  [[nodiscard]] std::future<receipted_outcome> submit_with_receipt(byte_vector operation);

  /// Reads the replicated state; see `read_mode`. The operation must be one that `state_machine::query` accepts, because
  /// a linearizable read may be executed like a submitted operation.
  [[nodiscard]] std::future<submit_outcome> query(byte_vector operation, read_mode mode = read_mode::linearizable);

 private:
  struct parts;
  explicit consensus_client(std::unique_ptr<parts> of);

  std::unique_ptr<parts> parts_;
};

}  // namespace hypermesh
