#pragma once

#include <bitset>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "actors/protocol/base/quorum.hpp"
#include "messages/limits.hpp"
#include "messages/time.hpp"
#include "messages/values.hpp"

namespace hypermesh::protocol {

/// Which requests their clients have really sent, if clients do not sign them (§5.2; attack 45). Pure.
///
/// A replica knows that a request is authentic if it received the request on the authenticated link of the client: the
/// authentication tag of the link is the MAC of the paper's authenticator. A faulty client may send a request to some
/// replicas only. In the paper such a request can cause a view change, because the primary proposes what the backups
/// cannot check. Here replicas vouch for requests to each other before the primary proposes them, as in the reliable
/// broadcast of Bracha ("Asynchronous Byzantine agreement protocols", 1987):
///
/// 1. A replica vouches for a request that its client sent to it, or for which f + 1 replicas vouch: one of them is
///    correct.
/// 2. A request is certified once 2f + 1 replicas vouch for it: f + 1 of them are correct, and all replicas will hear
///    from these, so all correct replicas will vouch. Only a certified request becomes pending. So the primary proposes
///    only requests that all correct backups will accept, and a backup waits only for requests that the primary has.
/// 3. A backup prepares a batch if each of its requests is authentic: the client sent it to this replica, f + 1
///    replicas vouch for it, or it was executed.
///
/// Example with f = 1: a faulty client sends a request to the primary only. No other replica vouches, so the request is
/// never proposed, and costs the client only its own place here. If it sends the request to two replicas, the other two
/// hear two VOUCHes and vouch as well, and the request is executed.
///
/// Memory: for each replica the last `vouches_kept` VOUCHes that are not executed, and the requests of `held_bytes_max`
/// that wait for certification.
class vouch_board {
 public:
  vouch_board(group_size group, replica_id self);

  enum class outcome {
    /// The request may become pending.
    certified,
    /// The board keeps the request until it is certified.
    waits,
    /// The client has too many requests here that are not certified.
    client_quota,
  };
  /// The client sent the request on its own link.
  outcome on_request(const request& value, moment now);

  /// A replica vouches for the request.
  void on_vouch(replica_id from, const request_reference& what);

  /// The request was executed, or will never be executed.
  void on_over(request_id id);

  [[nodiscard]] bool is_certified(const request_reference& what) const;
  /// Whether the client has sent the request, as far as this replica knows.
  [[nodiscard]] bool is_authentic(const request_reference& what) const;

  /// The requests for which this replica vouches since the last call.
  [[nodiscard]] std::vector<request_reference> take_vouches() { return std::exchange(vouches_, {}); }
  [[nodiscard]] bool has_vouches() const { return !vouches_.empty(); }
  /// The requests that the board kept, and that were certified since the last call.
  [[nodiscard]] std::vector<request> take_certified() { return std::exchange(certified_, {}); }

  /// The number of requests that the board keeps.
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] std::size_t held_bytes() const { return held_bytes_; }

  /// A client repeats a request after a lost frame. This replica vouches again, but at most this often.
  static constexpr duration repeat_pause = 150ms;
  /// Correct replicas certify the request of a correct client within a few message delays. After this time the request
  /// is dropped, and a client that repeats it begins anew.
  static constexpr duration held_max = 10s;
  static constexpr std::size_t held_bytes_max = std::size_t{32} * 1024 * 1024;
  static constexpr std::size_t held_bytes_of_client_max = held_bytes_max / 4;
  /// VOUCHes of one replica: those for all requests that may be pending with four replicas. A correct replica of a
  /// larger group that has more than its share outstanding vouches again when the client repeats the request.
  [[nodiscard]] static constexpr std::size_t vouches_kept(group_size group) {
    return 16 * 1024 + 256 * 1024 / group.replicas();
  }

 private:
  using replica_set = std::bitset<limits::replicas_max>;

  struct candidate {
    replica_set vouchers;
    /// The client sent it to this replica.
    bool is_received = false;
    std::optional<moment> vouched_at;
    /// Kept until the request is certified.
    std::optional<request> body;
  };
  struct client_share {
    std::size_t requests = 0;
    std::size_t bytes = 0;
  };
  using candidates = std::map<request_reference, candidate>;

  [[nodiscard]] bool has_room(const request& value) const;
  void hold(candidates::iterator at, const request& value, moment now);
  void note(replica_id voucher, candidates::iterator at);
  void vouch_for(candidates::iterator at);
  void forget(replica_id voucher, const request_reference& what);
  void release(candidates::iterator at);
  void drop_old(moment now);
  void drop_oldest();
  [[nodiscard]] bool is_certified(const candidate& one) const;

  group_size group_;
  replica_id self_;
  candidates candidates_;
  /// The VOUCHes of each replica, oldest first. Some of them may be over.
  std::vector<std::deque<request_reference>> kept_;
  /// The requests with a body, oldest first. Some of them may be certified or over.
  std::deque<std::pair<moment, request_reference>> waiting_;
  std::map<client_id, client_share> shares_;
  std::size_t held_ = 0;
  std::size_t held_bytes_ = 0;
  std::vector<request_reference> vouches_;
  std::vector<request> certified_;
};

}  // namespace hypermesh::protocol
