#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "messages/values.hpp"

namespace hypermesh::testing {

/// The knowledge of an adversary, which sees all frames of its member. Memory: the newest messages of each kind.
class overheard {
 public:
  static constexpr std::size_t requests_max = 256;
  static constexpr std::size_t system_requests_max = 64;
  static constexpr std::size_t proposals_max = 64;
  static constexpr std::size_t votes_max = 256;

  explicit overheard(principal self) : self_(self) {}

  /// Records a message that the member sent or tried to send.
  void on_sent(const message& value, const frame_ptr& frame);
  /// Records a message that the member received.
  void on_received(const message& value);

  /// The view that the member is in or that it is changing to.
  [[nodiscard]] view_number view() const { return view_; }
  /// h, the low watermark that the member published last.
  [[nodiscard]] sequence_number low() const { return low_; }
  /// The highest sequence number that the member proposed, voted for, or saw proposed in any view.
  [[nodiscard]] sequence_number last() const { return last_; }
  /// Requests with their clients' signatures, the oldest request first.
  [[nodiscard]] const std::deque<request>& requests() const { return requests_; }
  /// System requests, each case once, the oldest request first.
  [[nodiscard]] const std::deque<system_request>& system_requests() const { return system_requests_; }
  /// PRE-PREPAREs of all views, from the member itself and from others, the oldest first.
  [[nodiscard]] const std::deque<pre_prepare>& proposals() const { return proposals_; }
  /// The member's own PREPAREs and COMMITs as frames, with their view and sequence number.
  struct own_vote {
    statement content;
    frame_ptr frame;
  };
  [[nodiscard]] const std::deque<own_vote>& votes() const { return votes_; }

 private:
  void remember(const request& value);
  void remember(const system_request& value);
  void remember(const pre_prepare& value);
  void remember_vote(const statement& content, const frame_ptr& frame);

  principal self_;
  view_number view_;
  sequence_number low_;
  sequence_number last_;
  std::deque<request> requests_;
  std::set<request_id> request_ids_;
  std::deque<system_request> system_requests_;
  std::deque<pre_prepare> proposals_;
  std::set<statement> proposal_headers_;
  std::deque<own_vote> votes_;
};

}  // namespace hypermesh::testing
