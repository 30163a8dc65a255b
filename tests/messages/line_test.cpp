#include <doctest/doctest.h>

#include <string>

#include "tests/support/message_line.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

digest digest_named(char name) {
  digest value;
  value.bytes.fill(static_cast<std::byte>(name));
  return value;
}

/// Makes the line of a message, with the digests of these tests as letters.
std::string line_of(const message& value) {
  return to_line(value, [](const digest& each) { return std::string(1, std::to_integer<char>(each.bytes[0])); });
}

signed_statement statement_of(std::uint64_t view, std::uint64_t sequence, char name, std::uint32_t replica) {
  return {{view_number{view}, sequence_number{sequence}, digest_named(name), replica_id{replica}, epoch_number{9}}, {}};
}

constexpr request_id some_id{client_id{7}, timestamp{42}};

view_change view_change_of(std::uint32_t replica) {
  view_change value;
  value.new_view = view_number{2};
  value.stable_sequence = sequence_number{4};
  value.replica = replica_id{replica};
  return value;
}

}  // namespace

TEST_CASE("a line shows a client's request and its reply") {
  const auto one = make_request(some_id, {to_byte_vector("abc")}, {});
  CHECK(line_of(one) == "REQUEST c=7 t=42 operations=1 bytes=3");
  const auto two = make_request(some_id, {to_byte_vector("abc"), to_byte_vector("de")}, {});
  CHECK(line_of(two) == "REQUEST c=7 t=42 operations=2 bytes=5");
  reply answer{some_id, view_number{3}, {}};
  answer.outcome.append(0, as_byte_span("x"));
  answer.outcome.append(1, as_byte_span("y"));
  CHECK(line_of(answer) == "REPLY c=7 t=42 v=3 executed results=2");
  answer.outcome = {};
  answer.outcome.status = reply_status::stale_timestamp;
  CHECK(line_of(answer) == "REPLY c=7 t=42 v=3 stale_timestamp results=0");
  answer.outcome.status = reply_status::overloaded;
  CHECK(line_of(answer) == "REPLY c=7 t=42 v=3 overloaded results=0");
  answer.outcome.status = reply_status::session_ended;
  answer.id.session = session_id{9};
  CHECK(line_of(answer) == "REPLY c=7 s=9 t=42 v=3 session_ended results=0");
  CHECK(line_of(query{some_id, to_byte_vector("get")}) == "QUERY c=7 t=42 bytes=3");
  CHECK(line_of(query{some_id, to_byte_vector("get"), true}) == "QUERY c=7 t=42 bytes=3 linearizable");
  CHECK(line_of(query_reply{some_id, sequence_number{8}, 1, to_byte_vector("no")}) ==
        "QUERY-REPLY c=7 t=42 executed=8 status=1 bytes=2");
}

