#include <doctest/doctest.h>

#include "tests/simulation/invariant_checker.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A checker for a group of four with K = 4 and L = 8, and the observations of correct replicas. Each test adds one
/// false observation.
struct forged_world {
  request_factory make{small_cluster(4)};
  invariant_checker checker{make.cluster(), make.keys_of(replica_id{0}), std::make_unique<counting_machine>(),
                            invariant_bounds{10, 40, true}};

  std::shared_ptr<const batch> submitted(std::uint64_t number) {
    const auto body = make.batch_number(number);
    checker.on_request_sent(client_id{0}, body->requests.front());
    return body;
  }
  committed_batch committed(std::uint64_t sequence, const std::shared_ptr<const batch>& body) const {
    const auto proposal = make.pre_prepare_of(view_number{0}, sequence_number{sequence}, body);
    auto certificate = std::make_shared<commit_certificate>();
    for (std::uint32_t signer = 0; signer < 3; ++signer) {
      certificate->commits.push_back(make.commit_of(replica_id{signer}, proposal).vote);
    }
    return {view_number{0}, sequence_number{sequence}, proposal.header.content.value, body, certificate};
  }
  void commit(std::uint32_t replica, const committed_batch& content) {
    checker.on_observed(replica_id{replica}, slot_committed{content});
  }
  void commit(std::uint32_t replica, std::uint64_t sequence) {
    commit(replica, committed(sequence, submitted(sequence)));
  }
  void execute(std::uint32_t replica, std::uint64_t sequence, std::vector<executed_request> requests,
               wall_time ordered_time = {}) {
    batch_was_executed done;
    done.sequence = sequence_number{sequence};
    done.requests = std::make_shared<const std::vector<executed_request>>(std::move(requests));
    done.ordered_time = ordered_time;
    checker.on_observed(replica_id{replica}, done);
  }
  /// Commits the batch of one request with a proposed time.
  void commit_at(std::uint32_t replica, std::uint64_t sequence, wall_time time) {
    commit(replica, committed(sequence, request_factory::at_time(*submitted(sequence), time)));
  }
  static executed_request first_time(std::uint64_t when) { return {{client_id{0}, timestamp{when}}, true}; }
  void send(std::uint32_t replica, const message& value) {
    checker.on_message_sent(replica_id{replica}, value, frame_of(value));
  }

  void hand_over(hand_over_cause cause, std::uint64_t to) {
    const group_request wanted{message_kind::hand_over, replica_id{0}, {}, {}, view_number{to}, cause};
    checker.on_observed(replica_id{0}, move_agreed{wanted, sequence_number{1}, {}});
  }

  [[nodiscard]] std::string broken() const { return checker.violated() ? checker.violated()->invariant : "none"; }
};

}  // namespace

TEST_CASE_FIXTURE(forged_world, "a history without a fault breaks no invariant") {
  for (std::uint32_t replica = 0; replica < 4; ++replica) {
    for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
      commit(replica, sequence);
      execute(replica, sequence, {first_time(sequence)});
    }
    checker.on_observed(replica_id{replica}, checkpoint_became_stable{sequence_number{4}, named_digest("root")});
    checker.on_observed(replica_id{replica}, watermarks_moved{sequence_number{4}, sequence_number{12}});
    checker.on_marks(replica_id{replica}, sequence_number{4}, sequence_number{4});
  }
  CHECK(broken() == "none");
}

TEST_CASE_FIXTURE(forged_world, "I1 breaks when two replicas commit different batches at one sequence") {
  commit(0, committed(1, submitted(1)));
  commit(1, committed(1, submitted(2)));
  CHECK(broken() == "I1");
}

TEST_CASE_FIXTURE(forged_world, "I2 breaks when a replica skips a sequence") {
  commit(0, 1);
  commit(0, 2);
  commit(1, 2);
  CHECK(broken() == "I2");
}

TEST_CASE_FIXTURE(forged_world, "I2 breaks when a replica executes a batch that it did not commit") {
  commit(0, 1);
  execute(1, 1, {first_time(1)});
  CHECK(broken() == "I2");
}

