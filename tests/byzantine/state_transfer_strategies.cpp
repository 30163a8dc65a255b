// Strategies of a replica that lies about its state, or is a bad donor of its state (attacks 23 to 28).
#include <algorithm>
#include <map>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

/// The chunk in a donor's answer, in either of its two forms; null if the answer has no chunk.
const std::shared_ptr<const byte_vector>* chunk_of(const state_chunk_message& answer) {
  return std::get_if<std::shared_ptr<const byte_vector>>(&answer.content);
}

class corrupt_chunks final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands& hands) override {
    const auto* chunk = chunk_of(answer);
    if (chunk == nullptr || (*chunk)->empty()) return fate::passes;
    auto bytes = **chunk;
    bytes[hands.chance().below(bytes.size())] ^= std::byte{1};
    out.become(encode(state_chunk_message{answer.wanted, std::make_shared<const byte_vector>(std::move(bytes))}));
    return fate::passes;
  }
};

class corrupt_leaves final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands& hands) override {
    const auto* page = std::get_if<leaf_page>(&answer.content);
    if (page == nullptr) return fate::passes;
    auto forged = *page;
    forged.leaves.front() = nonsense_digest(hands);
    out.become(encode(state_chunk_message{answer.wanted, std::move(forged)}));
    return fate::passes;
  }
};

/// Claims that the state has more chunks than its root covers.
class lie_about_size final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands& hands) override {
    const auto* page = std::get_if<leaf_page>(&answer.content);
    if (page == nullptr) return fate::passes;
    auto forged = *page;
    forged.chunk_count = limits::state_chunks_max;
    forged.leaves.resize(state_page_size(forged.chunk_count, answer.wanted.index), nonsense_digest(hands));
    out.become(encode(state_chunk_message{answer.wanted, std::move(forged)}));
    return fate::passes;
  }
};

/// Sends the requested part under the number of another part.
class answer_for_other_part final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands&) override {
    if (chunk_of(answer) == nullptr) return fate::passes;
    auto other = answer.wanted;
    other.index += 1'000;
    out.become(encode(state_chunk_message{other, answer.content}));
    return fate::passes;
  }
};

/// Sends another chunk of the same state under the requested number.
class answer_with_other_chunk final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands&) override {
    const auto* chunk = chunk_of(answer);
    if (chunk == nullptr) return fate::passes;
    if (last_ == nullptr || *last_ == **chunk) last_ = std::make_shared<const byte_vector>(1, std::byte{7});
    out.become(encode(state_chunk_message{answer.wanted, std::exchange(last_, *chunk)}));
    return fate::passes;
  }

 private:
  std::shared_ptr<const byte_vector> last_;
};

class answer_for_lower_height final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands& hands) override {
    auto older = answer.wanted;
    older.sequence.value -= std::min<std::uint64_t>(older.sequence.value, hands.cluster().checkpoint_period);
    out.become(encode(state_chunk_message{older, answer.content}));
    return fate::passes;
  }
};

/// Sends the parts so slowly that each takes longer than any fetcher waits.
class drip final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message&, adversary_hands& hands) override {
    due_ = std::max(due_, hands.now()) + 1'500ms;
    hands.send_later(due_ - hands.now(), out.peer, out.frame);
    return fate::stopped;
  }

 private:
  moment due_;
};

class give_nothing final : public as_donor {
 protected:
  fate on_answer(passing_frame&, const state_chunk_message&, adversary_hands&) override { return fate::stopped; }
};

class refuse_always final : public as_donor {
 protected:
  fate on_answer(passing_frame& out, const state_chunk_message& answer, adversary_hands&) override {
    out.become(encode(state_chunk_message{answer.wanted, state_refusal::not_held}));
    return fate::passes;
  }
};

/// Votes for a state that no replica has.
class fake_checkpoint final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* said = out.as<checkpoint>();
    if (said == nullptr || said->vote.content.replica != hands.replica()) return fate::passes;
    auto forged = said->vote.content;
    forged.value = digest_of("a state that nobody has", forged.value.view());
    out.become(forged_vote(hands, message_kind::checkpoint, forged));
    return fate::passes;
  }
};

class equivocate_checkpoint final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* said = out.as<checkpoint>();
    if (said == nullptr || said->vote.content.replica != hands.replica()) return fate::passes;
    auto other = said->vote.content;
    other.value = nonsense_digest(hands);
    hands.send(out.peer, forged_vote(hands, message_kind::checkpoint, other));
    return fate::passes;
  }
};

