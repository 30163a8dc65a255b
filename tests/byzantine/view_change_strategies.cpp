// Strategies of a replica that leaves its view with false proofs, or that leaves views continuously (§4.4).
#include <algorithm>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// A proof for `sequence` in the previous view. This replica signs the PRE-PREPARE and all PREPAREs itself.
prepared_certificate bogus_certificate(adversary_hands& hands, view_number view, sequence_number sequence) {
  const auto group = hands.cluster().group();
  const auto value = nonsense_digest(hands);
  const auto primary = group.primary_of(view);
  const auto said_by = [&](replica_id replica, message_kind kind) {
    return signed_statement_of(hands, kind, {view, sequence, value, replica, hands.cluster().signing.epoch});
  };
  prepared_certificate certificate;
  certificate.pre_prepare = said_by(primary, message_kind::pre_prepare);
  for (std::uint32_t step = 1; step < group.quorum(); ++step) {
    const replica_id backup{(primary.value + step) % hands.cluster().replicas};
    certificate.prepares.push_back(said_by(backup, message_kind::prepare));
  }
  return certificate;
}

view_number view_before(view_number view) { return view_number{view.value - 1}; }

/// The first sequence number for which the VIEW-CHANGE has no proof.
sequence_number next_of(const view_change& change) {
  return (change.prepared.empty() ? change.stable_sequence : change.prepared.back().pre_prepare.content.sequence)
      .next();
}

/// The VIEW-CHANGE with at least one certificate; a bogus certificate is added if it has none.
view_change with_a_certificate(view_change change, adversary_hands& hands) {
  if (change.prepared.empty()) {
    change.prepared.push_back(bogus_certificate(hands, view_before(change.new_view), next_of(change)));
  }
  return change;
}

class bogus_prepared final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = change;
    forged.prepared.push_back(bogus_certificate(hands, view_before(change.new_view), next_of(change)));
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

/// Sends a certificate in which one PREPARE is counted twice.
class repeated_signer final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = with_a_certificate(change, hands);
    auto& prepares = forged.prepared.back().prepares;
    prepares.back() = prepares.front();
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

class short_certificate final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = with_a_certificate(change, hands);
    forged.prepared.back().prepares.pop_back();
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

class hide_prepared final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = change;
    forged.prepared.clear();
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

/// Sends VIEW-CHANGEs that claim that it has no checkpoint and no prepared slot.
class forget_everything final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    out.become(sealed(hands, empty_view_change(hands, change.new_view)));
    return fate::passes;
  }
};

class unproven_checkpoint final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = change;
    forged.stable_sequence = change.stable_sequence.plus(hands.cluster().checkpoint_period);
    forged.stable_proof.votes.clear();
    forged.prepared.clear();
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

/// Sends a checkpoint certificate with the names of a quorum, all signed with one key.
class forged_checkpoint_in_change final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto forged = change;
    forged.stable_sequence = change.stable_sequence.plus(hands.cluster().checkpoint_period);
    forged.stable_proof.votes.clear();
    forged.prepared.clear();
    const auto value = nonsense_digest(hands);
    for (std::uint32_t number = 0; number < hands.cluster().group().quorum(); ++number) {
      const statement content{{}, forged.stable_sequence, value, replica_id{number}, hands.cluster().signing.epoch};
      forged.stable_proof.votes.push_back(signed_statement_of(hands, message_kind::checkpoint, content));
    }
    out.become(sealed(hands, forged));
    return fate::passes;
  }
};

/// The same VIEW-CHANGE with padding bytes at its end.
frame_ptr padded(adversary_hands& hands, const view_change& change, std::size_t bytes) {
  auto buffer = view_change_buffer(change);
  buffer.resize(buffer.size() + bytes);
  return sealed(hands, message_kind::view_change, std::move(buffer));
}

class equivocate_view_change final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    auto second = change;
    second.prepared.clear();
    hands.send(out.peer, change.prepared.empty() ? padded(hands, change, 8) : sealed(hands, second));
    return fate::passes;
  }
};

/// Sends half of the other replicas a VIEW-CHANGE that hides everything.
class view_changes_for_halves final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    if (hands.in_second_half(out.peer)) out.become(sealed(hands, empty_view_change(hands, change.new_view)));
    return fate::passes;
  }
};

