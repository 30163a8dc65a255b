#pragma once

#include <deque>
#include <map>
#include <set>
#include <vector>

#include "messages/values.hpp"

namespace hypermesh::testing {

/// The knowledge of an adversary, which sees all frames of its member. Memory: the newest of each kind.
class overheard {
 public:
  static constexpr std::size_t requests_max = 256;
  static constexpr std::size_t system_requests_max = 64;
  static constexpr std::size_t proposals_max = 64;
  static constexpr std::size_t votes_max = 256;

  explicit overheard(principal self) : self_(self) {}

  /// The member sent this, or tried to.
  void on_sent(const message& value, const frame_ptr& frame);
  /// The member received this.
  void on_received(const message& value);

  /// The view that the member is in or waits for.
  [[nodiscard]] view_number view() const { return view_; }
  /// h, as the member published it last.
  [[nodiscard]] sequence_number low() const { return low_; }
  /// The highest sequence that the member proposed, voted for, or saw proposed in any view.
  [[nodiscard]] sequence_number last() const { return last_; }
  /// Requests with their clients' signatures, the oldest first.
  [[nodiscard]] const std::deque<request>& requests() const { return requests_; }
  /// System requests, each case once, the oldest first.
  [[nodiscard]] const std::deque<system_request>& system_requests() const { return system_requests_; }
  /// PRE-PREPAREs of all views, of the member itself and of others, the oldest first.
  [[nodiscard]] const std::deque<pre_prepare>& proposals() const { return proposals_; }
  /// The member's own PREPAREs and COMMITs as frames, and where they belong.
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
