// The facts of the page and their text.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "messages/signing.hpp"
#include "runtime/http/event_stream.hpp"
#include "runtime/http/page_text.hpp"
#include "tests/support/request_factory.hpp"
#include "tests/support/verified_messages.hpp"

namespace hypermesh::testing {

namespace {

using nlohmann::json;

const replica_id self{1};

moment at(std::int64_t us) { return moment{duration{us}}; }
wall_time wall(std::int64_t ms) { return wall_time{std::chrono::milliseconds{ms}}; }

slot_committed committed(std::uint64_t sequence, std::vector<vote_arrival> votes = {}) {
  slot_committed it;
  it.content.sequence = sequence_number{sequence};
  it.times = {moment{}, at(1'000), at(1'400), at(1'900)};
  it.votes = std::move(votes);
  return it;
}

batch_was_executed executed(std::uint64_t sequence, std::size_t requests) {
  batch_was_executed it;
  it.sequence = sequence_number{sequence};
  it.requests = std::make_shared<const std::vector<executed_request>>(requests);
  it.executed = at(2'000);
  it.replied = at(2'100);
  return it;
}

status_was_heard heard(std::uint32_t from, std::uint64_t decided, std::uint64_t stable) {
  return {replica_id{from}, view_number{3}, true, sequence_number{decided}, false, sequence_number{stable}};
}

evidence two_commits(const request_factory& factory, std::uint64_t sequence, replica_id of = replica_id{2}) {
  evidence shown;
  for (const auto* value : {"A", "B"}) {
    const auto content = factory.content_of(of, view_number{0}, sequence_number{sequence}, named_digest(value));
    shown.items.push_back({message_kind::commit, factory.signed_as(message_kind::commit, content)});
  }
  return shown;
}

fault_proven found(const evidence& shown, replica_id of = replica_id{2}) {
  return {principal::of(of), 1, std::make_shared<const evidence>(shown)};
}

/// The snapshot of a hub, as a page reads it.
json snapshot_of(const dashboard_hub& hub, clock_pair now, const node_facts& facts = {}) {
  health_answer health;
  health.report.reasons.push_back({replica_id{3}, health::replica_condition::silent, 3'000});
  const page_subject of{self, hub.cluster(), std::chrono::seconds{7}};
  return json::parse(snapshot_text(of, facts, health, hub.now(), now));
}

}  // namespace

TEST_CASE("a claim is forgotten when the link changes, and a replica claims nothing about this node") {
  replica_claims claims{self, 4};
  claims.on_link(replica_id{2}, true);
  claims.note(heard(2, 9, 4), at(5));
  claims.note(heard(1, 9, 4), at(5));
  claims.note(heard(77, 9, 4), at(5));
  claims.on_link(replica_id{77}, true);
  CHECK(claims.all()[2].is_linked);
  CHECK(claims.all()[2].last_decided == sequence_number{9});
  CHECK(claims.all()[2].low_watermark == sequence_number{4});
  CHECK(claims.all()[1].heard == moment{});
  claims.on_link(replica_id{2}, false);
  CHECK_FALSE(claims.all()[2].is_linked);
  CHECK(claims.all()[2].heard == moment{});
}

TEST_CASE("the history keeps the last batches with their votes, once both ends are known") {
  batch_history history;
  CHECK(history.note(executed(1, 2)) == nullptr);
  const auto* complete = history.note(committed(1, {{replica_id{2}, message_kind::prepare, at(1'300)}}));
  REQUIRE(complete != nullptr);
  CHECK(complete->requests == 2);
  CHECK(complete->votes.size() == 1);
  CHECK(complete->begin() == at(1'000));
  // The batch was committed again by a later view.
  CHECK(history.note(committed(1)) == nullptr);
  for (std::uint64_t sequence = 2; sequence <= 3 * batch_history::batches_max; ++sequence) {
    (void)history.note(committed(sequence));
    CHECK(history.note(executed(sequence, 1)) != nullptr);
  }
  const auto all = history.batches();
  REQUIRE(all.size() == batch_history::batches_max);
  CHECK(all.back().sequence == sequence_number{3 * batch_history::batches_max});
  // A late observation of an old batch displaces none of them.
  CHECK(history.note(executed(1, 9)) == nullptr);
  CHECK(history.batches().front().sequence == sequence_number{2 * batch_history::batches_max + 1});
}

TEST_CASE("a percentile is never below the true one, and at most a quarter of an octave above it") {
  latency_classes classes;
  CHECK(classes.percentile_us(0.5) == 0);
  for (std::uint64_t us = 1; us <= 1'000; ++us)
    classes.add(us, 1);
  for (const double part : {0.01, 0.5, 0.9, 0.99}) {
    CAPTURE(part);
    const auto exact = part * 1'000;
    CHECK(static_cast<double>(classes.percentile_us(part)) >= exact * 0.999 - 1);
    CHECK(static_cast<double>(classes.percentile_us(part)) <= exact * 1.19 + 1);
  }
  CHECK(classes.percentile_us(1) == 1'000);
  classes.add(~std::uint64_t{0}, 1);
  CHECK(classes.percentile_us(1) > std::uint64_t{1} << 31U);
}

TEST_CASE("activity keeps ten minutes of seconds, and a batch with moments of two runs has no latency") {
  activity counted;
  counted.note_batch(3, 100us);
  counted.note_batch(2, -5us);
  counted.close(wall(1'000));
  CHECK(counted.samples().back().requests == 5);
  CHECK(counted.samples().back().batches == 2);
  CHECK(counted.samples().back().latency_max_us == 100);
  for (std::int64_t second = 2; second < 1'000; ++second)
    counted.close(wall(second * 1'000));
  CHECK(counted.samples().size() == activity::samples_max);
  CHECK(counted.samples().back().requests == 0);
  CHECK(counted.samples().back().latency_p99_us == 0);
}

TEST_CASE("the history of reputations has a point for each change and no other") {
  standing_history history;
  std::vector<reputation> all(4);
  for (std::int64_t second = 0; second < 10; ++second)
    history.note(all, wall(second));
  CHECK(history.points().size() == 4);
  all[2].agreed.score = 0;
  all[2].agreed.quarantined_until = sequence_number{99};
  history.note(all, wall(11));
  REQUIRE(history.points().size() == 5);
  CHECK(history.points().back().replica == replica_id{2});
  for (std::uint32_t score = 0; score < 2 * standing_history::points_max; ++score) {
    all[1].local_score = score;
    history.note(all, wall(12));
  }
  CHECK(history.points().size() == standing_history::points_max);
}

TEST_CASE("a proof shows the bytes that were signed, so anybody can verify them") {
  const request_factory factory{small_cluster(4)};
  proof_list list{factory.cluster()};
  const auto shown = two_commits(factory, 3);
  list.note(found(shown), wall(50));
  // Another node found the same.
  list.note(found(shown), wall(60));
  REQUIRE(list.proofs().size() == 1);
  const auto& proof = list.proofs().front();
  CHECK(proof.about.accused == principal::of(replica_id{2}));
  CHECK(proof.seen == wall(50));
  CHECK(proof.ordered_at == sequence_number{0});
  REQUIRE(proof.items.size() == 2);
  for (const auto& item : proof.items) {
    const auto input = signing_input(factory.cluster().signing, item.kind, item.content);
    CHECK(factory.keys_of(self).verify(principal::of(item.signer), input, item.by));
  }
  auto done = executed(9, 1);
  const auto asked =
      std::get<system_request>(decode(system_request_frame(*claim_in(shown, factory.cluster()), shown)).value());
  done.body = request_factory::batch_of({}, {asked});
  list.note(done, wall(70));
  REQUIRE(list.proofs().size() == 1);
  CHECK(list.proofs().front().ordered_at == sequence_number{9});
}

TEST_CASE("proofs are bounded, and those against clients are not shown") {
  const request_factory factory{small_cluster(4)};
  proof_list list{factory.cluster()};
  evidence of_client;
  for (const auto* operation : {"A", "B"})
    of_client.items.push_back(item_from(factory.request_of(client_id{1}, timestamp{4}, operation)));
  list.note(fault_proven{principal::of(client_id{1}), 5, std::make_shared<const evidence>(of_client)}, wall(1));
  list.note(fault_proven{principal::of(replica_id{2}), 1, nullptr}, wall(1));
  list.note(found(evidence{}), wall(1));
  CHECK(list.proofs().empty());
  for (std::uint64_t sequence = 1; sequence <= 3 * proof_list::proofs_max; ++sequence)
    list.note(found(two_commits(factory, sequence)), wall(1));
  CHECK(list.proofs().size() == proof_list::proofs_max);
}

TEST_CASE("a snapshot says for each replica its claim, its condition and its reputation") {
  dashboard_hub hub{self, small_cluster(4)};
  hub.on_link(replica_id{0}, true);
  hub.note(heard(0, 12, 8), at(1'000'000), wall(1));
  hub.close_second({}, wall(2));
  node_facts facts;
  facts.reputations = std::vector<reputation>(4);
  (*facts.reputations)[3].agreed.convictions = 2;
  const auto shown = snapshot_of(hub, {at(1'250'000), wall(10'000)}, facts);
  CHECK(shown["replica"] == 1);
  CHECK(shown["quorum"] == 3);
  CHECK(shown["replicas"][0]["linked"] == true);
  CHECK(shown["replicas"][0]["heard_ms"] == 250);
  CHECK(shown["replicas"][0]["decided"] == 12);
  CHECK(shown["replicas"][0]["stable"] == 8);
  CHECK(shown["replicas"][0]["condition"] == "voting");
  CHECK_FALSE(shown["replicas"][2].contains("heard_ms"));
  CHECK(shown["replicas"][3]["condition"] == "silent");
  CHECK(shown["replicas"][3]["convictions"] == 2);
  CHECK(shown["node"].is_null());
  CHECK(shown["second"][1] == 0);
}

TEST_CASE("the votes of a batch include the proposal of the primary and the own votes") {
  dashboard_hub hub{self, small_cluster(4)};
  hub.note(committed(8, {{replica_id{2}, message_kind::prepare, at(1'300)},
                         {replica_id{2}, message_kind::commit, at(1'700)},
                         {replica_id{0}, message_kind::commit, at(1'900)}}),
           at(2'000), wall(1));
  hub.note(executed(8, 3), at(2'100), wall(1));
  const auto batches = snapshot_of(hub, {at(61'000), wall(10'060)})["batches"];
  REQUIRE(batches.size() == 1);
  const auto& shown = batches[0];
  CHECK(shown["sequence"] == 8);
  CHECK(shown["begin_ms"] == 10'000);
  CHECK_FALSE(shown.contains("requested"));
  CHECK(shown["prepared"] == 400);
  CHECK(shown["prepares"] == json::parse("[[0,0],[1,0],[2,300]]"));
  CHECK(shown["commits"] == json::parse("[[1,400],[2,700],[0,900]]"));
}

TEST_CASE("the largest group has a snapshot that fits, with the newest batches") {
  auto cluster = small_cluster(100);
  dashboard_hub hub{self, cluster};
  for (std::uint32_t number = 0; number < 100; ++number)
    hub.note(heard(number, ~std::uint64_t{0}, ~std::uint64_t{0}), at(1), wall(1));
  std::vector<vote_arrival> votes;
  for (std::uint32_t number = 2; number < 100; ++number) {
    votes.push_back({replica_id{number}, message_kind::prepare, at(99'999'999)});
    votes.push_back({replica_id{number}, message_kind::commit, at(99'999'999)});
  }
  for (std::uint64_t sequence = 1; sequence <= 40; ++sequence) {
    hub.note(committed(sequence, votes), at(1), wall(1));
    hub.note(executed(sequence, 1), at(1), wall(1));
  }
  node_facts facts;
  facts.reputations = std::vector<reputation>(100);
  health_answer health;
  for (std::uint32_t number = 0; number < 100; ++number)
    health.report.reasons.push_back({replica_id{number}, health::replica_condition::on_probation, ~std::uint64_t{0}});
  const page_subject of{self, cluster, {}};
  const auto text = snapshot_text(of, facts, health, hub.now(), {at(100), wall(1)});
  // A page that is one snapshot behind stays connected.
  CHECK(2 * text.size() < http::event_subscription::bytes_max);
  const auto all = json::parse(text);
  CHECK(all["replicas"].size() == 100);
  const auto batches = json::parse(batches_text(self, cluster.group(), hub.batches(), {at(100), wall(1)}))["batches"];
  CHECK(batches.size() == batch_history::batches_max);
  CHECK(batches.back()["sequence"] == 40);
}

TEST_CASE("bytes of others cannot break the text of the page") {
  dashboard_hub hub{self, small_cluster(4)};
  for (std::size_t number = 0; number < 2 * dashboard_hub::events_max; ++number)
    hub.on_event({wall(1), "link_down", "warn", "\"</script>\xff\n\ndata: x"});
  const auto past = json::parse(history_text(hub.before()));
  CHECK(past["events"].size() == dashboard_hub::events_max);
  const auto line = tape_text({wall(1), "link_down", "warn", "a\nevent: snapshot\r\n\xff"});
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find('\r') == std::string::npos);
  CHECK(json::parse(line)["name"] == "link_down");
}

TEST_CASE("the text of the evidence has the whole input of each signature") {
  const request_factory factory{small_cluster(4)};
  proof_list list{factory.cluster()};
  list.note(found(two_commits(factory, 3)), wall(50));
  std::vector<public_key> keys(4);
  keys[2].bytes.fill(std::byte{0x7a});
  const auto text = json::parse(evidence_text(factory.cluster().signing, list.proofs(), keys));
  const auto& item = text["proofs"][0]["items"][1];
  CHECK(item["name"] == "COMMIT");
  CHECK(item["public_key"].get<std::string>().starts_with("7a7a"));
  const auto input = text["signing_prefix"].get<std::string>() + "04" + item["content"].get<std::string>();
  const auto& signed_item = list.proofs().front().items[1];
  CHECK(input == to_hex(signing_input(factory.cluster().signing, message_kind::commit, signed_item.content)));
}

}  // namespace hypermesh::testing
