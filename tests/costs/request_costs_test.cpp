#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "actors/protocol/admission/inbound_pipeline.hpp"
#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "messages/codec.hpp"
#include "tests/costs/counters.hpp"
#include "tests/support/counting_machine.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

constexpr view_number first_view{0};
constexpr sequence_number one{1};
/// The operation is longer than all other data on its way, so each copy of it is a large allocation.
const std::string large_operation(2 * allocation_counts::large_bytes, 'o');

/// The cores of one of four replicas that a REQUEST passes through.
struct request_way {
  request_factory make{small_cluster(4)};
  replica_id self;
  counting_authenticator keys{make.keys_of(self)};
  inbound_pipeline of_clients{make.cluster(), keys};
  inbound_pipeline of_replicas{make.cluster(), keys};
  request_pool pool{batch_settings{}};
  request_intake intake{make.cluster(), self, keys, pool};
  replica_core core{make.cluster(), self, keys};
  replicated_state state{std::make_unique<counting_machine>(), make.cluster()};
  cost_meter meter{keys};

  explicit request_way(std::uint32_t number) : self(number) {}

  /// The verified message of a frame.
  inbound_pipeline::passed arrive(inbound_pipeline& way, principal sender, const frame_ptr& frame) {
    return way.examine(sender, frame, moment{}).value();
  }
  replica_effects hear(std::uint32_t from, const message& value) {
    return core.on_message(principal::of(replica_id{from}), value);
  }
  /// Admits a request and cuts a batch that contains it.
  std::shared_ptr<const batch> cut(const request& asked) {
    if (!intake.on_request(principal::of(asked.id.client), asked, moment{}).cuts_batches) return nullptr;
    auto next = pool.cut(false);
    return next ? std::make_shared<const batch>(std::move(next->content)) : nullptr;
  }
  /// Executes the batch with this sequence number and returns the answer to its only request.
  client_table::answered execute(std::uint64_t sequence, const batch& content) {
    auto answers = state.execute(sequence_number{sequence}, content);
    pool.on_executed({answers.front().request}, true, moment{});
    return answers.front().answer;
  }
};

}  // namespace

TEST_CASE("a REQUEST is parsed and verified once at the primary, and its bytes are copied twice") {
  request_way primary{0};
  // The first request of a client creates its queue and its entry in the client table. The second request costs as much
  // as all later requests.
  const auto first = primary.cut(primary.make.request_of(client_id{0}, timestamp{1}, "o"));
  REQUIRE(first != nullptr);
  (void)primary.core.on_batch(first_view, first);
  (void)primary.execute(1, *first);
  const auto asked = primary.make.request_of(client_id{0}, timestamp{2}, large_operation);
  const auto frame = reframe(asked);
  auto& meter = primary.meter;

  inbound_pipeline::passed arrived;
  auto cost = meter.of([&] { arrived = primary.arrive(primary.of_clients, principal::of(client_id{0}), frame); });
  CHECK(cost.parsed == 1);
  CHECK(cost.verified == 1);
  // The first copy is necessary, because libsodium needs the signed bytes in one piece.
  CHECK(cost.large == 1);
  // The copy, and the shared message.
  CHECK(cost.allocated <= 2);

  std::shared_ptr<const batch> content;
  cost = meter.of([&] { content = primary.cut(std::get<request>(*arrived.value)); });
  REQUIRE(content != nullptr);
  CHECK(cost.parsed == 0);
  CHECK(cost.verified == 0);
  CHECK(cost.large == 0);
  // The allocations are places in the queues, which are maps.
  CHECK(cost.allocated <= 33);

  replica_effects proposed;
  cost = meter.of([&] { proposed = primary.core.on_batch(first_view, content); });
  REQUIRE(proposed.sends.size() == 1);
  CHECK(cost.parsed == 0);
  CHECK(cost.verified == 0);
  // The second copy goes into the frame of the PRE-PREPARE. The builder reserves room for the bytes but does not write
  // them.
  CHECK(cost.large == 2);
  CHECK(cost.allocated <= 8);

  client_table::answered answer;
  cost = meter.of([&] { answer = primary.execute(2, *content); });
  CHECK(cost.parsed == 0);
  CHECK(cost.verified == 0);
  CHECK(cost.large == 0);
  CHECK(cost.allocated <= 38);

  cost = meter.of([&] { (void)encode_reply(asked.id, first_view, *answer.outcome, answer.request); });
  // The builder's buffer, the frame, and the control block that shares the frame.
  CHECK(cost.allocated <= 3);
}

TEST_CASE("the results of a REQUEST are copied once, into the frame of the reply") {
  request_way primary{0};
  request_outcome outcome;
  outcome.append(0, as_byte_span(large_operation));
  const auto cost = primary.meter.of([&] {
    (void)encode_reply({client_id{0}, timestamp{1}}, first_view, outcome, {});
  });
  // The builder's buffer, which is not written, and the frame.
  CHECK(cost.large == 2);
  CHECK(cost.allocated <= 3);
}

TEST_CASE("a proposal costs a backup one parse and one signature check for each REQUEST, and one for itself") {
  request_way backup{1};
  std::vector<request> requests;
  for (std::uint32_t client = 0; client < 4; ++client)
    requests.push_back(backup.make.request_of(client_id{client}, timestamp{1}, "o"));
  const auto proposal = backup.make.pre_prepare_of(first_view, one, request_factory::batch_of(requests));
  inbound_pipeline::passed arrived;
  auto cost =
      backup.meter.of([&] { arrived = backup.arrive(backup.of_replicas, principal::of(replica_id{0}), proposal.raw); });
  CHECK(cost.parsed == 1 + requests.size());
  CHECK(cost.verified == 1 + requests.size());
  replica_effects accepted;
  cost = backup.meter.of([&] { accepted = backup.hear(0, *arrived.value); });
  CHECK(accepted.sends.size() == 1);
  CHECK(cost.parsed == 0);
  CHECK(cost.verified == 0);
}

TEST_CASE("a backup forwards a REQUEST without a copy") {
  request_way backup{1};
  const auto frame = reframe(backup.make.request_of(client_id{0}, timestamp{1}, large_operation));
  const auto arrived = backup.arrive(backup.of_clients, principal::of(client_id{0}), frame);
  frame_ptr forwarded;
  const auto cost = backup.meter.of([&] { forwarded = reframe(std::get<request>(*arrived.value)); });
  CHECK(forwarded == frame);
  CHECK(cost.allocated == 0);
}

TEST_CASE("a REQUEST of a batch is forwarded without the rest of the batch") {
  request_way backup{1};
  const auto asked = backup.make.request_of(client_id{0}, timestamp{1}, "o");
  const auto other = backup.make.request_of(client_id{1}, timestamp{1}, large_operation);
  const auto proposal = backup.make.pre_prepare_of(first_view, one, request_factory::batch_of({asked, other}));
  const auto arrived = backup.arrive(backup.of_replicas, principal::of(replica_id{0}), proposal.raw);
  const auto& inside = std::get<pre_prepare>(*arrived.value).body->requests.front();
  const auto frame = reframe(inside);
  CHECK(frame->size() == asked.raw.view.size() + 1);
  CHECK(*frame == *reframe(asked));
}