class amplify_view_change final : public as_leaver {
 protected:
  fate on_view_change(passing_frame& out, const view_change& change, adversary_hands& hands) override {
    out.become(padded(hands, change, 512 * 1'024));
    return fate::passes;
  }
};

/// Never sends its VIEW-CHANGEs. The member sends each VIEW-CHANGE only once by itself.
class keep_view_change_back final : public as_leaver {
 protected:
  fate on_view_change(passing_frame&, const view_change&, adversary_hands&) override { return fate::stopped; }
};

/// Asks for a later view at each tick.
class storm_through_views final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    wanted_ = std::max(wanted_, hands.known().view()).next();
    hands.send_to_all(sealed(hands, empty_view_change(hands, wanted_)));
    const auto content = own_statement(hands, wanted_, sequence_number{0}, digest{});
    hands.send_to_all(forged_vote(hands, message_kind::suspicion, content));
  }

 private:
  view_number wanted_;
};

/// Asks for the highest valid view, and for the view above it.
class want_the_last_view final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (const auto view : {limits::view_max, limits::view_max + 1}) {
      hands.send_to_all(sealed(hands, empty_view_change(hands, view_number{view})));
      const auto content = own_statement(hands, view_number{view}, sequence_number{0}, digest{});
      hands.send_to_all(forged_vote(hands, message_kind::suspicion, content));
    }
  }
};

/// Sends a VIEW-CHANGE, but continues to vote in the view that it has left.
class leave_and_stay final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    if (hands.known().view().next() <= left_for_) return;
    left_for_ = hands.known().view().next();
    hands.send_to_all(sealed(hands, empty_view_change(hands, left_for_)));
  }

 private:
  view_number left_for_;
};

}  // namespace

std::vector<strategy> view_change_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::view_change;
  return {
      {"bogus-prepared-certificate", "sends a VIEW-CHANGE whose certificate has votes that it signed itself", role,
       view_change, {11, 12}, "I1 I8", true, {"bad_certificate"}, {}, make_strategy<bogus_prepared>},
      {"repeated-signer", "sends a prepared certificate that counts one PREPARE twice",
       role, view_change, {3, 11}, "I6 I8", true,
       {"bad_certificate"}, {}, make_strategy<repeated_signer>},
      {"short-certificate", "sends a prepared certificate that lacks a PREPARE", role, view_change, {11}, "I6 I8", true,
       {"bad_certificate"}, {}, make_strategy<short_certificate>},
      {"hidden-prepared-slots", "sends a VIEW-CHANGE that hides all prepared slots",
       role, view_change, {10, 11}, "I1 I8",
       false, {}, "what it committed before stands on the disks of others; only its COMMITs contradict it",
       make_strategy<hide_prepared>},
      {"forgetful-view-change", "sends a VIEW-CHANGE that hides all prepared slots and the checkpoint",
       role, view_change, {10, 14},
       "I1 I8 I9", false, {}, "a quorum has a correct replica with the certificate", make_strategy<forget_everything>},
      {"unproven-checkpoint", "sends a VIEW-CHANGE that names a checkpoint without a proof",
       role, view_change, {14, 15},
       "I8 I9 I10", true, {"bad_certificate"}, {}, make_strategy<unproven_checkpoint>},
      {"forged-checkpoint-in-change", "sends a VIEW-CHANGE whose checkpoint has votes that it signed itself", role,
       view_change, {3, 14}, "I8 I10", true, {"bad_certificate"}, {}, make_strategy<forged_checkpoint_in_change>},
      {"equivocating-view-change", "sends two VIEW-CHANGEs for one view to all replicas",
       role, view_change, {10, 13}, "I8",
       true, {"conflicting_statement"}, {}, make_strategy<equivocate_view_change>},
      {"view-changes-for-halves", "sends half of the others a VIEW-CHANGE that hides all prepared slots",
       role, view_change,
       {10, 13}, "I1 I8", true, {}, "each sees one; two replicas have to compare what they hold",
       make_strategy<view_changes_for_halves>},
      {"size-amplification", "sends a VIEW-CHANGE with half a megabyte of useless content",
       role, view_change, {13, 33}, "I11 I12",
       false, {"inconsistent_sizes"}, {}, make_strategy<amplify_view_change>},
      {"withheld-view-change", "leaves its view without sending a VIEW-CHANGE",
       role, view_change, {20}, "I11", false, {},
       "a link that is down does the same", make_strategy<keep_view_change_back>},
      {"view-change-storm", "asks for a later view with each tick", role, none, {19, 32}, "I8 I11 I12", true,
       {"overloaded"}, {}, make_strategy<storm_through_views>},
      {"huge-view", "asks for the largest view, and for the one after it", role, none, {19}, "I8 I11 I13",
       false, {"number_out_of_range"}, {}, make_strategy<want_the_last_view>},
      {"leave-and-stay", "asks for the next view, and continues to vote in this one",
       role, none, {19, 32}, "I8 I11", false,
       {}, "the order of its two statements cannot be observed", make_strategy<leave_and_stay>},
  };
}

}  // namespace hypermesh::testing
