#include <doctest/doctest.h>

#include <cerrno>
#include <random>

#include "runtime/links/dialing.hpp"
#include "tests/integration/link_test_nodes.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::link_test;

namespace {

constexpr principal replica_1 = principal::of(replica_id{1});
constexpr principal client_0 = principal::of(client_id{0});

bool is_up(const replica_node& node, std::size_t links = 1) {
  return eventually([&] { return node.box->links_up() == links; });
}

}  // namespace

TEST_CASE("frames of all sizes pass between two replicas and come back unchanged") {
  replica_node first{0};
  replica_node second{1, {first.links.port}};
  REQUIRE(is_up(first));
  REQUIRE(is_up(second));
  first.box->echo(true);
  std::vector<std::string> texts = {"x", std::string(200, 'a'), std::string(40'000, 'b'), std::string(3'000'000, 'c'),
                                    std::string(limits::frame_bytes_max, 'd')};
  for (const auto& text : texts)
    second.send(0, frame_of(text));
  REQUIRE(eventually([&] { return second.box->frame_count() == texts.size(); }));
  const auto frames = second.box->frames();
  for (std::size_t index = 0; index < texts.size(); ++index) {
    CHECK(frames[index].first == principal::of(replica_id{0}));
    CHECK(frames[index].second == texts[index]);
  }
  CHECK(second.count(link_count::frames_in) == texts.size());
  CHECK(first.count(link_error::bad_frame) == 0);
}

TEST_CASE("each of four replicas has one link to every other") {
  replica_node n0{0};
  replica_node n1{1, {n0.links.port}};
  replica_node n2{2, {n0.links.port, n1.links.port}};
  replica_node n3{3, {n0.links.port, n1.links.port, n2.links.port}};
  const std::vector<replica_node*> nodes = {&n0, &n1, &n2, &n3};
  for (auto* const node : nodes) {
    REQUIRE(is_up(*node, 3));
    CHECK(node->count(link_count::established) == 3);
  }
  for (std::uint32_t from = 0; from < 4; ++from) {
    for (std::uint32_t to = 0; to < 4; ++to) {
      if (from != to) nodes[from]->send(to, frame_of("from " + std::to_string(from)));
    }
  }
  for (auto* const node : nodes) {
    CHECK(eventually([&] { return node->box->frame_count() == 3; }));
    for (const auto& [sender, text] : node->box->frames())
      CHECK(text == "from " + std::to_string(sender.number));
    CHECK(eventually([&] { return node->box->reports() > 0; }));
  }
}

TEST_CASE("many small frames arrive in order and cost twenty bytes each") {
  replica_node first{0};
  replica_node second{1, {first.links.port}};
  REQUIRE(is_up(second));
  constexpr std::size_t count = 20'000;
  const auto before = second.count(link_count::wire_bytes_out);
  for (std::size_t index = 0; index < count; ++index) {
    second.send(0, frame_of(std::to_string(index) + std::string(180, '.')));
  }
  REQUIRE(eventually([&] { return first.box->frame_count() == count; }));
  const auto frames = first.box->frames();
  for (std::size_t index = 0; index < frames.size(); ++index) {
    CHECK(frames[index].second.starts_with(std::to_string(index) + "."));
  }
  const auto added = second.count(link_count::wire_bytes_out) - before - second.count(link_count::frame_bytes_out);
  CHECK(added >= 20 * count);
  CHECK(added <= 20 * (count + second.count(link_count::keepalives_out)));
}

TEST_CASE("a link is restored after the remote replica restarted") {
  auto first = std::make_unique<replica_node>(0);
  const auto port = first->links.port;
  replica_node second{1, {port}};
  REQUIRE(is_up(second));
  CHECK(first->stop());
  first.reset();
  REQUIRE(is_up(second, 0));
  second.send(0, frame_of("into the void"));
  CHECK(eventually([&] { return second.count(link_count::dropped_link_down) == 1; }));
  first = std::make_unique<replica_node>(0, ports{}, quick_limits(), port);
  REQUIRE(is_up(second));
  CHECK(second.count(link_count::reconnects) >= 1);
  second.send(0, frame_of("back again"));
  CHECK(eventually([&] { return first->box->has("back again"); }));
}

TEST_CASE("a stopped replica sends a good-bye and delivers its queued frames") {
  replica_node first{0};
  auto second = std::make_unique<replica_node>(1, ports{first.links.port});
  REQUIRE(is_up(*second));
  for (int count = 0; count < 100; ++count)
    second->send(0, frame_of(std::string(1'000, 'q')));
  CHECK(second->stop());
  second.reset();
  CHECK(eventually([&] { return first.box->links_up() == 0; }));
  CHECK(first.box->frame_count() == 100);
  CHECK(first.count(link_error::ended) == 1);
}

TEST_CASE("a host that does not answer or has no address delays no other link") {
  replica_node first{0};
  // 192.0.2.0/24 is reserved for documentation: no host answers there.
  auto settings = settings_of(authenticator_of(principal::of(replica_id{3})), {first.links.port}, quick_limits());
  settings.replicas[1] = {"192.0.2.1", 9};
  settings.replicas[2] = {"no-such-host.invalid", 9};
  network_config config;
  caf::actor_system system{config};
  const auto box = std::make_shared<inbox>();
  const auto actor = system.spawn(probe, box);
  auto started = start_replica_links(system, settings, {"127.0.0.1", 0},
                                     {caf::actor_cast<ingress_actor>(actor), caf::actor_cast<executor_actor>(actor),
                                      caf::actor_cast<monitor_actor>(actor)});
  const auto links = *started;
  CHECK(eventually([&] { return box->links_up() == 1; }));
  CHECK(eventually([&] { return links.counters->of(link_count::dials) >= 4; }));
  CHECK(stop_links_and_wait(system, links.actors));
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}

TEST_CASE("a dialer of another replica's address learns whose it is, and dials the others") {
  replica_node r0{0};
  replica_node r1{1, {r0.links.port}};
  const std::vector<misdirected_address> swapped = {{replica_id{0}, replica_id{1}}, {replica_id{1}, replica_id{0}}};
  {
    replica_node r2{2, {r1.links.port, r0.links.port}};
    client_node client{0, {r1.links.port, r0.links.port}};
    CHECK(eventually([&] { return r2.links.counters->misdirected() == swapped; }));
    CHECK(eventually([&] { return client.links.counters->misdirected() == swapped; }));
    CHECK(r2.count(link_error::other_replica) >= 2);
    CHECK(r0.count(link_error::wrong_responder) >= 2);
    CHECK(r2.box->links_up() == 0);
  }
  // The refused handshakes are no longer counted as pending.
  CHECK(eventually([&] { return r0.count(link_count::handshakes_pending) == 0; }));
  CHECK(eventually([&] { return r1.box->links_up() == 1; }));
  replica_node r2{2, {r0.links.port, r1.links.port}};
  CHECK(eventually([&] { return r2.box->links_up() == 2; }));
  CHECK(r2.links.counters->misdirected().empty());
}

TEST_CASE("a host is found by name") {
  if (resolve_address("localhost", 1).empty()) {
    MESSAGE("this machine does not know the name localhost");
    return;
  }
  replica_node first{0};
  replica_node second{1, {first.links.port}, quick_limits(), 0, "localhost"};
  CHECK(is_up(second));
}

TEST_CASE("an occupied port is an error that explains how to find its owner") {
  replica_node first{0};
  const auto actor = first.system.spawn(probe, first.box);
  const auto second = start_replica_links(
      first.system, settings_of(authenticator_of(replica_1), {}, quick_limits()), {"127.0.0.1", first.links.port},
      {caf::actor_cast<ingress_actor>(actor), caf::actor_cast<executor_actor>(actor),
       caf::actor_cast<monitor_actor>(actor)});
  REQUIRE(!second);
  CHECK(second.error().what.find(std::to_string(first.links.port)) != std::string::npos);
  CHECK(second.error().remedy.find("ss -ltnp") != std::string::npos);
  caf::anon_send_exit(actor, caf::exit_reason::kill);
}

TEST_CASE("a client's session opens, carries requests and replies, and closes") {
  replica_node r0{0};
  replica_node r1{1, {r0.links.port}};
  auto client = std::make_unique<client_node>(0, ports{r0.links.port, r1.links.port});
  CHECK(eventually([&] { return client->box->client_peers() == replica_count; }));
  REQUIRE(eventually([&] { return client->box->links_up() == 2; }));
  REQUIRE(eventually([&] { return r0.box->sessions_of(0).size() == 1 && r1.box->sessions_of(0).size() == 1; }));
  caf::anon_send(client->links.peers[0], outgoing_frame{frame_of("request")});
  REQUIRE(eventually([&] { return r0.box->has("request"); }));
  CHECK(r0.box->frames().front().first == client_0);
  caf::anon_send(r0.box->sessions_of(0).front(), outgoing_frame{frame_of("reply")});
  REQUIRE(eventually([&] { return client->box->has("reply"); }));
  CHECK(client->box->frames().front().first == principal::of(replica_id{0}));
  CHECK(client->stop());
  CHECK(eventually([&] { return r0.box->closed() == 1 && r1.box->closed() == 1; }));
  CHECK(eventually([&] { return r0.count(link_count::client_links_open) == 0; }));
}

TEST_CASE("a client has a bounded number of links, and another one is refused until one of them ends") {
  auto limits = quick_limits();
  limits.links_per_client_max = 2;
  replica_node node{0, {}, limits};
  std::vector<std::unique_ptr<raw_link>> links;
  const auto open_one = [&] {
    links.push_back(std::make_unique<raw_link>(authenticator_of(client_0), 0, node.links.port));
    REQUIRE(links.back()->channel.has_value());
    REQUIRE(links.back()->send("here I am"));
  };
  for (std::size_t count = 1; count <= 2; ++count) {
    open_one();
    REQUIRE(eventually([&] { return node.box->opened() == count; }));
  }
  const raw_link refused{authenticator_of(client_0), 0, node.links.port};
  CHECK(refused.wire.is_closed_by_other_side());
  CHECK(node.count(link_error::too_many_client_links) == 1);
  CHECK(node.box->sessions_of(0).size() == 2);
  links.erase(links.begin());
  REQUIRE(eventually([&] { return node.box->sessions_of(0).size() == 1; }));
  open_one();
  CHECK(eventually([&] { return node.box->opened() == 3 && node.box->frame_count() == 3; }));
}

TEST_CASE("the total number of sessions is bounded") {
  auto limits = quick_limits();
  limits.client_links_max = 1;
  replica_node node{0, {}, limits};
  const raw_link first{authenticator_of(client_0), 0, node.links.port};
  REQUIRE(eventually([&] { return node.box->opened() == 1; }));
  const raw_link second{authenticator_of(principal::of(client_id{1})), 0, node.links.port};
  CHECK(second.wire.is_closed_by_other_side());
  CHECK(node.count(link_error::too_many_client_links) == 1);
  CHECK(node.box->opened() == 1);
}

TEST_CASE("an idle link is kept alive and a silent one is closed") {
  auto limits = quick_limits();
  limits.keepalive_interval = std::chrono::milliseconds{50};
  limits.dead_link_timeout = std::chrono::milliseconds{500};
  replica_node first{0, {}, limits};
  replica_node second{1, {first.links.port}, limits};
  REQUIRE(is_up(first));
  const raw_link silent{authenticator_of(principal::of(replica_id{2})), 0, first.links.port};
  REQUIRE(is_up(first, 2));
  CHECK(silent.wire.is_closed_by_other_side());
  CHECK(eventually([&] { return first.count(link_error::dead_link) == 1; }));
  CHECK(is_up(first, 1));
  CHECK(first.box->ups() == 2);
  CHECK(first.count(link_count::keepalives_in) > 0);
}

TEST_CASE("a newer authenticated connection of a replica replaces the older one") {
  replica_node node{0};
  const raw_link older{authenticator_of(replica_1), 0, node.links.port};
  REQUIRE(is_up(node));
  raw_link newer{authenticator_of(replica_1), 0, node.links.port};
  REQUIRE(newer.channel.has_value());
  CHECK(older.wire.is_closed_by_other_side());
  CHECK(eventually([&] { return node.count(link_error::replaced) == 1; }));
  node.send(1, frame_of("to the newer"));
  CHECK(newer.receive_frame() == "to the newer");
  CHECK(newer.send("from the newer"));
  CHECK(eventually([&] { return node.box->has("from the newer"); }));
  CHECK(node.box->ups() == 1);
}

TEST_CASE("a client is notified when a link closes, also when it never opened") {
  const replica_node replica{0};
  const client_node client{0, {replica.links.port, 1}};
  REQUIRE(eventually([&] { return client.box->links_up() == 1; }));
  CHECK(client.box->downs() == 4);
}

TEST_CASE("stopping releases every descriptor and handle") {
  { replica_node warm_up{0}; }
  const auto before = open_descriptors();
  {
    replica_node first{0};
    replica_node second{1, {first.links.port}};
    const client_node client{0, {first.links.port, second.links.port}};
    const raw_connection half_open{first.links.port};
    REQUIRE(is_up(second));
    REQUIRE(eventually([&] { return client.box->links_up() == 2; }));
    CHECK(first.stop());
    CHECK(second.stop());
  }
  CHECK(eventually([&] { return open_descriptors() <= before; }));
}

TEST_CASE("a connection that cannot be established keeps the error of the system") {
  const auto state_after = [](const socket_address& address) {
    auto started = start_connecting(address);
    if (!started.socket.is_open()) return started.error;
    int state = EINPROGRESS;
    (void)eventually([&] { return (state = connect_state_of(started.socket.descriptor())) != EINPROGRESS; });
    return state;
  };
  std::uint16_t port = 0;
  {
    const replica_node node{0};
    port = node.links.port;
    CHECK(state_after(parse_address("127.0.0.1", port).value()) == 0);
  }
  CHECK(state_after(parse_address("127.0.0.1", port).value()) == ECONNREFUSED);
  connect_pace pace;
  for (const int expected : {1, 2, 4, 8, 16, 32, 64, 64})
    CHECK(pace.next().count() == expected);
}
