#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "actors/ports.hpp"
#include "actors/protocol/cluster.hpp"
#include "actors/protocol/divergence.hpp"
#include "actors/protocol/donor_roster.hpp"
#include "actors/protocol/effects.hpp"
#include "actors/protocol/state_assembly.hpp"
#include "messages/values.hpp"

namespace hypermesh {

/// A state that was verified as a whole against the certificate.
struct verified_state {
  std::shared_ptr<const checkpoint_certificate> certificate;
  std::shared_ptr<const state_snapshot> snapshot;
};

struct transfer_effects {
  std::vector<outgoing_message> sends;
  std::shared_ptr<const verified_state> install;
  std::vector<observation> observations;
};

/// Fetches a certified state (TOCS '02 §5.3). Pure; time is ticks. The certificate comes first, then the leaves of the
/// state's hash tree, then the chunks that are not at hand, from several donors at once; each part is checked against
/// the certified root before it is kept, so a Byzantine donor can only delay (attack 24), and not for long: see
/// `donor_roster`. What is verified is used again when the transfer goes over to a newer certificate.
/// Memory: the state being fetched, whose count of chunks the root binds; the newest own state and what was verified
/// under one certificate before, of which unchanged chunks are shared; and the open questions.
class state_fetcher {
 public:
  state_fetcher(const cluster_parameters& cluster, replica_id self) : cluster_(cluster), self_(self) {}

  /// This replica's own state after `sequence`: what did not change since is not fetched.
  void on_taken(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot);

  /// Starts; or, when nothing arrived for a while or nobody has the state any more, goes over to a newer certificate. A
  /// transfer that moves is let finish: under load there is always a newer certificate, and who goes after each never
  /// arrives (attack 26).
  [[nodiscard]] transfer_effects on_fetch(std::shared_ptr<const checkpoint_certificate> certificate);
  /// An answer of `donor`: a chunk, a page of leaves or a refusal.
  [[nodiscard]] transfer_effects on_chunk(replica_id donor, const state_chunk_message& answer);
  /// Replaces donors that are late, and asks others for what did not arrive.
  [[nodiscard]] transfer_effects on_tick();

  /// The state is in place.
  void on_installed(sequence_number sequence);
  /// The state was not put in place: it is not needed, or `unreadable`, and then it is not fetched again.
  [[nodiscard]] transfer_effects on_install_refused(sequence_number sequence, bool unreadable);
  /// The own states from `sequence` on are wrong, so none of them overtakes what is fetched. The news may be older than
  /// the state that is in place.
  void on_diverged(sequence_number sequence);
  /// Not to be asked first from the next transfer on; in ascending order.
  void on_trust(std::vector<replica_id> throttled) { throttled_ = std::move(throttled); }

  [[nodiscard]] bool is_active() const { return certificate_ != nullptr; }

 private:
  enum class question {
    /// Counts against the donor's window.
    open,
    /// May go to another donor. This one has more to answer than was thought; it is not asked a second time.
    taken_back,
    /// Is asked again. An answer is welcome all the same.
    given_up,
  };
  /// A donor that was asked for a part, until the part is here.
  struct asking {
    replica_id donor;
    /// The roster's.
    std::uint64_t number = 0;
    unsigned ticks = 0;
    question now = question::open;

    [[nodiscard]] bool is_open() const { return now == question::open; }
  };
  using asking_list = std::vector<asking>;

  void start(std::shared_ptr<const checkpoint_certificate> certificate, transfer_effects& out);
  void go_over(transfer_effects& out);
  [[nodiscard]] bool should_go_over() const;
  void finish();

  void ask_more(transfer_effects& out);
  void hedge(transfer_effects& out);
  void ask(std::uint64_t part, replica_id donor, transfer_effects& out);
  [[nodiscard]] bool may_ask() const;
  [[nodiscard]] std::optional<replica_id> next_donor_for(std::uint64_t part) const;

  void take(const state_request& part, const asking& from, state_assembly::verdict verdict, std::uint64_t bytes,
            transfer_effects& out);
  void take_refusal(std::uint64_t part, asking& from, state_refusal why, transfer_effects& out);
  void settle(std::uint64_t part);
  void begin_chunks();
  void replace(replica_id donor, donor_fault why, transfer_effects& out);
  void close(std::uint64_t part, asking& which, question as);
  void give_up_passed_over();
  void take_back_excess(replica_id donor);

  [[nodiscard]] const digest& root() const { return certificate_->votes.front().content.value; }

  cluster_parameters cluster_;
  replica_id self_;

  std::shared_ptr<const checkpoint_certificate> certificate_;
  /// The newest one that was asked for meanwhile.
  std::shared_ptr<const checkpoint_certificate> newer_;
  std::optional<state_assembly> assembly_;
  donor_roster roster_;
  std::vector<replica_id> throttled_;
  /// Parts that were asked for and are not here; of the assembly's phase.
  std::map<std::uint64_t, asking_list> asked_;
  /// Parts among them with no open question.
  std::deque<std::uint64_t> again_;
  std::uint64_t next_part_ = 0;
  /// Since the last verified part.
  unsigned ticks_idle_ = 0;
  /// Verified chunks, for how much may be under way.
  std::uint64_t chunks_fetched_ = 0;
  std::uint64_t bytes_fetched_ = 0;

  /// The newest own state and its sequence; what was verified under an earlier certificate; and both, while leaves
  /// arrive.
  std::shared_ptr<const state_snapshot> own_;
  sequence_number own_sequence_;
  std::shared_ptr<const state_snapshot> carried_;
  chunk_stock stock_;
  /// Handed over, until the executor says what became of it.
  std::shared_ptr<const state_snapshot> handed_over_;
  /// A state that cannot be restored is not fetched again.
  sequence_number unreadable_;
  divergence divergence_;
};

}  // namespace hypermesh
