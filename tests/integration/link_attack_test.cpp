#include <doctest/doctest.h>

#include <random>

#include "runtime/links/connection.hpp"
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

/// Whether a correct replica can still send frames to the node.
bool still_serves(const replica_node& node) {
  raw_link honest{authenticator_of(replica_1), 0, node.links.port};
  return honest.channel && honest.send("honest") && eventually([&] { return node.box->has("honest"); });
}

}  // namespace

TEST_CASE("a connection with garbage is closed and counted, and an honest replica still connects") {
  replica_node node{0};
  const raw_connection web_browser{node.links.port};
  REQUIRE(
      web_browser.send(as_byte_span("GET / HTTP/1.1\r\nHost: example\r\nUser-Agent: somebody\r\nAccept: */*\r\n"
                                    "Connection: keep-alive\r\n\r\n")));
  CHECK(web_browser.is_closed_by_other_side());
  CHECK(node.count(link_error::not_hypermesh) == 1);
  CHECK(still_serves(node));
}

TEST_CASE("random bytes on many connections harm no link") {
  auto limits = quick_limits();
  limits.handshake_timeout = std::chrono::milliseconds{200};
  replica_node node{0, {}, limits};
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    const raw_connection stranger{node.links.port};
    initiator_handshake handshake{context_of(replica_1), principal::of(replica_id{0}), seed_of(1)};
    byte_vector bytes(random() % 400);
    std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random()); });
    if (random() % 2 == 0) bytes.insert(bytes.begin(), handshake.hello().begin(), handshake.hello().end());
    stranger.send(bytes);
    if (random() % 2 == 0) stranger.finish_writing();
  }
  CHECK(eventually([&] { return node.count(link_count::handshakes_pending) == 0; }));
  CHECK(node.count(link_count::established) == 0);
  CHECK(node.box->frame_count() == 0);
  CHECK(still_serves(node));
}

TEST_CASE("an impostor's key is refused and counted, at the listener and at the dialer") {
  replica_node node{0};
  raw_link impostor{impostor_of(replica_1), 0, node.links.port};
  CHECK(impostor.wire.is_closed_by_other_side());
  CHECK(node.count(link_error::bad_signature) == 1);
  CHECK(node.box->ups() == 0);
  replica_node false_node{impostor_of(principal::of(replica_id{0})), {}, quick_limits(), 0};
  replica_node dialer{1, {false_node.links.port}};
  CHECK(eventually([&] { return dialer.count(link_error::bad_signature) >= 2; }));
  CHECK(dialer.box->ups() == 0);
}

TEST_CASE("a stranger to the cluster is refused and counted") {
  replica_node node{0};
  auto settings = settings_of(authenticator_of(replica_1), {node.links.port}, quick_limits());
  settings.cluster = cluster_of(2);
  initiator_handshake handshake{
      {settings.cluster, settings.keys, replica_count, client_count}, principal::of(replica_id{0}), seed_of(1)};
  const raw_connection stranger{node.links.port};
  REQUIRE(stranger.send(handshake.hello()));
  CHECK(stranger.is_closed_by_other_side());
  CHECK(node.count(link_error::wrong_cluster) == 1);
}

TEST_CASE("a silent connection is closed at its deadline") {
  auto limits = quick_limits();
  limits.handshake_timeout = std::chrono::milliseconds{200};
  replica_node node{0, {}, limits};
  const raw_connection silent{node.links.port};
  const raw_connection slow{node.links.port};
  REQUIRE(slow.send(as_byte_span("HMSH")));
  CHECK(silent.is_closed_by_other_side());
  CHECK(slow.is_closed_by_other_side());
  CHECK(node.count(link_error::handshake_timeout) == 2);
  CHECK(eventually([&] { return node.count(link_count::handshakes_pending) == 0; }));
}