TEST_CASE("a line shows view, sequence and digest of the three phases") {
  auto body = std::make_shared<batch>();
  body->requests.push_back(make_request(some_id, {to_byte_vector("abc")}, {}));
  CHECK(line_of(pre_prepare{statement_of(0, 1, 'A', 0), body, nullptr}) == "PRE-PREPARE v=0 n=1 d=A from=0 requests=1");
  auto with_cases = *body;
  with_cases.system_requests = {make_system_request(case_name{3}), make_system_request(case_name{4})};
  CHECK(line_of(pre_prepare{statement_of(0, 1, 'A', 0), std::make_shared<const batch>(with_cases), nullptr}) ==
        "PRE-PREPARE v=0 n=1 d=A from=0 requests=1 system=2");
  auto timed = *body;
  timed.proposed_time = wall_time{std::chrono::milliseconds{1'234}};
  CHECK(line_of(pre_prepare{statement_of(0, 1, 'A', 0), std::make_shared<const batch>(timed), nullptr}) ==
        "PRE-PREPARE v=0 n=1 d=A from=0 requests=1 time=1234");
  CHECK(line_of(make_system_request(case_name{3}, 1, 2)) == "SYSTEM-REQUEST case=3 COMMIT,COMMIT");
  CHECK(line_of(prepare{statement_of(0, 1, 'A', 2)}) == "PREPARE v=0 n=1 d=A from=2");
  CHECK(line_of(commit{statement_of(3, 12, 'B', 1)}) == "COMMIT v=3 n=12 d=B from=1");
}

TEST_CASE("a line shows the content of a checkpoint proof") {
  CHECK(line_of(checkpoint{statement_of(0, 8, 'S', 3)}) == "CHECKPOINT n=8 d=S from=3");
  const checkpoint_proof proof{{{statement_of(0, 8, 'S', 0), statement_of(0, 8, 'S', 2), statement_of(0, 8, 'S', 3)}}};
  CHECK(line_of(proof) == "CHECKPOINT-PROOF n=8 voters={0,2,3}");
  CHECK(line_of(checkpoint_proof{}) == "CHECKPOINT-PROOF n=0 voters={}");
}

TEST_CASE("a line shows the suspected view") {
  CHECK(line_of(suspicion{statement_of(3, 0, 'A', 2)}) == "SUSPICION v=3 from=2");
}

TEST_CASE("a line shows the certificates of a view change") {
  auto value = view_change_of(3);
  CHECK(line_of(value) == "VIEW-CHANGE v=2 h=4 C={} P={} from=3");
  value.stable_proof.votes = {statement_of(0, 4, 'S', 0), statement_of(0, 4, 'S', 1)};
  value.prepared = {{statement_of(0, 5, 'A', 0), {}}, {statement_of(1, 6, 'B', 1), {}}};
  CHECK(line_of(value) == "VIEW-CHANGE v=2 h=4 C={0,1} P={v=0 n=5 d=A v=1 n=6 d=B} from=3");
}

TEST_CASE("a line shows the reproposals of a new view") {
  new_view value;
  value.view = view_number{2};
  CHECK(line_of(value) == "NEW-VIEW v=2 V={} O={}");
  value.view_changes = {view_change_of(1), view_change_of(2), view_change_of(3)};
  value.reproposals = {statement_of(2, 5, 'A', 2), statement_of(2, 6, 'N', 2)};
  CHECK(line_of(value) == "NEW-VIEW v=2 V={1,2,3} O={n=5 d=A n=6 d=N}");
}

TEST_CASE("a line shows the slots that a replica has and lacks") {
  status value;
  value.replica = replica_id{1};
  value.view = view_number{2};
  value.low_watermark = sequence_number{4};
  value.last_decided = sequence_number{6};
  CHECK(line_of(value) == "STATUS v=2 h=4 decided=6 slots= from=1");
  value.slots = {{true, true, true}, {true, true, false}, {true, false, false}, {false, false, false}};
  CHECK(line_of(value) == "STATUS v=2 h=4 decided=6 slots=cpb- from=1");
  value.active = false;
  value.slots.clear();
  CHECK(line_of(value) == "STATUS v=2 waiting h=4 decided=6 slots= from=1");
}

TEST_CASE("a line shows the part of a state") {
  CHECK(line_of(state_request{sequence_number{8}, 3}) == "STATE-REQUEST n=8 index=3");
  CHECK(line_of(state_request{sequence_number{8}, 1, state_part::leaves}) == "STATE-REQUEST n=8 page=1");
  const state_request third{sequence_number{8}, 3};
  const state_chunk_message chunk{third, std::make_shared<const byte_vector>(100)};
  CHECK(line_of(chunk) == "STATE-CHUNK n=8 index=3 bytes=100");
  CHECK(line_of(state_chunk_message{third, state_refusal::busy}) == "STATE-CHUNK n=8 index=3 refused=busy");
  const state_request first_page{sequence_number{8}, 0, state_part::leaves};
  CHECK(line_of(state_chunk_message{first_page, leaf_page{10, std::vector<digest>(10), {}}}) ==
        "STATE-CHUNK n=8 page=0 leaves=10/10");
  CHECK(line_of(state_chunk_message{first_page, state_refusal::not_held}) == "STATE-CHUNK n=8 page=0 refused=not_held");
}

TEST_CASE("a line shows the requests of a VOUCH") {
  const auto content = statement_of(0, 8, 'A', 0).content.value;
  CHECK(line_of(vouch{{{some_id, content}}}) == "VOUCH requests=1, c=7 t=42 d=A");
}

TEST_CASE("a line shows what a receipt proves") {
  const receipt_query asked{some_id, 3};
  CHECK(line_of(asked) == "RECEIPT-QUERY c=7 t=42 index=3");
  CHECK(line_of(receipt_reply{asked, std::nullopt}) == "RECEIPT-REPLY c=7 t=42 index=3 none");
  receipt_share share;
  share.place.sequence = sequence_number{8};
  share.place.request_count = 5;
  share.place.request_index = 2;
  share.place.batch = statement_of(0, 8, 'A', 0).content.value;
  CHECK(line_of(receipt_reply{asked, share}) == "RECEIPT-REPLY c=7 t=42 index=3 n=8 d=A request=2/5");
}

TEST_CASE("a line shows the content of a node report") {
  CHECK(line_of(node_query{some_id}) == "NODE-QUERY c=7 t=42");
  node_report value;
  value.id = some_id;
  value.replica = replica_id{2};
  value.view = view_number{1};
  value.low_watermark = sequence_number{4};
  value.last_executed = sequence_number{6};
  value.state_root = digest_named('R');
  CHECK(line_of(value) == "NODE-REPORT v=1 h=4 executed=6 root=R from=2");
}

TEST_CASE("a digest without a name is shown as its first eight digits") {
  CHECK(short_name(digest_named('A')) == "41414141");
  CHECK(to_line(prepare{statement_of(0, 1, 'A', 2)}) == "PREPARE v=0 n=1 d=41414141 from=2");
}

TEST_CASE("no message, however random, breaks its line") {
  for (const auto kind : all_kinds()) {
    for (const auto size : sample_sizes) {
      const auto line = to_line(sample_of(kind, size, 1));
      INFO(line);
      CHECK(line.starts_with(std::string{to_string(kind)} + " "));
      CHECK(line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 =-_,{}/") ==
            std::string::npos);
    }
  }
}
