#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <caf/send.hpp>

#include "actors/protocol/reputation/system_request.hpp"
#include "messages/codec.hpp"
#include "runtime/hosted_client.hpp"
#include "runtime/hosted_replica.hpp"
#include "runtime/member_identity.hpp"
#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/support/counting_machine.hpp"

namespace {

using namespace hypermesh;
using namespace hypermesh::testing;

/// A folder that is removed with all its contents when the test ends.
class scratch_folder {
 public:
  scratch_folder() {
    auto pattern = (std::filesystem::temp_directory_path() / "hypermesh-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~scratch_folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A port of the loopback interface that is free at the moment.
std::uint16_t free_port() {
  static std::uint16_t next = static_cast<std::uint16_t>(20'000 + (getpid() % 2'000) * 8);
  return next++;
}

/// A host application: four replicas, each in its own actor system, and a client.
class host_application {
 public:
  /// Makes the machine of a replica.
  using machine_maker = std::unique_ptr<state_machine> (*)();

  /// Each replica uses the product's machine that the plan names, unless the host brings its own machine.
  explicit host_application(cluster_plan plan = {}, machine_maker make_machine = nullptr)
      : make_machine_(make_machine) {
    for (std::uint32_t number = 0; number < plan.replicas; ++number)
      plan.ports.push_back(free_port());
    const auto created = create_cluster(layout().root, plan);
    REQUIRE(created);
    for (std::uint32_t number = 0; number < plan.replicas; ++number)
      start(number);
  }

  ~host_application() {
    managers_.clear();
    systems_.clear();
  }

  void start(std::uint32_t number) {
    auto config = read_node_config(layout().node_file(number));
    REQUIRE(config);
    systems_.resize(std::max<std::size_t>(systems_.size(), number + 1));
    managers_.resize(systems_.size());
    systems_[number] = std::make_unique<system_holder>();
    auto& system = systems_[number]->system;
    auto started = make_machine_ == nullptr ? hosted_replica::start(system, std::move(*config))
                                            : hosted_replica::start(system, std::move(*config), make_machine_());
    if (!started) FAIL(started.error().what);
    managers_[number] = std::move(*started);
  }

  void stop(std::uint32_t number) {
    managers_[number] = nullptr;
    systems_[number] = nullptr;
  }

  [[nodiscard]] std::unique_ptr<hosted_client> connect(client_settings settings = {}) {
    auto config = read_client_config(layout().client_file(0));
    REQUIRE(config);
    auto connected = hosted_client::connect(client_system_.system, *config, settings);
    REQUIRE(connected);
    return std::move(*connected);
  }

  [[nodiscard]] cluster_layout layout() const { return {folder_.path() / "cluster"}; }
  [[nodiscard]] hosted_replica& manager(std::uint32_t number) { return *managers_.at(number); }

 private:
  struct system_holder {
    runtime_system_config config;
    caf::actor_system system{config};
  };

  machine_maker make_machine_ = nullptr;
  scratch_folder folder_;
  std::vector<std::unique_ptr<system_holder>> systems_;
  std::vector<std::unique_ptr<hosted_replica>> managers_;
  system_holder client_system_;
};

operation_result outcome_of(std::future<submit_outcome> future) {
  REQUIRE(future.wait_for(std::chrono::seconds{30}) == std::future_status::ready);
  const auto outcome = future.get();
  if (const auto* error = std::get_if<client_error>(&outcome)) FAIL(to_string(*error));
  return std::get<operation_result>(outcome);
}

byte_vector put(const std::string& key, const std::string& value) {
  return key_value::encode(key_value::put{to_byte_vector(key), to_byte_vector(value)});
}

byte_vector get(const std::string& key) { return key_value::encode(key_value::get{to_byte_vector(key)}); }

/// Evidence of two conflicting COMMITs of a replica, signed with its real key.
evidence contradiction_of(const host_application& cluster, std::uint32_t number, sequence_number sequence) {
  const auto config = read_node_config(cluster.layout().node_file(number)).value();
  const auto who = principal::of(replica_id{number});
  const auto keys = load_keys(config.key_file, who, config.cluster).value();
  const auto parameters = config.cluster.parameters();
  evidence shown;
  for (const auto mark : {std::byte{1}, std::byte{2}}) {
    statement content{view_number{0}, sequence, {}, replica_id{number}, parameters.signing.epoch};
    content.value.bytes.front() = mark;
    const auto by = keys->sign(signing_input(parameters.signing, message_kind::commit, statement_bytes(content)));
    shown.items.push_back({message_kind::commit, signed_statement{content, by}});
  }
  return shown;
}

/// Whether all replicas agree on these replicas in quarantine before a time-out.
bool agree_on_quarantine(host_application& cluster, const std::vector<replica_id>& expected) {
  for (int attempt = 0; attempt < 300; ++attempt) {
    bool all = true;
    for (std::uint32_t number = 0; number < 4; ++number)
      all = all && cluster.manager(number).quarantined_nodes(std::chrono::seconds{10}) == expected;
    if (all) return true;
    usleep(50'000);
  }
  return false;
}

}  // namespace

TEST_CASE("four replicas in host applications agree on the operations of a client") {
  host_application cluster;
  auto client = cluster.connect();
  for (int number = 0; number < 300; ++number) {
    const auto result = outcome_of(client->submit(put(std::to_string(number % 17), std::to_string(number))));
    REQUIRE(result.status == operation_status::applied);
  }
  const auto read = outcome_of(client->query(get("5")));
  CHECK(read.status == operation_status::applied);
  const auto stale_read = outcome_of(client->query(get("5"), read_mode::committed));
  CHECK(stale_read == read);
  const auto report = client->report(replica_id{2}).get();
  REQUIRE(report.has_value());
  CHECK(report->replica == replica_id{2});
  CHECK(report->last_executed.value > 0);
}

TEST_CASE("four replicas run a state machine that the host application brings") {
  cluster_plan plan;
  plan.state_machine = "counting";
  host_application cluster{
      plan, [] { return std::unique_ptr<state_machine>{std::make_unique<testing::counting_machine>()}; }};
  auto client = cluster.connect();
  for (int number = 0; number < 20; ++number)
    CHECK(outcome_of(client->submit(to_byte_vector("operation"))).status == operation_status::applied);
  CHECK(outcome_of(client->submit(to_byte_vector("!"))).status == operation_status::refused);
  CHECK(outcome_of(client->query(to_byte_vector("count"))).status == operation_status::applied);
  // Without the host's machine, the product does not know which machine to run.
  const auto config = read_node_config(cluster.layout().node_file(0));
  REQUIRE(config);
  CHECK(config->cluster.state_machine == "counting");
  cluster.stop(0);
  runtime_system_config settings;
  caf::actor_system system{settings};
  const auto refused = hosted_replica::start(system, *config);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.find("counting") != std::string::npos);
}

TEST_CASE("a host in a hurry ends the drain of a primary whose group cannot agree") {
  host_application cluster;
  cluster.stop(2);
  cluster.stop(3);
  auto& primary = cluster.manager(0);
  REQUIRE(primary.is_primary());
  auto drained = std::async(std::launch::async, [&] { return primary.drain(std::chrono::hours{1}); });
  CHECK(drained.wait_for(std::chrono::milliseconds{300}) == std::future_status::timeout);
  primary.hurry();
  REQUIRE(drained.wait_for(std::chrono::seconds{60}) == std::future_status::ready);
  const auto outcome = drained.get();
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().what.find("it is still the primary") != std::string::npos);
  CHECK_FALSE(primary.health().is_live);
}

TEST_CASE("many operations in flight pass checkpoints and bundles") {
  cluster_plan plan;
  plan.checkpoint_period = 4;
  host_application cluster{plan};
  client_settings settings;
  settings.bundle_operations_max = 16;
  auto client = cluster.connect(settings);
  std::vector<std::future<submit_outcome>> futures;
  for (int number = 0; number < 5'000; ++number) {
    futures.push_back(client->submit(put(std::to_string(number % 101), std::to_string(number))));
  }
  for (auto& each : futures)
    REQUIRE(outcome_of(std::move(each)).status == operation_status::applied);
  const auto report = cluster.manager(0).report(std::chrono::seconds{10});
  REQUIRE(report.has_value());
  CHECK(report->stable_checkpoint.value > 0);
}

TEST_CASE("a replica that starts late fetches the state and follows") {
  cluster_plan plan;
  plan.checkpoint_period = 4;
  host_application cluster{plan};
  cluster.stop(3);
  auto client = cluster.connect();
  for (int number = 0; number < 100; ++number) {
    REQUIRE(outcome_of(client->submit(put(std::to_string(number), "value"))).status == operation_status::applied);
  }
  cluster.start(3);
  const auto wanted = cluster.manager(0).report(std::chrono::seconds{10});
  REQUIRE(wanted.has_value());
  std::optional<node_report> late;
  for (int attempt = 0; attempt < 300; ++attempt) {
    late = cluster.manager(3).report(std::chrono::seconds{10});
    if (late && late->last_executed >= wanted->last_executed) break;
    usleep(100'000);
  }
  REQUIRE(late.has_value());
  CHECK(late->last_executed >= wanted->last_executed);
  CHECK(late->state_root == wanted->state_root);
}

TEST_CASE("a host is notified when a core actor of its replica ends") {
  host_application cluster;
  CHECK(cluster.manager(1).health().is_live);
  caf::anon_send_exit(cluster.manager(1).actors().executor, caf::exit_reason::kill);
  REQUIRE(cluster.manager(1).wait_for_failure(std::chrono::seconds{30}));
  CHECK(cluster.manager(1).health().running.error().what.find("executor") != std::string::npos);
  // A normal stop is not a failure.
  cluster.stop(2);
}

TEST_CASE("two conflicting votes quarantine their replica everywhere, and two operators release it") {
  host_application cluster;
  auto client = cluster.connect();
  REQUIRE(outcome_of(client->submit(put("colour", "red"))).status == operation_status::applied);
  const auto proof = contradiction_of(cluster, 0, sequence_number{1});
  // A frame such as a host may receive from anywhere.
  const auto parameters = read_node_config(cluster.layout().node_file(0)).value().cluster.parameters();
  const auto about = *claim_in(proof, parameters);
  const auto frame = reframe(system_request_for(about, std::make_shared<const evidence>(proof)));
  const auto sender = principal::of(replica_id{2});
  CHECK_FALSE(cluster.manager(1).validate_message(sender, *frame));
  auto broken = *frame;
  broken[broken.size() / 2] ^= std::byte{1};
  CHECK(cluster.manager(1).validate_message(sender, broken));

  caf::anon_send(cluster.manager(2).actors().fault_detector, proof_found{std::make_shared<const evidence>(proof)});
  REQUIRE(agree_on_quarantine(cluster, {replica_id{0}}));
  const auto known = cluster.manager(3).reputation_of(replica_id{0}, std::chrono::seconds{10});
  REQUIRE(known);
  CHECK(known->agreed.convictions == 1);
  CHECK(known->agreed.score == 0);
  CHECK(known->is_avoided_as_primary);
  CHECK_FALSE(cluster.manager(3).reputation_of(replica_id{4}, std::chrono::seconds{10}));
  // The quarantined replica was the primary, but the clients notice nothing.
  REQUIRE(outcome_of(client->submit(put("colour", "blue"))).status == operation_status::applied);
  const auto report = cluster.manager(3).report(std::chrono::seconds{10});
  REQUIRE(report);
  CHECK(report->view.value > 0);

  cluster.manager(1).release(replica_id{0});
  cluster.manager(2).release(replica_id{0});
  CHECK(agree_on_quarantine(cluster, {}));
  CHECK(cluster.manager(3).reputation_of(replica_id{0}, std::chrono::seconds{10})->agreed.convictions == 1);
}
