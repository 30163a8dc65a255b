#include "tests/simulation/invariant_checker.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/require.hpp"
#include "tests/support/message_line.hpp"

namespace hypermesh::testing {

namespace {

/// Whether the form or meaning of the frame is wrong. A correct node checks both before it sends or forwards anything.
bool is_wrong_in_itself(rejection reason) { return reason <= rejection::bad_certificate; }

/// Whether a rejection for this reason shows a faulty node: if all nodes are correct, no node refuses a frame for it.
bool accuses(rejection reason) {
  return is_wrong_in_itself(reason) || reason == rejection::not_from_primary ||
         reason == rejection::primary_voted_prepare || reason == rejection::conflicting_statement;
}

/// The size of the smallest sets of which any two share a correct replica. It is computed again here, so that a wrong
/// quorum in the product does not make wrong certificates valid.
std::size_t quorum_of(std::uint32_t replicas) {
  const std::uint32_t faulty = (replicas - 1) / 3;
  std::uint32_t quorum = 1;
  while (2 * quorum < replicas + faulty + 1)
    ++quorum;
  return quorum;
}

std::string place_of(replica_id replica, sequence_number sequence) {
  return fmt::format("replica {} at n={}", replica.value, sequence.value);
}

}  // namespace

invariant_checker::invariant_checker(const cluster_parameters& cluster, const authenticator& keys,
                                     std::unique_ptr<state_machine> model, invariant_bounds bounds)
    : cluster_(cluster),
      keys_(&keys),
      order_(std::move(model)),
      times_(cluster),
      bounds_(bounds),
      tracks_(cluster.replicas),
      standings_(cluster.replicas, standing::correct) {}

void invariant_checker::report(std::string_view invariant, std::string what) {
  if (!violated_) violated_ = violation{std::string{invariant}, std::move(what)};
}

void invariant_checker::distrust(replica_id replica, standing now) {
  auto& before = standings_.at(replica.value);
  before = std::max(before, now);
}

// --- What replicas say -----------------------------------------------------------

struct invariant_checker::watching {
  invariant_checker& checker;
  replica_id replica;

