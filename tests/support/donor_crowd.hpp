#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "actors/protocol/transfer/state_transfer.hpp"
#include "messages/digest.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing {

using chunk_bytes = std::shared_ptr<const byte_vector>;

/// A state of `chunks` small chunks. Each chunk contains the name and its index. States with equal names have chunks
/// with equal content in separate memory.
[[nodiscard]] std::shared_ptr<const state_snapshot> named_state(std::size_t chunks, std::string_view name);

/// The state `of` with other content in each chunk whose index is a multiple of `every`.
[[nodiscard]] std::shared_ptr<const state_snapshot> changed_state(const state_snapshot& of, std::size_t every,
                                                                  std::string_view name);

/// Answers like a correct donor of a state, without any bound.
class honest_donor {
 public:
  honest_donor(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);

  /// Returns the requested part, or a refusal when the request is for another state.
  [[nodiscard]] state_chunk_message operator()(const state_request& wanted) const;

 private:
  sequence_number sequence_;
  std::shared_ptr<const state_snapshot> snapshot_;
  std::shared_ptr<const merkle_pages> pages_;
};

/// Donors around one fetcher, over a network without randomness. Each donor answers its requests one after the other,
/// at its own pace and with its own delay. A tick of the fetcher takes ten moments.
class donor_crowd {
 public:
  static constexpr std::uint64_t moments_per_tick = 10;

  /// Makes the answer of a donor; nothing if the donor does not answer.
  using answer = std::function<std::optional<state_chunk_message>(const state_request&)>;

  struct donor {
    answer says;
    /// The number of moments that the donor works on an answer, and that the answer travels.
    std::uint64_t pace = 1;
    std::uint64_t delay = 1;
    /// The number of answers that the donor works on at once.
    std::uint64_t at_once = 1;
    /// All requests that the donor received, and the number of its answers.
    std::vector<state_request> asked;
    std::size_t answered = 0;

    std::deque<state_request> queue;
    /// The moments at which the answers in progress will be finished.
    std::multiset<std::uint64_t> busy_until;
  };

  explicit donor_crowd(state_fetcher& fetcher) : fetcher_(&fetcher) {}

  [[nodiscard]] donor& of(std::uint32_t number) { return donors_[replica_id{number}]; }
  void set(std::uint32_t number, answer says, std::uint64_t pace = 1, std::uint64_t delay = 1);

  /// Carries out the effects of the fetcher.
  void carry_out(transfer_effects effects);
  /// Runs until the state is complete, but for at most `ticks_max` ticks. Returns whether the state is complete.
  bool run(std::uint64_t ticks_max);

  [[nodiscard]] std::uint64_t ticks() const { return now_ / moments_per_tick; }
  [[nodiscard]] const std::shared_ptr<const verified_state>& whole() const { return whole_; }
  [[nodiscard]] const std::vector<observation>& observations() const { return observations_; }
  /// The donors that were replaced, in the order of their replacement.
  [[nodiscard]] std::vector<donor_replaced> replaced() const;
  [[nodiscard]] std::size_t questions() const;
  [[nodiscard]] std::size_t questions(state_part part) const;
  /// Called before each tick of the fetcher.
  void on_tick(std::function<void()> call) { on_tick_ = std::move(call); }

 private:
  struct arrival {
    replica_id from;
    state_chunk_message content;
  };

  void pass_moment();

  state_fetcher* fetcher_;
  std::map<replica_id, donor> donors_;
  std::multimap<std::uint64_t, arrival> network_;
  std::shared_ptr<const verified_state> whole_;
  std::vector<observation> observations_;
  std::function<void()> on_tick_;
  std::uint64_t now_ = 0;
};

/// A fetcher of replica `n - 1`, and a state that the first 2f + 1 replicas have certified at sequence 4.
struct transfer_world {
  request_factory factory;
  std::shared_ptr<const state_snapshot> snapshot;
  std::shared_ptr<const checkpoint_certificate> certificate;
  state_fetcher fetcher;
  donor_crowd crowd{fetcher};

  /// Initially, all donors are correct.
  explicit transfer_world(std::shared_ptr<const state_snapshot> state, std::uint32_t replicas = 4);
  explicit transfer_world(std::size_t chunks) : transfer_world(named_state(chunks, "chunk ")) {}
  transfer_world(const transfer_world&) = delete;
  transfer_world& operator=(const transfer_world&) = delete;

  [[nodiscard]] std::uint32_t donors() const { return factory.cluster().replicas - 1; }
  /// A certificate of the first 2f + 1 replicas for another state.
  [[nodiscard]] std::shared_ptr<const checkpoint_certificate> certify(std::uint64_t sequence,
                                                                      const state_snapshot& state) const;
  void fetch(fetch_reason why = fetch_reason::lag) { crowd.carry_out(fetcher.on_fetch(certificate, why)); }
  /// Whether the fetched state equals the original, byte for byte.
  [[nodiscard]] bool arrived(const state_snapshot& state) const;
  [[nodiscard]] bool arrived() const { return arrived(*snapshot); }
};

}  // namespace hypermesh::testing
