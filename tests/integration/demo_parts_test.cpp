// The parts of the demonstration without a cluster: which faults are possible, whom the control page obeys, the relay
// that cuts links.
#include <doctest/doctest.h>
#include <poll.h>

#include <nlohmann/json.hpp>

#include "runtime/http/page_files.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"
#include "tools/hypermesh-lab/demo/control_files.hpp"
#include "tools/hypermesh-lab/demo/control_requests.hpp"
#include "tools/hypermesh-lab/demo/control_server.hpp"
#include "tools/hypermesh-lab/demo/demo_picture.hpp"
#include "tools/hypermesh-lab/demo/link_relay.hpp"
#include "tools/hypermesh-lab/demo/operation_rounds.hpp"

namespace hypermesh::testing::demo_test {

namespace {

using namespace hypermesh::lab;
using cli_test::eventually;
using cli_test::has;

demo_facts healthy() {
  demo_facts facts;
  facts.primary = 0;
  return facts;
}

demo_facts harmed_by(demo_action action, std::optional<std::uint32_t> replica) {
  auto facts = healthy();
  facts.harm = action;
  facts.harmed = replica;
  facts.is_whole = false;
  return facts;
}

constexpr std::string_view key = "00112233445566778899aabbccddeeff";

control_request request_to(std::string_view path, std::string_view method = "GET") {
  return {method, path, "127.0.0.1:5000", "", key};
}

unsigned refusal_of(const control_request& asked) {
  const auto route = route_of(asked, key);
  return route ? 0 : route.error().status;
}

/// One end of a link under test: a server that accepts one connection, or its client.
open_file listen_on(std::uint16_t& port) {
  open_file made{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(bind(made.descriptor(), reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(made.descriptor(), 4) == 0);
  REQUIRE(getsockname(made.descriptor(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port = ntohs(address.sin_port);
  return made;
}

open_file connect_to(std::uint16_t port) {
  open_file made{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(made.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return made;
}

void send_text(const open_file& to, const std::string& text) {
  CHECK(send(to.descriptor(), text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()));
}

/// The bytes that arrive within `patience`.
std::string arrives(const open_file& at, std::chrono::milliseconds patience) {
  pollfd asked{at.descriptor(), POLLIN, 0};
  if (poll(&asked, 1, static_cast<int>(patience.count())) <= 0) return {};
  std::array<char, 256> bytes{};
  const auto count = recv(at.descriptor(), bytes.data(), bytes.size(), 0);
  return {bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0};
}

constexpr std::chrono::seconds surely{20};
constexpr std::chrono::milliseconds a_while{300};

}  // namespace

TEST_CASE("a key harms a suitable replica, and a second fault is refused until the first is healed") {
  CHECK(decide({demo_action::kill, {}}, healthy()) == demo_request{demo_action::kill, 0});
  CHECK(decide({demo_action::pause, {}}, healthy()) == demo_request{demo_action::pause, 1});
  CHECK(decide({demo_action::lie, {}}, healthy()) == demo_request{demo_action::lie, 3});
  CHECK(decide({demo_action::cut_off, 2}, healthy()) == demo_request{demo_action::cut_off, 2});
  for (const auto& each : demo_keys) {
    CAPTURE(each.word);
    const auto second = decide({each.action, {}}, harmed_by(demo_action::kill, 0));
    CHECK(second.has_value() == (each.action == demo_action::heal || each.action == demo_action::quit));
    CHECK(action_named(each.word) == each.action);
    CHECK(action_of(each.key) == each.action);
  }
  CHECK(has(decide({demo_action::pause, {}}, harmed_by(demo_action::kill, 0)).error().what, "replica 0 is faulty"));
  CHECK_FALSE(decide({demo_action::kill, 0}, harmed_by(demo_action::split, {})));
}

TEST_CASE("impossible requests are refused: unknown replicas, a second lie, a fault while a replica catches up") {
  CHECK_FALSE(decide({demo_action::kill, 4}, healthy()));
  CHECK_FALSE(decide({demo_action::kill, 4'000'000'000U}, healthy()));
  CHECK_FALSE(decide({demo_action::heal, {}}, healthy()));
  CHECK_FALSE(decide({demo_action::heal, 1}, harmed_by(demo_action::kill, 0)));
  CHECK_FALSE(decide({demo_action::heal, {}}, harmed_by(demo_action::lose_disk, 1)));
  auto facts = healthy();
  facts.has_lied = true;
  CHECK_FALSE(decide({demo_action::lie, 2}, facts));
  facts = healthy();
  facts.is_whole = false;
  CHECK_FALSE(decide({demo_action::pause, 1}, facts));
  facts = healthy();
  facts.primary.reset();
  CHECK_FALSE(decide({demo_action::kill, {}}, facts));
}

TEST_CASE("a partition separates one replica, or two halves, and nothing else") {
  const auto alone = replica_groups::without(2);
  const auto halves = replica_groups::halves(4);
  for (std::uint32_t left = 0; left < 4; ++left) {
    for (std::uint32_t right = 0; right < 4; ++right) {
      CHECK(alone.separate(left, right) == ((left == 2) != (right == 2)));
      CHECK(halves.separate(left, right) == ((left < 2) != (right < 2)));
      CHECK_FALSE(replica_groups{}.separate(left, right));
    }
  }
}

TEST_CASE("the relay forwards bytes both ways, holds them while the link is cut, and delivers them afterwards") {
  std::uint16_t port = 0;
  const auto server = listen_on(port);
  auto relay = link_relay::start({{3, 1, port}});
  REQUIRE(relay);
  CHECK((*relay)->port_of(1, 3) == 0);
  const auto dialer = connect_to((*relay)->port_of(3, 1));
  const open_file target{accept(server.descriptor(), nullptr, nullptr)};
  send_text(dialer, "hello");
  CHECK(arrives(target, surely) == "hello");
  send_text(target, "answer");
  CHECK(arrives(dialer, surely) == "answer");

  (*relay)->divide(replica_groups::without(3));
  // The relay may still forward what it has read already, so it gets a moment.
  std::this_thread::sleep_for(a_while);
  send_text(dialer, "late");
  CHECK(arrives(target, a_while).empty());
  const auto second = connect_to((*relay)->port_of(3, 1));
  send_text(second, "new");
  pollfd waiting{server.descriptor(), POLLIN, 0};
  CHECK(poll(&waiting, 1, static_cast<int>(a_while.count())) == 0);

  (*relay)->divide({});
  CHECK(arrives(target, surely) == "late");
  const open_file accepted{accept(server.descriptor(), nullptr, nullptr)};
  CHECK(arrives(accepted, surely) == "new");
}

TEST_CASE("the relay passes the end of a connection on, and its ports are free after it") {
  std::uint16_t port = 0;
  const auto server = listen_on(port);
  std::uint16_t relayed = 0;
  {
    auto relay = link_relay::start({{3, 1, port}});
    REQUIRE(relay);
    relayed = (*relay)->port_of(3, 1);
    auto dialer = connect_to(relayed);
    const open_file target{accept(server.descriptor(), nullptr, nullptr)};
    dialer = open_file{};
    pollfd ended{target.descriptor(), POLLIN, 0};
    REQUIRE(poll(&ended, 1, 20'000) == 1);
    char byte = 0;
    CHECK(recv(target.descriptor(), &byte, 1, 0) == 0);
  }
  const open_file again{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(relayed);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(connect(again.descriptor(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0);
}

TEST_CASE("the control page obeys only requests of its own origin with the key") {
  CHECK(route_of(request_to("/"), key) == control_route::file);
  CHECK(route_of(request_to("/lab/state"), key) == control_route::state);
  CHECK(route_of(request_to("/lab/orders", "POST"), key) == control_route::order);
  CHECK(route_of(request_to("/api/v1/live"), key) == control_route::node);

  auto asked = request_to("/lab/orders", "POST");
  asked.key = "";
  CHECK(refusal_of(asked) == 401);
  asked.key = key.substr(1);
  CHECK(refusal_of(asked) == 401);
  CHECK(route_of(request_to("/lab/orders", "POST"), "").error().status == 401);
  asked = request_to("/lab/orders", "POST");
  asked.origin = "http://127.0.0.1:5000";
  CHECK(refusal_of(asked) == 0);
  for (const auto* origin : {"http://evil.example", "http://127.0.0.1:5001", "https://127.0.0.1:5000", "null"}) {
    asked.origin = origin;
    CHECK(refusal_of(asked) == 403);
  }
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example:5000", ""}) {
    asked = request_to("/");
    asked.host = host;
    CHECK(refusal_of(asked) == 421);
  }
  CHECK(refusal_of(request_to("/lab/orders")) == 405);
  CHECK(refusal_of(request_to("/lab/state", "POST")) == 405);
  CHECK(refusal_of(request_to("/api/v1/live", "OPTIONS")) == 405);
  // No byte of a path gets into a request to a node as anything but a path.
  for (const auto* path : {"/api/v1/live\r\nX: y", "/api/v1/../x", "/api/v1/live HTTP/1.1", "/api/v1/%0a"})
    CHECK(route_of(request_to(path), key) == control_route::file);
}

TEST_CASE("an order is one action and at most one replica, and nothing else is understood") {
  CHECK(parse_order(R"({"action":"kill","replica":1})") == demo_request{demo_action::kill, 1});
  CHECK(parse_order(R"({"action":"split"})") == demo_request{demo_action::split, {}});
  for (const auto* text :
       {"", "{", "[]", "null", R"({"action":"explode"})", R"({"action":7})", R"({"action":"kill","replica":-1})",
        R"({"action":"kill","replica":1.5})", R"({"action":"kill","replica":4294967296})",
        R"({"action":"kill","replica":"1"})", R"({"action":"kill","also":1})", "{\"action\":\"kill\xff\"}"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_order(text));
  }
  CHECK_FALSE(parse_order(R"({"action":"kill"})" + std::string(order_bytes_max, ' ')));
  CHECK_FALSE(parse_order(std::string(order_bytes_max, '[')));
}

TEST_CASE("the panel offers the end of a fault in place of the fault, and says why others are impossible") {
  demo_picture now;
  now.facts = harmed_by(demo_action::pause, 1);
  now.replicas.resize(2);
  now.replicas[1].number = 1;
  const auto panel = nlohmann::json::parse(panel_json(now));
  const auto& pause = panel["replicas"][1]["buttons"][1];
  CHECK(pause["action"] == "heal");
  CHECK(pause["label"] == "Resume");
  CHECK(pause["possible"] == true);
  const auto& kill = panel["replicas"][0]["buttons"][0];
  CHECK(kill["possible"] == false);
  CHECK(has(kill["why"], "replica 1 is faulty"));
  now.takes_orders = false;
  CHECK(nlohmann::json::parse(panel_json(now))["group"]["buttons"][1]["possible"] == false);
}

TEST_CASE("the rounds after the first are as good as the first: the scheduler refuses none of their operations") {
  cli::workload_source source;
  source.operations_default = 600;
  auto work = cli::load_workload(source);
  REQUIRE(work);
  operation_rounds rounds{std::move(*work)};
  machines::resource_scheduler machine;
  std::size_t refused = 0;
  while (rounds.round() < 4) {
    if (machine.apply({}, rounds.next()).status != operation_status::applied) ++refused;
  }
  CHECK(refused == 0);
}

TEST_CASE("the server of the control page serves the panel, refuses strangers, and hands orders to the main thread") {
  order_inbox inbox;
  auto started = control_server::start(inbox);
  REQUIRE(started);
  auto& server = **started;
  const auto address = server.address();
  const auto port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  const auto shown = address.substr(address.find("#key=") + 5);
  const auto ask = [&](const std::string& path, const std::string& headers = "", const std::string& method = "GET") {
    return http_test::ask(port, path, headers, method);
  };
  CHECK(has(ask("/").body, "/lab/control.js"));
  CHECK(has(ask("/").head, "Content-Security-Policy: default-src 'none'"));
  CHECK(ask("/lab/control.js").status == 200);
  CHECK(ask("/page/main.js").status == 200);
  CHECK(ask("/lab/").status == 404);
  CHECK(ask("/lab/state").status == 401);
  CHECK(ask("/api/v1/live").status == 503);
  server.publish("{\"here\": 1}", 0);
  CHECK(ask("/lab/state", "X-HyperMesh-Lab: " + shown + "\r\n").body == "{\"here\": 1}");

  const std::string order = R"({"action":"kill","replica":2})";
  const auto headers = "X-HyperMesh-Lab: " + shown + "\r\nContent-Length: " + std::to_string(order.size()) + "\r\n";
  std::thread main{[&] {
    std::shared_ptr<order_inbox::order> taken;
    CHECK(eventually([&] { return (taken = inbox.take()) != nullptr; }));
    if (taken == nullptr) return;
    CHECK(taken->request() == demo_request{demo_action::kill, 2});
    inbox.reply(taken, std::string{"replica 2 is killed"});
  }};
  const http_test::http_connection page{port};
  REQUIRE(page.send("POST /lab/orders HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n" + order));
  std::string got;
  CHECK(eventually([&] {
    got += page.receive();
    return has(got, "\"done\":\"replica 2 is killed\"");
  }));
  main.join();
  const std::string length = "Content-Length: 5000\r\n";
  const http_test::http_connection flooding{port};
  REQUIRE(flooding.send("POST /lab/orders HTTP/1.1\r\nHost: localhost\r\nX-HyperMesh-Lab: " + shown + "\r\n" + length +
                        "\r\n" + std::string(5'000, '{')));
  got.clear();
  CHECK(eventually([&] {
    got += flooding.receive();
    return has(got, "413");
  }));
}

TEST_CASE("the product has neither the panel's files nor its routes") {
  for (const auto& panel : control_files()) {
    for (const auto& file : http::page_files())
      CHECK(file.path != panel.path);
  }
  REQUIRE(control_files().size() == 2);
  const std::string mark{"X-HyperMesh-Lab"};
  CHECK(has(cli_test::text_of(HYPERMESH_LAB), mark));
  const auto product = cli_test::text_of(HYPERMESH_BINARY);
  REQUIRE(product.size() > 1'000'000);
  CHECK_FALSE(has(product, mark));
  CHECK_FALSE(has(product, "/lab/"));
}

}  // namespace hypermesh::testing::demo_test