TEST_CASE("a dialer gives up on a node that accepts and stays silent") {
  auto limits = quick_limits();
  limits.handshake_timeout = std::chrono::milliseconds{100};
  const int mute = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  REQUIRE(::bind(mute, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(mute, 8) == 0);
  REQUIRE(::getsockname(mute, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  {
    replica_node dialer{1, {ntohs(address.sin_port)}, limits};
    CHECK(eventually([&] { return dialer.count(link_error::handshake_timeout) >= 2; }));
  }
  ::close(mute);
}

TEST_CASE("the number of unauthenticated connections is bounded") {
  auto limits = quick_limits();
  limits.handshakes_max = 8;
  limits.handshake_timeout = std::chrono::milliseconds{500};
  replica_node node{0, {}, limits};
  const auto before = open_descriptors();
  std::vector<std::unique_ptr<raw_connection>> crowd;
  for (int count = 0; count < 100; ++count)
    crowd.push_back(std::make_unique<raw_connection>(node.links.port));
  CHECK(eventually([&] { return node.count(link_error::too_many_connections) >= 92; }));
  CHECK(open_descriptors() <= before + crowd.size() + limits.handshakes_max);
  for (const auto& one : crowd)
    CHECK(one->is_closed_by_other_side());
  CHECK(eventually([&] { return node.count(link_count::handshakes_pending) == 0; }));
  CHECK(still_serves(node));
}

TEST_CASE("one address cannot occupy all places") {
  auto limits = quick_limits();
  limits.handshakes_per_address_max = 3;
  replica_node node{0, {}, limits};
  std::vector<std::unique_ptr<raw_connection>> crowd;
  for (int count = 0; count < 10; ++count)
    crowd.push_back(std::make_unique<raw_connection>(node.links.port));
  CHECK(eventually([&] { return node.count(link_error::too_many_connections) == 7; }));
  CHECK(node.count(link_count::handshakes_pending) == 3);
}

TEST_CASE("a frame above its sender's limit closes the link before it is received") {
  replica_node node{0};
  const auto announce = [](std::size_t bytes) {
    return wire_buffer{static_cast<char>(bytes), static_cast<char>(bytes >> 8U), static_cast<char>(bytes >> 16U)};
  };
  const raw_link replica{authenticator_of(replica_1), 0, node.links.port};
  REQUIRE(is_up(node));
  REQUIRE(replica.wire.send(announce(limits::frame_bytes_max + secure_channel::sealing_bytes + 1)));
  CHECK(replica.wire.is_closed_by_other_side());
  CHECK(eventually([&] { return node.count(link_error::frame_too_long) == 1; }));
  const raw_link client{authenticator_of(client_0), 0, node.links.port};
  REQUIRE(eventually([&] { return node.box->opened() == 1; }));
  REQUIRE(client.wire.send(announce(limits::client_frame_bytes_max + secure_channel::sealing_bytes + 1)));
  CHECK(client.wire.is_closed_by_other_side());
  CHECK(eventually([&] { return node.count(link_error::frame_too_long) == 2 && node.box->closed() == 1; }));
}

TEST_CASE("a modified frame closes the link and is not delivered") {
  replica_node node{0};
  raw_link link{authenticator_of(replica_1), 0, node.links.port};
  wire_buffer out;
  link.channel->seal(as_byte_span("genuine"), out);
  link.channel->seal(as_byte_span("changed"), out);
  out.back() ^= 1;
  REQUIRE(link.wire.send(out));
  CHECK(link.wire.is_closed_by_other_side());
  CHECK(eventually([&] { return node.count(link_error::bad_frame) == 1; }));
  CHECK(eventually([&] { return node.box->frame_count() == 1; }));
  CHECK(node.box->has("genuine"));
}

TEST_CASE("a peer that reads nothing loses frames and costs bounded memory") {
  auto limits = quick_limits();
  limits.replica_outbound_bytes_max = 1'000'000;
  replica_node node{0, {}, limits};
  replica_node honest{1, {node.links.port}, limits};
  const raw_link deaf{authenticator_of(principal::of(replica_id{2})), 0, node.links.port};
  REQUIRE(is_up(node, 2));
  const auto frame = frame_of(std::string(50'000, 'n'));
  constexpr std::size_t count = 2'000;
  for (std::size_t index = 0; index < count; ++index)
    node.send(2, frame);
  CHECK(eventually(
      [&] { return node.count(link_count::dropped_queue_full) + node.count(link_count::frames_out) == count; }));
  CHECK(node.count(link_count::dropped_queue_full) > 0);
  // The bytes that were accepted are in the queue or in the buffers of the two sockets.
  CHECK(node.count(link_count::frame_bytes_out) < count * frame->size() / 2);
  node.send(1, frame_of("to the honest one"));
  CHECK(eventually([&] { return honest.box->has("to the honest one"); }));
}

TEST_CASE("a connection is freed when its peer closes one direction and reads nothing") {
  replica_node node{0};
  REQUIRE(still_serves(node));
  const auto before = open_descriptors();
  std::vector<std::unique_ptr<raw_link>> stuck;
  const auto frame = frame_of(std::string(1'000'000, 'n'));
  for (int round = 0; round < 5; ++round) {
    stuck.push_back(std::make_unique<raw_link>(authenticator_of(principal::of(replica_id{2})), 0, node.links.port));
    REQUIRE(eventually([&] { return node.box->links_up() == 1; }));
    const auto sent = node.count(link_count::frames_out);
    for (int count = 0; count < 15; ++count)
      node.send(2, frame);
    REQUIRE(eventually([&] { return node.count(link_count::frames_out) == sent + 15; }));
    stuck.back()->wire.finish_writing();
    REQUIRE(eventually([&] { return node.box->links_up() == 0; }));
  }
  // Only the descriptors of the test itself remain open.
  CHECK(eventually([&] { return open_descriptors() <= before + stuck.size(); }));
}

TEST_CASE("an overloaded node stops reading, and resumes when frames are handled") {
  auto limits = quick_limits();
  limits.replica_inbound_bytes_max = 1'000'000;
  replica_node node{0, {}, limits};
  replica_node sender{1, {node.links.port}, limits};
  REQUIRE(is_up(sender));
  const auto frame = frame_of(std::string(10'000, 'f'));
  constexpr std::size_t rounds = 5;
  constexpr std::size_t frames_per_round = 1'000;
  for (std::size_t round = 1; round <= rounds; ++round) {
    node.box->hold_credit(true);
    for (std::size_t index = 0; index < frames_per_round; ++index)
      sender.send(0, frame);
    CHECK(eventually([&] { return node.count(link_count::reading_halted) >= round; }));
    node.box->hold_credit(false);
    CHECK(eventually([&] { return node.box->frame_count() == round * frames_per_round; }));
  }
  CHECK(sender.count(link_count::dropped_queue_full) == 0);
  CHECK(node.box->links_up() == 1);
}

TEST_CASE("a node with a full window holds at most the window and the reads of one turn") {
  auto limits = quick_limits();
  limits.replica_inbound_bytes_max = 1'000'000;
  replica_node node{0, {}, limits};
  replica_node sender{1, {node.links.port}, limits};
  REQUIRE(is_up(sender));
  node.box->hold_credit(true);
  const auto frame = frame_of(std::string(10'000, 'f'));
  constexpr std::size_t count = 1'500;
  for (std::size_t index = 0; index < count; ++index)
    sender.send(0, frame);
  REQUIRE(eventually([&] { return node.count(link_count::reading_halted) == 1; }));
  REQUIRE(eventually([&] { return sender.count(link_count::frames_out) == count; }));
  // The rest of the bytes arrives only after the credit is released below.
  const auto while_full = node.box->frame_bytes();
  CHECK(while_full <= 1'000'000 + 50 * connection::read_bytes_max + frame->size());
  node.box->hold_credit(false);
  CHECK(eventually([&] { return node.box->frame_count() == count; }));
}

TEST_CASE("no wake-up is lost over many pauses of a link") {
  auto limits = quick_limits();
  limits.replica_inbound_bytes_max = 4'000;
  limits.replica_outbound_bytes_max = 256'000'000;
  limits.keepalive_interval = std::chrono::seconds{30};
  limits.dead_link_timeout = std::chrono::seconds{300};
  replica_node node{0, {}, limits};
  replica_node sender{1, {node.links.port}, limits};
  REQUIRE(is_up(sender));
  node.box->hold_credit(true);
  std::atomic<bool> done{false};
  std::thread handler{[&] {
    while (!done.load())
      node.box->release_credit();
  }};
  constexpr std::size_t count = 30'000;
  for (std::size_t index = 0; index < count; ++index)
    sender.send(0, frame_of(std::string(100 + index % 900, 'w')));
  CHECK(eventually([&] { return node.box->frame_count() == count; }, std::chrono::seconds{120}));
  done.store(true);
  handler.join();
  CHECK(node.count(link_count::reading_halted) > 0);
}

TEST_CASE("a paused link is closed when it is stopped") {
  auto limits = quick_limits();
  limits.replica_inbound_bytes_max = 10'000;
  replica_node node{0, {}, limits};
  raw_link link{authenticator_of(replica_1), 0, node.links.port};
  REQUIRE(is_up(node));
  node.box->hold_credit(true);
  for (int count = 0; count < 50; ++count)
    REQUIRE(link.send(std::string(1'000, 'h')));
  REQUIRE(eventually([&] { return node.count(link_count::reading_halted) == 1; }));
  CHECK(node.stop());
  CHECK(link.wire.is_closed_by_other_side());
}

TEST_CASE("a peer with a full window cannot get more room by dialing again") {
  auto limits = quick_limits();
  limits.replica_inbound_bytes_max = 10'000;
  replica_node node{0, {}, limits};
  node.box->hold_credit(true);
  raw_link first{authenticator_of(replica_1), 0, node.links.port};
  REQUIRE(is_up(node));
  for (int count = 0; count < 50; ++count)
    REQUIRE(first.send(std::string(1'000, 'h')));
  REQUIRE(eventually([&] { return node.count(link_count::reading_halted) == 1; }));
  const raw_link second{authenticator_of(replica_1), 0, node.links.port};
  CHECK(second.wire.is_closed_by_other_side());
  CHECK(node.box->links_up() == 1);
}
