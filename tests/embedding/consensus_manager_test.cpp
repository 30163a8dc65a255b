#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "tests/embedding/host_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

std::unique_ptr<state_machine> make_adding(std::uint32_t) { return std::make_unique<adding_machine>(); }

/// Submits additions of 1, one after another, until it is stopped. Counts what was acknowledged.
class adding_load {
 public:
  explicit adding_load(std::unique_ptr<consensus_client> client)
      : client_(std::move(client)), thread_([this] { run(); }) {}
  ~adding_load() { stop(); }

  void stop() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }
  [[nodiscard]] consensus_client& client() { return *client_; }

 private:
  void run() {
    while (!ends_) {
      const auto text = text_of(client_->submit(to_byte_vector("add 1")));
      ++(text.starts_with("error") ? failed_ : acknowledged_);
    }
  }

  std::unique_ptr<consensus_client> client_;
  std::atomic<bool> ends_{false};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::atomic<std::uint64_t> failed_{0};
  std::thread thread_;
};

}  // namespace

TEST_CASE("a host without actors runs a replicated machine of its own, and reads reports") {
  host_cluster cluster{"adding", make_adding};
  auto client = cluster.connect();
  for (int number = 1; number <= 20; ++number)
    REQUIRE(text_of(client->submit(to_byte_vector("add 2"))) == std::to_string(2 * number));
  CHECK(text_of(client->query(to_byte_vector("read"))) == "40");
  CHECK(text_of(client->submit(to_byte_vector("subtract 1"))) == "write add N or read");

  REQUIRE(becomes_true([&] {
    const auto state = cluster.replica(1).state(embedding_patience);
    return state && state->stable_checkpoint.value > 0;
  }));
  // The read comes from a committed state, which may be old, so it is one of the sums: 0, 2, 4, …, 40.
  const auto old = text_of(client->query(to_byte_vector("read"), read_mode::committed));
  CAPTURE(old);
  REQUIRE(old.find_first_not_of("0123456789") == std::string::npos);
  CHECK(std::stoi(old) % 2 == 0);
  CHECK(std::stoi(old) <= 40);
  // A host that waits as long as it takes passes the largest patience.
  const auto metrics = cluster.replica(1).metrics(std::chrono::milliseconds::max());
  REQUIRE(metrics);
  CHECK(std::ranges::any_of(
      *metrics, [](const auto& each) { return each.name == "requests_executed_total" && each.value >= 20; }));
}

TEST_CASE("a host reads the health of its replica and of the group") {
  host_cluster cluster{"adding", make_adding};
  REQUIRE(becomes_true([&] { return cluster.replica(1).health().reasons.empty(); }));
  const auto well = cluster.replica(1).health();
  CHECK(well.is_live);
  CHECK(well.is_ready);
  CHECK_FALSE(well.is_draining);
  CHECK(well.running);
  CHECK(well.is_service_possible);
  CHECK(well.faults_tolerated == 1);
  CHECK(well.safe_to_restart == std::vector{replica_id{1}, replica_id{2}, replica_id{3}});
  CHECK(well.sentence == "tolerates 1 more fault; safe to restart: 1, 2, 3 (one at a time)");
  cluster.stop(3);
  REQUIRE(becomes_true([&] { return cluster.replica(1).health().faults_tolerated == 0; }));
  const auto ill = cluster.replica(1).health();
  CHECK(ill.is_ready);
  CHECK(ill.is_service_possible);
  CHECK(ill.safe_to_restart.empty());
  REQUIRE(ill.reasons.size() == 1);
  CHECK(ill.reasons[0].replica == replica_id{3});
  CHECK(ill.reasons[0].condition == "unlinked");
  CHECK(ill.reasons[0].text == "replica 3 not connected");
  CHECK(ill.sentence == "tolerates 0 more faults; replica 3 not connected; safe to restart: none");
  cluster.stop(2);
  REQUIRE(becomes_true([&] { return !cluster.replica(1).health().is_service_possible; }));
  CHECK_FALSE(cluster.replica(1).health().is_ready);
  CHECK(cluster.replica(1).health().is_live);
  cluster.start(2);
  cluster.start(3);
  CHECK(becomes_true([&] { return cluster.replica(1).health().safe_to_restart.size() == 3; }));
}

TEST_CASE("a callback that throws costs no other operation of the client its result") {
  host_cluster cluster{"adding", make_adding};
  auto client = cluster.connect();
  for (int number = 1; number <= 3; ++number)
    client->submit(to_byte_vector("add 1"),
                   [](const submit_outcome&) { throw std::runtime_error("a bug of the host"); });
  client->submit(to_byte_vector("add 1"), consensus_client::completion{});
  CHECK(text_of(client->submit(to_byte_vector("add 1"))) == "5");
}