TEST_CASE_FIXTURE(forged_world, "I3 breaks when a request that no client sent is ordered") {
  commit(0, committed(1, make.batch_number(1)));
  CHECK(broken() == "I3");
}

TEST_CASE_FIXTURE(forged_world, "I3 breaks when a request is ordered without its client's signature") {
  const auto forged = make.request_signed_by(make.keys_of(replica_id{0}), client_id{0}, timestamp{1}, "1");
  checker.on_request_sent(client_id{0}, forged);
  commit(0, committed(1, request_factory::batch_of({forged})));
  CHECK(broken() == "I3");
}

TEST_CASE_FIXTURE(forged_world, "I4 breaks when a request is executed a second time") {
  const auto body = submitted(1);
  commit(0, committed(1, body));
  execute(0, 1, {first_time(1)});
  commit(0, committed(2, body));
  CHECK(broken() == "none");
  execute(0, 2, {first_time(1)});
  CHECK(broken() == "I4");
}

TEST_CASE_FIXTURE(forged_world, "I4 breaks when a request of a batch is skipped") {
  commit(0, 1);
  execute(0, 1, {});
  CHECK(broken() == "I4");
}

TEST_CASE_FIXTURE(forged_world, "I5 breaks when a client accepts another result than the order gives") {
  commit(0, 1);
  checker.on_outcome(client_id{0}, 0, operation_result{operation_status::applied, to_byte_vector("forged")});
  CHECK(broken() == "I5");
}

TEST_CASE_FIXTURE(forged_world, "I5 breaks when a client has a result before any request is ordered") {
  submitted(1);
  checker.on_outcome(client_id{0}, 0, operation_result{});
  CHECK(broken() == "I5");
}

TEST_CASE_FIXTURE(forged_world, "I6 breaks when a commit certificate has one signer twice") {
  auto content = committed(1, submitted(1));
  auto certificate = *content.certificate;
  certificate.commits.back() = certificate.commits.front();
  content.certificate = std::make_shared<const commit_certificate>(certificate);
  commit(0, content);
  CHECK(broken() == "I6");
}

TEST_CASE_FIXTURE(forged_world, "I6 breaks when a vote in a certificate is for something else or unsigned") {
  auto content = committed(1, submitted(1));
  const auto with_last = [&](const signed_statement& vote) {
    auto certificate = *committed(1, content.body).certificate;
    certificate.commits.back() = vote;
    content.certificate = std::make_shared<const commit_certificate>(certificate);
    invariant_checker fresh{make.cluster(), make.keys_of(replica_id{0}), std::make_unique<counting_machine>(),
                            invariant_bounds{10, 40, true}};
    fresh.on_request_sent(client_id{0}, content.body->requests.front());
    fresh.on_observed(replica_id{0}, slot_committed{content});
    return fresh.violated() ? fresh.violated()->invariant : "none";
  };
  const auto other = make.content_of(replica_id{2}, view_number{0}, sequence_number{2}, content.value);
  CHECK(with_last(make.signed_as(message_kind::commit, other)) == "I6");
  const auto same = make.content_of(replica_id{2}, view_number{0}, sequence_number{1}, content.value);
  CHECK(with_last(make.signed_as(message_kind::prepare, same)) == "I6");
  CHECK(with_last(make.signed_by(make.keys_of(replica_id{1}), message_kind::commit, same)) == "I6");
  CHECK(with_last(make.signed_as(message_kind::commit, same)) == "none");
}

TEST_CASE_FIXTURE(forged_world, "I6 breaks when the body does not match the digest") {
  auto content = committed(1, submitted(1));
  content.body = submitted(2);
  commit(0, content);
  CHECK(broken() == "I6");
}

TEST_CASE_FIXTURE(forged_world, "I7 breaks when a vote leaves before it is durable") {
  checker.set_durability([](replica_id, const storage_record&) { return false; });
  send(2, make.prepare_of(replica_id{2}, make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(1))));
  CHECK(broken() == "I7");
}