  void operator()(const frame_rejected& it) const { checker.on_rejected(replica, it); }
  void operator()(const slot_committed& it) const { checker.on_committed(replica, it.content); }
  void operator()(const batch_was_executed& it) const { checker.on_executed(replica, it); }
  void operator()(const watermarks_moved& it) const { checker.on_watermarks(replica, it); }
  void operator()(const checkpoint_became_stable& it) const { checker.on_stable(replica, it); }
  void operator()(const state_was_installed& it) const { checker.on_installed(replica, it); }
  void operator()(const snapshot_was_taken&) const {}
  void operator()(const state_was_kept&) const {
    auto& track = checker.tracks_[replica.value];
    track.views_at_kept.push_back(track.view);
    if (track.views_at_kept.size() > 3) track.views_at_kept.pop_front();
  }
  void operator()(const divergence_found& it) const {
    checker.report("I10", place_of(replica, it.sequence) + " finds its state diverged");
  }
  void operator()(const view_was_entered& it) const {
    auto& entered = checker.tracks_[replica.value].entered;
    checker.expect(it.view > entered, "I8",
                   [&] { return fmt::format("replica {} enters view {} again", replica.value, it.view.value); });
    entered = it.view;
  }
  void operator()(const status_was_heard&) const {}
  void operator()(const audit_interrupted&) const {}
  void operator()(const query_failed&) const {}
  void operator()(const primary_suspected& it) const {
    checker.causes_.on_suspected(replica, it.view, checker.is_bound(replica));
  }
  void operator()(const donor_replaced& it) const {
    const bool accuses = it.reason == donor_fault::lied && checker.is_bound(it.replica);
    checker.expect(!checker.bounds_.all_correct || !accuses, "I14", [&] {
      return fmt::format("replica {} says that the donor {} lied", replica.value, it.replica.value);
    });
  }
  void operator()(const execution_resumed&) const {}
  void operator()(const probation_changed&) const {}
  void operator()(const move_agreed& it) const { checker.causes_.on_agreed(it); }
  void operator()(const fault_proven& it) const { checker.on_accused(replica, it.accused); }
  void operator()(const standing_changed& it) const {
    if (it.happened == standing_changed::what::convicted) checker.on_accused(replica, it.about);
  }
  void operator()(const replica_progress& it) const {
    auto& view = checker.tracks_[replica.value].view;
    checker.expect(it.view >= view, "I8",
                   [&] { return fmt::format("replica {} goes back to view {}", replica.value, it.view.value); });
    view = it.view;
    checker.expect(it.slots_in_use <= checker.cluster_.watermark_window, "I12",
                   [&] { return fmt::format("replica {} holds {} slots", replica.value, it.slots_in_use); });
  }
  void operator()(const batcher_progress& it) const {
    checker.expect(it.requests_pending <= checker.bounds_.requests_pending_max, "I12", [&] {
      return fmt::format("replica {} holds {} pending requests", replica.value, it.requests_pending);
    });
  }
  void operator()(const node_failed& it) const {
    checker.report("I13", fmt::format("replica {} failed: {}", replica.value, it.error.what));
  }
};

void invariant_checker::on_observed(replica_id replica, const observation& what) {
  require(replica.value < tracks_.size(), "what is observed is of a member");
  if (standing_of(replica) != standing::faulty) std::visit(watching{*this, replica}, what);
}

void invariant_checker::on_committed(replica_id replica, const committed_batch& content) {
  auto& track = tracks_[replica.value];
  const auto n = content.sequence;
  const bool in_window = track.low < n && n <= track.low.plus(cluster_.watermark_window);
  expect(in_window, "I9", [&] {
    return fmt::format("{} commits outside of its watermarks, h={}", place_of(replica, n), track.low.value);
  });
  const bool follows = n == track.committed.next() || (n == track.installed.next() && n > track.committed);
  if (!expect(follows, "I2",
              [&] { return fmt::format("{} commits after n={}", place_of(replica, n), track.committed.value); })) {
    return;
  }
  track.committed = n;
  check_certificate(replica, content);
  const bool has_body = content.body != nullptr && digest_of_batch(*content.body) == content.value;
  if (!expect(has_body, "I6", [&] { return place_of(replica, n) + " commits a body of another digest"; })) return;
  if (const auto* known = order_.at(n)) {
    expect(known->value == content.value, "I1", [&] {
      return fmt::format("{} commits d={} where another replica committed d={}", place_of(replica, n),
                         short_name(content.value), short_name(known->value));
    });
    return;
  }
  if (!expect(n == order_.last().next(), "I2", [&] {
        return fmt::format("{} is committed while nobody committed n={}", place_of(replica, n), n.value - 1);
      })) {
    return;
  }
  check_body(content);
  check_time(times_.wrong_proposal(content));
  order_.append(content.value, *content.body);
  committed_in_.push_back(content.view);
}

void invariant_checker::check_certificate(replica_id replica, const committed_batch& content) {
  const auto bad = [&](std::string_view why) {
    report("I6", fmt::format("{} has a commit certificate {}", place_of(replica, content.sequence), why));
  };
  if (content.certificate == nullptr) return bad("that is missing");
  std::set<replica_id> signers;
  for (const auto& vote : content.certificate->commits) {
    const auto& said = vote.content;
    const bool matches = said.view == content.view && said.sequence == content.sequence &&
                         said.value == content.value && said.epoch == cluster_.signing.epoch;
    if (!matches) return bad("with a vote for something else");
    const auto input = signing_input(cluster_.signing, message_kind::commit, statement_bytes(said));
    if (!cluster_.group().contains(said.replica) || !keys_->verify(principal::of(said.replica), input, vote.by)) {
      return bad("with a vote that nobody signed");
    }
    signers.insert(said.replica);
  }
  if (signers.size() < quorum_of(cluster_.replicas)) bad("without a quorum of signers");
}

void invariant_checker::on_accused(replica_id by, principal accused) {
  const bool honest = accused.is_client() ? trusts(client_id{accused.number}) : is_bound(replica_id{accused.number});
  expect(!honest, "I14", [&] { return fmt::format("replica {} accuses {}", by.value, to_string(accused)); });
}

void invariant_checker::check_case(const system_request& value) {
  const auto about = claim_in(value, cluster_);
  if (!expect(about.has_value(), "I3", [] { return "a request of the guard without a case is ordered"; })) return;
  if (const auto* accused = std::get_if<misbehaviour>(&*about)) on_accused(replica_id{}, accused->accused);
}

void invariant_checker::check_body(const committed_batch& content) {
  for (const auto& each : content.body->system_requests)
    check_case(each);
  for (const auto& each : content.body->requests) {
    const auto name = [&] {
      return fmt::format("the request c={} s={} t={}", each.id.client.value, each.id.session.value, each.id.when.value);
    };
    const auto found = submitted_.find(each.id);
    const bool sent = found != submitted_.end() && found->second.contains(submitted_digest_of(each));
    expect(sent, "I3", [&] { return name() + " is ordered but its client never sent it"; });
    if (cluster_.requests_by != request_authentication::signature) continue;
    const auto input = signing_input(cluster_.signing, message_kind::request, each.signed_bytes());
    expect(keys_->verify(principal::of(each.id.client), input, each.client_signature), "I3",
           [&] { return name() + " is ordered without its client's signature"; });
  }
}

void invariant_checker::on_executed(replica_id replica, const batch_was_executed& executed) {
  auto& track = tracks_[replica.value];
  const auto n = executed.sequence;
  const bool follows = n == track.applied.next() && n <= track.committed;
  if (!expect(follows, "I2", [&] {
        return fmt::format("{} executes after n={}, committed n={}", place_of(replica, n), track.applied.value,
                           track.committed.value);
      })) {
    return;
  }
  track.applied = n;
  const auto* expected = order_.at(n);
  require(expected != nullptr, "what a replica committed is in the order");
  const auto& done = *executed.requests;
  bool same = done.size() == expected->requests.size() && executed.cases == expected->cases;
  bool in_order = true;
  for (std::size_t index = 0; same && index < done.size(); ++index) {
    const auto& wanted = expected->requests[index];
    same = done[index].id == wanted.id;
    in_order = in_order && done[index].too_early == wanted.too_early;
    same = same && done[index].first_time == wanted.first_time && done[index].opened == wanted.opened;
  }
  check_time(proposed_times::wrong_execution(n, expected->ordered_time, executed.ordered_time));
  expect(in_order, "I17", [&] { return place_of(replica, n) + " executes a session out of its order"; });
  expect(same, "I4", [&] { return place_of(replica, n) + " does not execute each request exactly once"; });
}

void invariant_checker::on_watermarks(replica_id replica, const watermarks_moved& moved) {
  auto& track = tracks_[replica.value];
  const auto name = [&] { return fmt::format("replica {}, h={}", replica.value, moved.low.value); };
  expect(moved.low >= track.low, "I9", [&] { return name() + ": the low watermark falls"; });
  expect(moved.low <= std::max(track.committed, track.installed), "I9",
         [&] { return name() + ": the low watermark is ahead of execution"; });
  expect(moved.high == moved.low.plus(cluster_.watermark_window), "I9", [&] { return name() + ": H is not h + L"; });
  expect(cluster_.is_checkpoint(moved.low), "I9", [&] { return name() + ": h is no checkpoint"; });
  track.low = moved.low;
}

void invariant_checker::check_root(sequence_number sequence, const digest& root) {
  const auto [place, is_new] = roots_.emplace(sequence, root);
  expect(place->second == root, "I10", [&] {
    return fmt::format("two states are certified after n={}: d={} and d={}", sequence.value, short_name(place->second),
                       short_name(root));
  });
}

void invariant_checker::on_stable(replica_id replica, const checkpoint_became_stable& stable) {
  auto& track = tracks_[replica.value];
  const auto n = stable.sequence;
  expect(n > track.stable, "I9", [&] { return place_of(replica, n) + ": the stable checkpoint does not grow"; });
  expect(cluster_.is_checkpoint(n) && n <= order_.last(), "I10",
         [&] { return place_of(replica, n) + ": a state is certified that nobody can have"; });
  track.stable = n;
  check_root(n, stable.root);
}

void invariant_checker::on_installed(replica_id replica, const state_was_installed& installed) {
  auto& track = tracks_[replica.value];
  const auto n = installed.sequence;
  ++states_installed_;
  expect(n > track.applied, "I10", [&] { return place_of(replica, n) + ": an older state is installed"; });
  expect(roots_.contains(n), "I10", [&] { return place_of(replica, n) + ": a state is installed without proof"; });
  track.applied = n;
  track.installed = std::max(track.installed, n);
  check_root(n, installed.root);
}

void invariant_checker::on_rejected(replica_id replica, const frame_rejected& rejected) {
  ++rejections_[rejected.reason];
  const bool may = !is_bound(replica) || may_refuse(rejected.sender, rejected.reason);
  expect(!bounds_.all_correct || may, "I13", [&] {
    return fmt::format("replica {} refuses a frame of {}: {}", replica.value, to_string(rejected.sender),
                       to_string(rejected.reason));
  });
}

bool invariant_checker::may_refuse(principal sender, rejection reason) const {
  if (sender.is_replica() && !is_bound(replica_id{sender.number})) return true;
  if (sender.is_client() && !trusts(client_id{sender.number})) return true;
  // The messages of a faulty replica may contradict each other, even when a correct replica forwards them.
  const bool all_bound = std::ranges::all_of(standings_, [](standing each) { return each == standing::correct; });
  return all_bound ? !accuses(reason) : !is_wrong_in_itself(reason);
}

// --- What replicas do ------------------------------------------------------------

void invariant_checker::on_message_sent(replica_id replica, const message& value, const frame_ptr& frame) {
  if (const auto* opened = std::get_if<new_view>(&value)) {
    for (const auto& each : opened->reproposals)
      reproposed_.emplace(each.content.view, each.content.sequence);
  }
  if (standing_of(replica) == standing::faulty) return;
  if (const auto* it = std::get_if<pre_prepare>(&value)) {
    check_statement(replica, message_kind::pre_prepare, it->header, frame);
  } else if (const auto* preparing = std::get_if<prepare>(&value)) {
    check_statement(replica, message_kind::prepare, preparing->vote, frame);
  } else if (const auto* committing = std::get_if<commit>(&value)) {
    check_statement(replica, message_kind::commit, committing->vote, frame);
  } else if (const auto* stable = std::get_if<checkpoint>(&value)) {
    check_statement(replica, message_kind::checkpoint, stable->vote, frame);
  } else if (const auto* change = std::get_if<view_change>(&value)) {
    check_view_change(*change, frame, replica);
  } else if (const auto* opened = std::get_if<new_view>(&value)) {
    check_new_view(*opened, frame, replica);
  } else if (const auto* suspecting = std::get_if<suspicion>(&value)) {
    check_cause(replica, causes_.wrong_suspicion(suspecting->vote.content.replica, suspecting->vote.content.view));
  }
}

void invariant_checker::check_cause(replica_id sender, const std::optional<std::string>& wrong) {
  if (wrong && is_bound(sender)) report("I18", *wrong);
}

void invariant_checker::check_time(const std::optional<std::string>& wrong) {
  if (wrong) report("I19", *wrong);
}

void invariant_checker::check_document(replica_id replica, record_kind kind, view_number view, const frame_ptr& frame) {
  if (!is_durable_) return;
  expect(is_durable_(replica, {kind, view, {}, frame}), "I7",
         [&] { return fmt::format("a view document of replica {} leaves before it is durable", replica.value); });
}

void invariant_checker::check_view_change(const view_change& change, const frame_ptr& frame, replica_id sender) {
  check_document(sender, record_kind::view_change, change.new_view, frame);
  if (sender != change.replica || !is_bound(sender)) return;
  check_cause(sender, causes_.wrong_departure(sender, change.new_view));
  const auto key = std::make_tuple(sender, message_kind::view_change, change.new_view, sequence_number{0});
  const auto value = digest_of("view change", change.raw.view);
  expect(said_.emplace(key, value).first->second == value, "I14",
         [&] { return fmt::format("replica {} leaves for view {} in two ways", sender.value, change.new_view.value); });
}

/// I8: the new view proposes again every batch that may have been committed.
void invariant_checker::check_new_view(const new_view& opened, const frame_ptr& frame, replica_id sender) {
  check_document(sender, record_kind::new_view, opened.view, frame);
  if (sender == opened.replica && is_bound(sender)) {
    const auto key = std::make_tuple(sender, message_kind::new_view, opened.view, sequence_number{0});
    const auto [place, is_new] = said_.emplace(key, digest_of("new view", opened.raw.view));
    if (is_new) ++views_opened_;
    expect(place->second == digest_of("new view", opened.raw.view), "I14",
           [&] { return fmt::format("replica {} opens view {} twice", sender.value, opened.view.value); });
  }
  sequence_number covered;
  for (const auto& each : opened.view_changes)
    covered = std::max(covered, each.stable_sequence);
  for (const auto& each : opened.reproposals) {
    const auto& content = each.content;
    covered = content.sequence;
    const auto* known = order_.at(content.sequence);
    expect(known == nullptr || known->value == content.value, "I8", [&] {
      return fmt::format("view {} proposes another batch at n={}, which is committed", opened.view.value,
                         content.sequence.value);
    });
  }
  // This also covers batches that were committed later in an earlier view, by replicas that had not left it yet.
  auto earlier = order_.last();
  while (earlier > covered && committed_in_.at(earlier.value - 1) >= opened.view)
    earlier = sequence_number{earlier.value - 1};
  expect(covered >= earlier, "I8", [&] {
    return fmt::format("view {} ends at n={} and forgets what is committed up to n={}", opened.view.value,
                       covered.value, earlier.value);
  });
}

void invariant_checker::check_statement(replica_id replica, message_kind kind, const signed_statement& said,
                                        const frame_ptr& frame) {
  const auto& content = said.content;
  const auto name = [&] { return fmt::format("{} of {}", to_string(kind), place_of(replica, content.sequence)); };
  // A relayed PRE-PREPARE is the primary's statement. A replica that relays it has it on disk as well.
  if (content.replica == replica && is_bound(replica)) {
    const auto key = std::make_tuple(replica, kind, content.view, content.sequence);
    const auto [place, is_new] = said_.emplace(key, content.value);
    expect(place->second == content.value, "I14", [&] { return name() + " contradicts what it said before"; });
    const auto& track = tracks_[replica.value];
    const bool below_high = content.sequence <= track.low.plus(cluster_.watermark_window);
    expect(kind == message_kind::checkpoint || below_high, "I9", [&] { return name() + " is above H"; });
  }
  if (!is_durable_) return;
  const bool is_reproposed =
      kind == message_kind::pre_prepare && reproposed_.contains({content.view, content.sequence});
  if (is_reproposed) return;
  static constexpr auto record_of = [](message_kind of) {
    switch (of) {
      case message_kind::prepare:
        return record_kind::prepare;
      case message_kind::commit:
        return record_kind::commit;
      case message_kind::checkpoint:
        return record_kind::checkpoint;
      default:
        return record_kind::pre_prepare;
    }
  };
  expect(is_durable_(replica, {record_of(kind), content.view, content.sequence, frame}), "I7",
         [&] { return name() + " leaves before it is durable"; });
}

void invariant_checker::on_marks(replica_id replica, sequence_number low, sequence_number last_executed) {
  if (standing_of(replica) == standing::faulty) return;
  auto& track = tracks_[replica.value];
  const bool grows = low >= track.core_low && last_executed >= track.core_executed;
  expect(grows, "I9", [&] { return place_of(replica, last_executed) + ": h or last executed falls"; });
  expect(low <= last_executed, "I9",
         [&] { return fmt::format("{}: h={} is ahead of execution", place_of(replica, last_executed), low.value); });
  track.core_low = low;
  track.core_executed = last_executed;
}

void invariant_checker::on_records_held(replica_id replica, std::uint64_t count) {
  if (standing_of(replica) == standing::faulty) return;
  const auto& track = tracks_[replica.value];
  // Votes of earlier views are kept until the disk has forgotten the slot.
  const auto views = track.view.value - (track.views_at_kept.size() < 3 ? 0 : track.views_at_kept.front().value);
  expect(count <= bounds_.records_max * (1 + views), "I12",
         [&] { return fmt::format("the disk of replica {} holds {} records", replica.value, count); });
}

void invariant_checker::on_started(replica_id replica, const recovered_replica& past) {
  if (standing_of(replica) == standing::faulty) return;
  auto& track = tracks_[replica.value];
  const auto stable = past.stable ? past.stable->sequence() : sequence_number{0};
  // I7: executed batches are on the disks of a quorum, but this disk may have lost its last commit certificates.
  expect(past.last_executed <= std::max(order_.last(), stable), "I7",
         [&] { return fmt::format("{} remembers what nobody committed", place_of(replica, past.last_executed)); });
  track = {};
  track.view = past.view;
  track.entered = past.own_change == nullptr ? past.view : view_number{0};
  track.low = stable;
  track.stable = stable;
  track.committed = past.last_executed;
  track.applied = past.last_executed;
  track.core_low = stable;
  track.core_executed = past.last_executed;
}

void invariant_checker::on_actor_died(principal who, const std::string& reason) {
  if (who.is_replica() && standing_of(replica_id{who.number}) == standing::faulty) return;
  report("I13", fmt::format("an actor of {} ended: {}", to_string(who), reason));
}

}  // namespace hypermesh::testing