TEST_CASE("a wrong override is refused with the name of its key") {
  const cluster_files files{"adding"};
  auto config = files.replica(0);
  config.overrides["batching.windw"] = "4";
  const auto misspelt = consensus_manager::start(config, make_adding(0));
  REQUIRE_FALSE(misspelt);
  CHECK(misspelt.error().what.find("windw") != std::string::npos);
  CHECK(misspelt.error().origin == fault_origin::configuration);
  config = files.replica(0);
  config.overrides["storage.mode"] = "sometimes";
  const auto unknown = consensus_manager::start(config, make_adding(0));
  REQUIRE_FALSE(unknown);
  CHECK(unknown.error().what.find("sometimes") != std::string::npos);
  CHECK(unknown.error().what.find("the host sets this value") != std::string::npos);
}

TEST_CASE("settings that no client can have are refused with the name of the setting") {
  const cluster_files files{"adding"};
  client_settings endless;
  endless.deadline = std::chrono::microseconds::max();
  client_settings closed;
  closed.requests_in_flight_max = 0;
  for (const auto& [wrong, name] : {std::pair{endless, "deadline"}, std::pair{closed, "requests_in_flight_max"}}) {
    const auto refused = consensus_client::connect(files.client(), wrong);
    REQUIRE_FALSE(refused);
    CAPTURE(refused.error().what);
    CHECK(refused.error().what.find(name) != std::string::npos);
  }
}

TEST_CASE("a subscriber gets each committed operation once and in order, and may continue at another replica") {
  host_cluster cluster{"adding", make_adding};
  auto first = cluster.replica(0).operations(operation_position{sequence_number{1}});
  auto client = cluster.connect();
  for (int number = 1; number <= 10; ++number)
    REQUIRE(text_of(client->submit(to_byte_vector("add 1"))) == std::to_string(number));
  const auto expect = [](operation_stream& from, int sum) {
    const auto item = from.next(embedding_patience);
    REQUIRE(item);
    const auto* done = std::get_if<committed_operation>(&*item);
    REQUIRE(done != nullptr);
    CHECK(as_text(done->operation) == "add 1");
    CHECK(as_text(done->result.payload) == std::to_string(sum));
  };
  for (int sum = 1; sum <= 6; ++sum)
    expect(*first, sum);
  auto second = cluster.replica(2).operations(first->position());
  for (int sum = 7; sum <= 10; ++sum)
    expect(*second, sum);
  CHECK_FALSE(second->next(std::chrono::milliseconds{10}));
}

TEST_CASE("a drained primary hands over, and no acknowledged operation is lost") {
  host_cluster cluster{"adding", make_adding};
  adding_load load{cluster.connect()};
  REQUIRE(becomes_true([&] { return load.acknowledged() >= 20; }));
  auto events = cluster.replica(1).events();
  auto own_events = cluster.replica(0).events();
  const auto drained = cluster.replica(0).drain(embedding_patience);
  const auto why = drained ? std::string{} : drained.error().what;
  INFO(why);
  CHECK(drained);
  CHECK(cluster.replica(0).health().is_draining);
  CHECK_FALSE(cluster.replica(0).health().is_live);
  const auto then = load.acknowledged();
  REQUIRE(becomes_true([&] { return load.acknowledged() >= then + 20; }));
  load.stop();
  CHECK(load.failed() == 0);
  // Every addition was acknowledged exactly once, so the sum is their number.
  CHECK(text_of(load.client().query(to_byte_vector("read"))) == std::to_string(load.acknowledged()));
  bool has_entered = false;
  while (const auto event = events->next(std::chrono::milliseconds{100}))
    has_entered = has_entered || event->kind == event_kind::view_entered;
  CHECK(has_entered);
  CHECK(events->dropped() == 0);
  CHECK_FALSE(events->is_over());
  // The subscriber of the drained replica has all its events, and knows that none will follow.
  std::size_t announced = 0;
  while (const auto event = own_events->next(std::chrono::milliseconds::max()))
    announced += event->kind == event_kind::draining ? 1 : 0;
  CHECK(announced == 1);
  CHECK(own_events->is_over());
  // The drained replica starts again with everything that it had promised.
  cluster.stop(0);
  cluster.start(0);
  REQUIRE(becomes_true([&] {
    const auto mine = cluster.replica(0).state(embedding_patience);
    const auto other = cluster.replica(1).state(embedding_patience);
    return mine && other && mine->last_executed >= other->last_executed;
  }));
}

TEST_CASE("a backup is drained while the group goes on") {
  host_cluster cluster{"adding", make_adding};
  adding_load load{cluster.connect()};
  REQUIRE(becomes_true([&] { return load.acknowledged() >= 10; }));
  CHECK(cluster.replica(3).drain(embedding_patience));
  const auto then = load.acknowledged();
  REQUIRE(becomes_true([&] { return load.acknowledged() >= then + 10; }));
  load.stop();
  CHECK(load.failed() == 0);
  CHECK(text_of(load.client().query(to_byte_vector("read"))) == std::to_string(load.acknowledged()));
}