TEST_CASE_FIXTURE(forged_world, "I8 breaks when a replica goes back to an earlier view") {
  checker.on_observed(replica_id{1}, replica_progress{view_number{2}, true, {}, 0});
  checker.on_observed(replica_id{1}, replica_progress{view_number{1}, true, {}, 0});
  CHECK(broken() == "I8");
}

TEST_CASE_FIXTURE(forged_world, "I9 breaks when a replica commits above its high watermark") {
  for (std::uint64_t sequence = 1; sequence <= 8; ++sequence)
    commit(0, sequence);
  CHECK(broken() == "none");
  commit(0, 9);
  CHECK(broken() == "I9");
}

TEST_CASE_FIXTURE(forged_world, "I9 breaks when the low watermark runs ahead of execution") {
  checker.on_observed(replica_id{0}, watermarks_moved{sequence_number{4}, sequence_number{12}});
  CHECK(broken() == "I9");
}

TEST_CASE_FIXTURE(forged_world, "I9 breaks when the core's low watermark falls or passes last executed") {
  checker.on_marks(replica_id{0}, sequence_number{4}, sequence_number{6});
  CHECK(broken() == "none");
  checker.on_marks(replica_id{0}, sequence_number{0}, sequence_number{6});
  CHECK(broken() == "I9");
}

TEST_CASE_FIXTURE(forged_world, "I9 breaks when a replica votes above its high watermark") {
  const auto body = submitted(1);
  send(2, make.prepare_of(replica_id{2}, make.pre_prepare_of(view_number{0}, sequence_number{9}, body)));
  CHECK(broken() == "I9");
}

TEST_CASE_FIXTURE(forged_world, "I10 breaks when two states are certified after one sequence") {
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence)
    commit(0, sequence);
  checker.on_observed(replica_id{0}, checkpoint_became_stable{sequence_number{4}, named_digest("one")});
  checker.on_observed(replica_id{1}, checkpoint_became_stable{sequence_number{4}, named_digest("other")});
  CHECK(broken() == "I10");
}

TEST_CASE_FIXTURE(forged_world,
                  "I10 breaks when a state is installed without a proof, or another state than the proven one") {
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence)
    commit(0, sequence);
  SUBCASE("without a proof") {}
  SUBCASE("another one") {
    checker.on_observed(replica_id{0}, checkpoint_became_stable{sequence_number{4}, named_digest("one")});
  }
  checker.on_observed(replica_id{1}, state_was_installed{sequence_number{4}, named_digest("other")});
  CHECK(broken() == "I10");
}

TEST_CASE_FIXTURE(forged_world, "I10 breaks when a correct replica diverges") {
  checker.on_observed(replica_id{1}, divergence_found{sequence_number{4}});
  CHECK(broken() == "I10");
}

TEST_CASE_FIXTURE(forged_world, "I11 breaks when a client's operation fails") {
  submitted(1);
  checker.on_outcome(client_id{0}, 0, std::string{"timed_out"});
  CHECK(broken() == "I11");
}

TEST_CASE_FIXTURE(forged_world, "I12 breaks when slots, requests or records exceed their bounds") {
  SUBCASE("slots") { checker.on_observed(replica_id{0}, replica_progress{view_number{0}, true, {}, 9}); }
  SUBCASE("requests") { checker.on_observed(replica_id{0}, batcher_progress{11, 0}); }
  SUBCASE("records") { checker.on_records_held(replica_id{0}, 41); }
  CHECK(broken() == "I12");
}

TEST_CASE_FIXTURE(forged_world, "I13 breaks when a correct node fails, ends, or refuses a correct frame") {
  SUBCASE("fails") { checker.on_observed(replica_id{0}, node_failed{{"no disk", ""}}); }
  SUBCASE("ends") { checker.on_actor_died(principal::of(replica_id{0}), "replica: an exception"); }
  SUBCASE("refuses") {
    checker.on_observed(replica_id{0}, frame_rejected{principal::of(replica_id{1}), rejection::bad_signature});
  }
  CHECK(broken() == "I13");
}

TEST_CASE_FIXTURE(forged_world, "late and repeated frames of correct nodes break no invariant") {
  for (const auto reason : {rejection::duplicate, rejection::already_decided, rejection::outside_watermarks,
                            rejection::unsolicited, rejection::overloaded}) {
    checker.on_observed(replica_id{0}, frame_rejected{principal::of(replica_id{1}), reason});
  }
  CHECK(broken() == "none");
}

