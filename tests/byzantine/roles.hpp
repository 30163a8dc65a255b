#pragma once

#include "tests/byzantine/forgery.hpp"
#include "tests/byzantine/strategy.hpp"

/// The base classes of the strategies, one for each role.
namespace hypermesh::testing {

/// Base of strategies that change the member's own PRE-PREPAREs while it is the primary.
class as_primary : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* proposal = out.as<pre_prepare>();
    const bool is_own = proposal != nullptr && principal::of(proposal->header.content.replica) == hands.self();
    // These strategies change requests. The null request of a readmission contains no requests, so it passes unchanged.
    if (!is_own || !out.peer.is_replica() || proposal->body->requests.empty()) return fate::passes;
    // This copy keeps the message alive, because the frame may be replaced during the call.
    const auto kept = out.value;
    return on_proposal(out, *proposal, hands);
  }

 protected:
  virtual fate on_proposal(passing_frame& out, const pre_prepare& proposal, adversary_hands& hands) = 0;
};

/// Base of strategies that change the member's own PREPAREs and COMMITs.
class as_voter : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* preparing = out.as<prepare>();
    const auto* committing = out.as<commit>();
    if (preparing == nullptr && committing == nullptr) return fate::passes;
    const auto vote = preparing != nullptr ? preparing->vote : committing->vote;
    return on_vote(out, preparing != nullptr ? message_kind::prepare : message_kind::commit, vote, hands);
  }

 protected:
  virtual fate on_vote(passing_frame& out, message_kind kind, const signed_statement& vote, adversary_hands& hands) = 0;
};

/// Base of strategies that change the member's own VIEW-CHANGEs.
class as_leaver : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* change = out.as<view_change>();
    if (change == nullptr || principal::of(change->replica) != hands.self()) return fate::passes;
    const auto kept = out.value;
    return on_view_change(out, *change, hands);
  }

 protected:
  virtual fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) = 0;
};

/// Base of strategies that change the member's own NEW-VIEWs.
class as_opener : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* opened = out.as<new_view>();
    if (opened == nullptr || principal::of(opened->replica) != hands.self()) return fate::passes;
    const auto kept = out.value;
    return on_new_view(out, *opened, hands);
  }

 protected:
  virtual fate on_new_view(passing_frame& out, const new_view& opened, adversary_hands& hands) = 0;
};

/// Base of strategies that change the parts of a state that the member gives to others.
class as_donor : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* answer = out.as<state_chunk_message>();
    if (answer == nullptr) return fate::passes;
    const auto kept = out.value;
    return on_answer(out, *answer, hands);
  }

 protected:
  virtual fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands& hands) = 0;
};

/// Base of strategies that send messages at each tick without a cause.
class as_heckler : public adversary {
 public:
  void on_tick(adversary_hands& hands) override = 0;
};

}  // namespace hypermesh::testing