/// Votes for states between the checkpoints, and for states far ahead.
class checkpoints_anywhere final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto period = hands.cluster().checkpoint_period;
    for (const auto ahead : {std::uint64_t{1}, std::uint64_t{1'000}}) {
      const auto sequence = sequence_number{(hands.known().last().value / period + ahead) * period + (ahead % 2)};
      const auto content = own_statement(hands, view_number{0}, sequence, nonsense_digest(hands));
      hands.send_to_all(forged_vote(hands, message_kind::checkpoint, content));
    }
  }
};

/// Certifies a state far ahead with votes in the names of a quorum, all signed with its own key.
class forge_proof final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto period = hands.cluster().checkpoint_period;
    const sequence_number sequence{(hands.known().last().value / period + 4) * period};
    const auto value = nonsense_digest(hands);
    checkpoint_proof proof;
    for (std::uint32_t number = 0; number < hands.cluster().group().quorum(); ++number) {
      const statement content{{}, sequence, value, replica_id{number}, hands.cluster().signing.epoch};
      proof.certificate.votes.push_back(signed_statement_of(hands, message_kind::checkpoint, content));
    }
    hands.send_to_all(encode(proof));
  }
};

/// Certifies a state far ahead with its own vote, repeated as often as a quorum is large.
class prove_with_one_vote final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto period = hands.cluster().checkpoint_period;
    const sequence_number sequence{(hands.known().last().value / period + 4) * period};
    const auto content = own_statement(hands, view_number{0}, sequence, nonsense_digest(hands));
    checkpoint_proof proof;
    proof.certificate.votes.assign(hands.cluster().group().quorum(),
                                   signed_statement_of(hands, message_kind::checkpoint, content));
    hands.send_to_all(encode(proof));
  }
};

}  // namespace

std::vector<strategy> state_transfer_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::state_transfer;
  return {
      {"corrupt-chunk", "sends chunks with a flipped bit", role, laggard, {24}, "I10", false, {"wrong_digest"},
       {}, make_strategy<corrupt_chunks>},
      {"corrupt-leaves", "sends leaves that do not match the root", role, laggard, {23, 24}, "I10", false,
       {"wrong_digest"}, {}, make_strategy<corrupt_leaves>},
      {"size-lie", "claims that the state has a million chunks", role, laggard, {24, 37}, "I10 I12", false,
       {"wrong_digest"}, {}, make_strategy<lie_about_size>},
      {"chunk-for-other-index", "sends a chunk under the number of another one", role, laggard, {24, 37}, "I10", false,
       {"unsolicited", "donor_late"}, {}, make_strategy<answer_for_other_part>},
      {"swapped-chunks", "sends another chunk under the requested number", role, laggard, {24, 37}, "I10",
       false, {"wrong_digest"}, {}, make_strategy<answer_with_other_chunk>},
      {"lower-height", "announces a state and sends an older one", role, laggard, {24, 26}, "I10 I11", false,
       {"unsolicited", "donor_late"}, {}, make_strategy<answer_for_lower_height>},
      {"slow-drip", "sends one part every second and a half", role, slow_laggard, {24, 26}, "I11", false, {},
       "other donors send a small state before the missing part counts as late", make_strategy<drip>},
      {"mute-donor", "sends no part of a state", role, slow_laggard, {24}, "I11", false, {},
       "other donors send a small state before the missing part counts as late", make_strategy<give_nothing>},
      {"refusing-donor", "claims to have no state", role, laggard, {24}, "I11", false, {"donor_refused"}, {},
       make_strategy<refuse_always>},
      {"fake-checkpoint", "votes for a state that no replica has", role, none, {27}, "I10", false, {},
       "a replica with a corrupted state does the same; its vote completes no certificate",
       make_strategy<fake_checkpoint>},
      {"equivocating-checkpoint", "votes for two states after one sequence", role, none, {28}, "I10", true,
       {"conflicting_statement"}, {}, make_strategy<equivocate_checkpoint>},
      {"checkpoints-anywhere", "votes for states between and far beyond the checkpoints", role, none, {28},
       "I10 I12", true, {"number_out_of_range"}, {}, make_strategy<checkpoints_anywhere>},
      {"forged-proof", "proves a state with votes that it signed itself", role, none, {3, 15, 23}, "I9 I10", false,
       {"bad_certificate"}, {}, make_strategy<forge_proof>},
      {"proof-of-one-vote", "proves a state with one vote, repeated many times", role, none, {3, 23}, "I6 I10", false,
       {"bad_certificate"}, {}, make_strategy<prove_with_one_vote>},
  };
}

}  // namespace hypermesh::testing