TEST_CASE_FIXTURE(forged_world, "I14 breaks when a correct replica contradicts itself") {
  const auto one = make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(1));
  const auto other = make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(2));
  send(2, make.prepare_of(replica_id{2}, one));
  send(2, make.prepare_of(replica_id{2}, one));
  CHECK(broken() == "none");
  send(2, make.prepare_of(replica_id{2}, other));
  CHECK(broken() == "I14");
}

TEST_CASE_FIXTURE(forged_world, "I14 breaks when a replica that lost its disk contradicts its earlier messages") {
  send(2, make.prepare_of(replica_id{2}, make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(1))));
  checker.on_started(replica_id{2}, recovered_replica{});
  CHECK(broken() == "none");
  send(2, make.prepare_of(replica_id{2}, make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(2))));
  CHECK(broken() == "I14");
}

TEST_CASE_FIXTURE(forged_world, "a replica with lost records may contradict itself, but not the order") {
  const auto one = make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(1));
  const auto other = make.pre_prepare_of(view_number{0}, sequence_number{1}, submitted(2));
  send(2, make.prepare_of(replica_id{2}, one));
  checker.distrust(replica_id{2}, standing::forgetful);
  send(2, make.prepare_of(replica_id{2}, other));
  CHECK(broken() == "none");
  commit(0, committed(1, submitted(1)));
  commit(2, committed(1, submitted(2)));
  CHECK(broken() == "I1");
}

TEST_CASE_FIXTURE(forged_world,
                  "a faulty replica's messages break no invariant, and correct replicas may refuse them") {
  checker.distrust(replica_id{2}, standing::faulty);
  checker.distrust(replica_id{2}, standing::forgetful);
  CHECK(checker.standing_of(replica_id{2}) == standing::faulty);
  commit(0, committed(1, submitted(1)));
  commit(2, committed(1, submitted(2)));
  checker.on_observed(replica_id{0}, frame_rejected{principal::of(replica_id{2}), rejection::bad_signature});
  // Correct replicas may forward contradicting messages of a faulty replica, but never messages with a wrong form.
  checker.on_observed(replica_id{0}, frame_rejected{principal::of(replica_id{1}), rejection::conflicting_statement});
  CHECK(broken() == "none");
  checker.on_observed(replica_id{0}, frame_rejected{principal::of(replica_id{1}), rejection::bad_signature});
  CHECK(broken() == "I13");
}

TEST_CASE_FIXTURE(forged_world, "I5 breaks when a query has an answer that the order never gave") {
  const auto operation = to_byte_vector("count");
  checker.order().remember_answers(operation);
  const auto before = counting_machine{}.query(operation);
  commit(0, 1);
  checker.on_query_outcome(client_id{0}, operation, before);
  CHECK(broken() == "none");
  SUBCASE("another answer") {
    checker.on_query_outcome(client_id{0}, operation, operation_result{operation_status::applied, to_byte_vector("9")});
    CHECK(broken() == "I5");
  }
  SUBCASE("none") {
    checker.on_query_outcome(client_id{0}, operation, std::string{"timed_out"});
    CHECK(broken() == "I11");
  }
}

TEST_CASE_FIXTURE(forged_world, "I20 breaks when a linearizable read has an answer from before what clients had seen") {
  const auto operation = to_byte_vector("count");
  checker.order().remember_answers(operation);
  const auto before = counting_machine{}.query(operation);
  checker.on_read_outcome(client_id{0}, operation, checker.seen(), before);
  commit(0, 1);
  // A read that began before anybody saw batch 1 may have either answer.
  checker.on_read_outcome(client_id{0}, operation, sequence_number{0}, before);
  CHECK(broken() == "none");
  CHECK(checker.seen() == sequence_number{0});
  const operation_result after{operation_status::applied, to_byte_vector("1")};
  checker.on_read_outcome(client_id{0}, operation, sequence_number{0}, after);
  CHECK(broken() == "none");
  // Now a client has seen batch 1, so a later read may not have the older answer.
  CHECK(checker.seen() == sequence_number{1});
  checker.on_read_outcome(client_id{0}, operation, checker.seen(), before);
  CHECK(broken() == "I20");
}

