#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/message.hpp>
#include <caf/send.hpp>

#include "actors/frozen_checkpoint.hpp"
#include "actors/interfaces.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/simulated_wall_clock.hpp"
#include "tests/support/virtual_actor.hpp"
#include "tests/support/virtual_scheduler.hpp"

namespace hypermesh::testing {

/// A test bench for one actor of replica `self`. The other actors of its node are probes that record their messages.
/// Time is virtual and moves only by `advance`.
class virtual_bench {
 public:
  explicit virtual_bench(replica_id self, const cluster_parameters& cluster = small_cluster(4));
  ~virtual_bench();
  virtual_bench(const virtual_bench&) = delete;
  virtual_bench& operator=(const virtual_bench&) = delete;

  [[nodiscard]] caf::actor_system& system() { return scheduler_.system(); }
  [[nodiscard]] const request_factory& make() const { return make_; }
  /// The identity of the node. Its wall clock is `clock()`.
  [[nodiscard]] node_identity identity() const;
  [[nodiscard]] simulated_wall_clock& clock() const { return *clock_; }
  /// The probes, by their place in a node. The links to the other replicas are named "peer-0" and so on.
  [[nodiscard]] const node_actors& probes() const { return *probes_; }

  /// A link that does not belong to a replica, for example the link of a client. Its messages are recorded under
  /// `name`.
  [[nodiscard]] peer_actor link(const std::string& name) { return probe<peer_actor>(name); }
  /// A probe of any type.
  template <class Handle>
  [[nodiscard]] Handle probe(const std::string& name) {
    return spawn_virtual<Handle>(system(),
                                 [this, name](const caf::type_erased_tuple& content) { write_down(name, content); });
  }

  /// Keeps an actor until the bench ends, connects it to the probes, and runs it until nothing more happens.
  template <class Handle>
  Handle connect(const Handle& actor) {
    keep(actor);
    give(actor, wired{probes_});
    return actor;
  }
  template <class Handle>
  void keep(const Handle& actor) {
    kept_.push_back(caf::actor_cast<caf::strong_actor_ptr>(actor));
  }

  /// Sends a message and runs until nothing more happens at this time.
  template <class Handle, class Message>
  void give(const Handle& actor, Message content) {
    caf::anon_send(actor, std::move(content));
    scheduler_.run_all();
  }

  /// Delivers a message of `sender`, which is reached over `via`, as the ingress would.
  template <class Handle>
  void give_verified(const Handle& actor, principal sender, message value, peer_actor via = {}) {
    give(actor, verified_message{sender, std::move(via), std::make_shared<const message>(std::move(value)), nullptr});
  }

  /// Moves the time forward and stops at each timer.
  void advance(duration by);
  void settle() { scheduler_.run_all(); }

  /// The messages of one type that a probe has received since the last call for this type, in order.
  template <class Message>
  [[nodiscard]] std::vector<Message> take(const std::string& probe) {
    std::vector<Message> taken;
    std::erase_if(notes_, [&](const note& each) {
      if (each.probe != probe || !each.content.match_elements<Message>()) return false;
      taken.push_back(each.content.get_as<Message>(0));
      return true;
    });
    return taken;
  }
  /// The messages in the frames that a probe received, decoded.
  [[nodiscard]] std::vector<message> take_frames(const std::string& probe);
  /// The observations of one kind that the monitor received.
  template <class Kind>
  [[nodiscard]] std::vector<Kind> take_observed() {
    std::vector<Kind> taken;
    std::erase_if(notes_, [&](const note& each) {
      if (each.probe != "monitor" || !each.content.match_elements<observed>()) return false;
      const auto* what = std::get_if<Kind>(&each.content.get_as<observed>(0).what);
      if (what != nullptr) taken.push_back(*what);
      return what != nullptr;
    });
    return taken;
  }
  /// The receivers of messages, in the order of sending. There is one name for each message.
  [[nodiscard]] std::vector<std::string> order() const;
  [[nodiscard]] bool is_quiet() const { return notes_.empty(); }
  void forget() { notes_.clear(); }
  /// Sets a function that is called with the name of a probe at the moment when a message is sent to it.
  void on_probe(std::function<void(const std::string&)> call) { on_probe_ = std::move(call); }

 private:
  struct note {
    std::string probe;
    caf::message content;
  };

  void write_down(const std::string& probe, const caf::type_erased_tuple& content);

  virtual_scheduler scheduler_;
  request_factory make_;
  replica_id self_;
  std::shared_ptr<simulated_wall_clock> clock_ =
      std::make_shared<simulated_wall_clock>([this] { return scheduler_.now(); }, duration{});
  std::shared_ptr<const node_actors> probes_;
  std::vector<caf::strong_actor_ptr> kept_;
  std::vector<note> notes_;
  std::function<void(const std::string&)> on_probe_;
};

/// The state of a checkpoint whose snapshot and root are known.
[[nodiscard]] inline checkpoint_taken taken_at(sequence_number sequence, const digest& root,
                                               std::shared_ptr<const state_snapshot> snapshot) {
  return {sequence, std::make_shared<frozen_checkpoint>(taken_state{sequence, root, std::move(snapshot)})};
}

[[nodiscard]] inline checkpoint_taken taken_at(sequence_number sequence,
                                               std::shared_ptr<const state_snapshot> snapshot) {
  const auto root = state_root(*snapshot);
  return taken_at(sequence, root, std::move(snapshot));
}

}  // namespace hypermesh::testing
