#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "messages/signing.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// The batches that this replica executed last, from which it signs receipts. Pure; `replicated_state` owns it. The
/// execution only adds pointers. Hashes and the signature are computed when the first client asks about a batch, and
/// kept, so that clients that want no receipt pay nothing, and a hostile client cannot cause more than one signature
/// for each batch.
///
/// A correct replica signs at most one statement for each sequence number, so it is never convicted by
/// `judge_receipts`. Memory: at most `batches_max` batches of `bytes_max` bytes together, which include the trees. Most
/// of the bytes of requests and results are also held by the slots of the window and by the client table.
class receipt_log {
 public:
  /// Four windows of the default size. A client asks for its receipt as soon as it has its result.
  static constexpr std::size_t batches_max = 1'024;
  /// About a second of a group at full speed. A batch that alone exceeds the bound has no receipts: that takes more than
  /// 100,000 operations. A larger log costs everybody, because memory is not used again while it is in the caches.
  static constexpr std::size_t bytes_max = 16 * 1024 * 1024;

  /// A request that the batch executed, and its outcome.
  struct executed {
    /// The number of the request in the batch.
    std::uint32_t number = 0;
    std::shared_ptr<const request_outcome> outcome;
  };

  /// This replica executed `requests` of the batch with this sequence number. `ordered_time` is the time after it. The
  /// sequence numbers ascend, except after `on_replaced`.
  void on_executed(sequence_number sequence, std::shared_ptr<const batch> body, wall_time ordered_time,
                   std::vector<executed> requests);

  /// Another state replaced the state in which the batches up to `through` were executed. All of them are forgotten. If
  /// some are executed again, because the state was wrong, this replica does not sign them: it may have signed another
  /// statement for the same sequence number.
  void on_replaced(sequence_number through);

  /// The share of this replica in the receipt that is asked for, or nothing if the log does not hold the request. The
  /// signer is `keys.self()`. Time: for the first question about a batch about as long as its execution. Afterwards
  /// some microseconds, also for a request that the log does not hold, so that a flood of questions costs little
  /// (attack 33).
  [[nodiscard]] std::optional<receipt_share> share_of(const receipt_query& asked, const signing_context& context,
                                                      const authenticator& keys);

  [[nodiscard]] std::size_t batches() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// The number of signatures that were made.
  [[nodiscard]] std::uint64_t signatures() const { return signatures_; }

 private:
  /// The statement of a batch, and the trees under it: one over the requests, and one over the operations of each.
  struct signed_batch {
    digest batch;
    merkle_pages requests;
    std::vector<merkle_pages> operations;
    signature by;
  };
  struct entry {
    sequence_number sequence;
    std::shared_ptr<const messages::batch> body;
    wall_time ordered_time{};
    std::vector<executed> requests;
    std::size_t bytes = 0;
    /// Whether the requests are in the index.
    bool is_indexed = false;
    std::optional<signed_batch> statement;
  };
  /// The batch of a request, and the number of the request among those that the batch executed.
  struct place_of_request {
    sequence_number sequence;
    std::uint32_t index = 0;
  };

  [[nodiscard]] static std::size_t cost_of(const entry& value);
  [[nodiscard]] static request_id id_of(const entry& of, const executed& each) {
    return of.body->requests[each.number].id;
  }
  void forget_oldest();
  void index_new_batches();
  [[nodiscard]] entry& entry_of(sequence_number sequence);
  [[nodiscard]] signed_batch sign(const entry& of, const signing_context& context, const authenticator& keys);

  std::deque<entry> entries_;
  /// The requests of all batches that were executed before the last question.
  std::map<request_id, place_of_request> index_;
  std::size_t bytes_ = 0;
  std::uint64_t signatures_ = 0;
  /// No batch up to this sequence number is signed.
  sequence_number unsigned_through_;
};

}  // namespace hypermesh::protocol