TEST_CASE_FIXTURE(forged_world, "only the first violation is kept") {
  checker.report("I11", "first");
  checker.report("I1", "second");
  CHECK(broken() == "I11");
}

TEST_CASE_FIXTURE(forged_world, "I18 breaks when a replica suspects a primary without its own finding") {
  checker.on_observed(replica_id{1}, primary_suspected{view_number{0}, suspicion_reason::mute});
  send(1, make.suspicion_of(replica_id{1}, view_number{0}));
  CHECK(broken() == "none");
  SUBCASE("only another replica suspected it") { send(2, make.suspicion_of(replica_id{2}, view_number{0})); }
  SUBCASE("it follows a primary that the replica suspected") {
    send(1, make.suspicion_of(replica_id{1}, view_number{1}));
  }
  CHECK(broken() == "I18");
}

TEST_CASE_FIXTURE(forged_world, "I18 breaks when a replica leaves a view without a cause") {
  const auto leave_for = [this](std::uint64_t view) {
    send(2, make.view_change_of(replica_id{2}, view_number{view}, nullptr, {}));
  };
  SUBCASE("no correct replica suspects its primary") { leave_for(1); }
  SUBCASE("a correct replica suspects an earlier primary") {
    checker.on_observed(replica_id{1}, primary_suspected{view_number{0}, suspicion_reason::slow});
    leave_for(1);
    CHECK(broken() == "none");
    leave_for(2);
  }
  SUBCASE("only a faulty replica suspects its primary") {
    checker.distrust(replica_id{1}, standing::faulty);
    checker.on_observed(replica_id{1}, primary_suspected{view_number{0}, suspicion_reason::mute});
    leave_for(1);
  }
  SUBCASE("only a replica that lost its disk suspects its primary") {
    checker.distrust(replica_id{1}, standing::forgetful);
    checker.on_observed(replica_id{1}, primary_suspected{view_number{0}, suspicion_reason::mute});
    leave_for(1);
  }
  SUBCASE("another primary stepped down") {
    hand_over(hand_over_cause::step_down, 4);
    leave_for(4);
    CHECK(broken() == "none");
    leave_for(5);
  }
  SUBCASE("the group agreed to leave earlier views") {
    hand_over(hand_over_cause::readmission, 4);
    leave_for(3);
    leave_for(4);
    CHECK(broken() == "none");
    leave_for(5);
  }
  CHECK(broken() == "I18");
}

TEST_CASE_FIXTURE(forged_world, "I19 breaks when a time that no clock allows is committed") {
  constexpr wall_time noon{std::chrono::hours{12}};
  const auto bound = make.cluster().clock_skew_max;
  checker.set_latest_reading([] { return noon; });
  commit_at(0, 1, std::chrono::floor<std::chrono::milliseconds>(noon + bound));
  CHECK(broken() == "none");
  commit_at(0, 2, std::chrono::floor<std::chrono::milliseconds>(noon + bound) + 1ms);
  CHECK(broken() == "I19");
}

TEST_CASE_FIXTURE(forged_world, "I19 breaks when a replica executes a batch with another time") {
  constexpr wall_time noon{std::chrono::hours{12}};
  commit_at(0, 1, noon);
  execute(0, 1, {first_time(1)}, noon);
  // The second time is earlier, so the ordered time stays.
  commit_at(0, 2, noon - 1ms);
  SUBCASE("ordered time stays") {
    execute(0, 2, {first_time(2)}, noon);
    CHECK(broken() == "none");
    return;
  }
  SUBCASE("ordered time falls") { execute(0, 2, {first_time(2)}, noon - 1ms); }
  SUBCASE("ordered time is lost") { execute(0, 2, {first_time(2)}); }
  SUBCASE("ordered time is invented") { execute(0, 2, {first_time(2)}, noon + 1ms); }
  CHECK(broken() == "I19");
}
