// The HTTP server on real sockets, with hostile clients.
#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <random>
#include <thread>
#include <vector>

#include "runtime/http/http_server.hpp"
#include "runtime/metrics/host_facts.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"

namespace hypermesh::testing::http_test {

namespace {

using namespace hypermesh::http;
using cli_test::eventually;
using cli_test::has;
using cli_test::scratch_folder;
namespace fs = std::filesystem;

const std::string secret = "0123456789abcdef0123";

/// More than the buffers of the system hold for one connection (4 MiB on Linux).
constexpr std::size_t huge_bytes = std::size_t{12} << 20U;

http_response page(std::string body) {
  http_response out;
  out.body = std::move(body);
  return out;
}

/// A server with an open page, a huge one, a page of one MiB behind the token, and events.
struct server_bench {
  std::shared_ptr<event_stream> events = std::make_shared<event_stream>(2);
  std::unique_ptr<http_server> server;

  explicit server_bench(http_settings settings = usual()) {
    std::vector<route> routes = {
        {"/open", access::open, [](const auto&) { return page("{}\n"); }},
        {"/large", access::token, [](const auto&) { return page(std::string(1 << 20U, 'x')); }},
        {"/huge", access::open, [](const auto&) { return page(std::string(huge_bytes, 'x')); }},
        {"/events", access::open, [this](const auto&) {
           http_response out;
           out.content_type = "text/event-stream";
           out.events = events->subscribe();
           if (!out.events) out.status = 503;
           return out;
         }}};
    auto token = bearer_token::make(secret);
    auto started = http_server::start(settings, router{std::move(routes), std::move(*token)}, events);
    REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
    server = std::move(*started);
  }

  static http_settings usual() {
    http_settings settings;
    settings.enabled = true;
    settings.listen = {"127.0.0.1", 0};
    settings.connections_max = 32;
    settings.connections_per_address_max = 32;
    settings.request_timeout = std::chrono::milliseconds{1'500};
    return settings;
  }
  [[nodiscard]] std::uint16_t port() const { return server->port(); }
  /// Whether an honest client gets its answer. It may have to wait until late connections are closed.
  [[nodiscard]] bool answers() const {
    return eventually([this] { return ask(port(), "/open").status == 200; });
  }
};

std::uint64_t resident_bytes() { return metrics::read_host_facts().resident_bytes.value_or(0); }

}  // namespace

TEST_CASE_FIXTURE(server_bench, "GET and HEAD are answered, and everything else is refused") {
  const auto got = ask(port(), "/open");
  CHECK(got.status == 200);
  CHECK(got.body == "{}\n");
  CHECK(has(got.head, "Connection: close"));
  CHECK(has(got.head, "nosniff"));
  const auto head = ask(port(), "/open", "", "HEAD");
  CHECK(head.status == 200);
  CHECK(head.body.empty());
  CHECK(has(head.head, "Content-Length: 3"));
  CHECK(ask(port(), "/open", "Content-Length: 5\r\n\r\nhello", "POST").status == 405);
  CHECK(ask(port(), "/open", "Content-Length: 99999999999\r\n", "PUT").status == 405);
  CHECK(ask(port(), "/nothing").status == 404);
  CHECK(ask(port(), "/open?verbose").status == 200);
}

TEST_CASE_FIXTURE(server_bench, "a wrong token gets nothing, the right one gets the page") {
  CHECK(ask(port(), "/large").status == 401);
  CHECK(ask(port(), "/large", "Authorization: Bearer wrong-token-wrong-token\r\n").status == 401);
  const auto got = ask(port(), "/large", "Authorization: Bearer " + secret + "\r\n");
  CHECK(got.status == 200);
  CHECK(got.body.size() == 1 << 20U);
  CHECK(server->counts().answers[static_cast<std::size_t>(metrics::http_answer::unauthorized)] == 2);
}

TEST_CASE_FIXTURE(server_bench, "garbage, half requests and oversize headers end the connection and nothing else") {
  std::mt19937 random{7};
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::string bytes(1 + random() % 2'000, '\0');
    for (auto& each : bytes)
      each = static_cast<char>(random());
    const http_connection to{port()};
    (void)to.send(bytes + (round % 2 == 0 ? "\r\n\r\n" : ""));
  }
  CHECK(answers());
  const http_connection large{port()};
  (void)large.send("GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + std::string(1 << 20U, 'a') + "\r\n\r\n");
  const auto refused = parse_answer(large.receive_all());
  // The server may reset the connection before the client has read the answer.
  CHECK((refused.status == 0 || refused.status == 431 || refused.status == 413));
  const auto too_long = ask(port(), "/" + std::string(100'000, 'a'));
  CHECK((too_long.status == 0 || too_long.status == 414 || too_long.status == 431));
  CHECK(ask(port(), "/open", "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n", "POST").status == 405);
  CHECK(answers());
}

TEST_CASE_FIXTURE(server_bench, "a client that sends a byte at a time is cut, and others are served") {
  const http_connection slow{port()};
  REQUIRE(slow.send("GET /open HTTP/1.1\r\n"));
  // A byte each tenth of a second never looks idle.
  CHECK(eventually([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{100});
    return !slow.send("X");
  }));
  CHECK(eventually([this] { return server->counts().connections_cut >= 1; }));
  CHECK(answers());
}

TEST_CASE_FIXTURE(server_bench, "ten thousand connections cost little memory, and end by themselves") {
  rlimit files{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &files);
  const auto at_once = std::min<std::size_t>(4'000, files.rlim_cur / 2);
  const auto before = resident_bytes();
  std::vector<http_connection> held;
  for (std::size_t thousand = 0; thousand < 10; ++thousand) {
    if (held.size() >= at_once) held.clear();
    // The backlog of the port is bounded too, so the client of a flood has to wait; these eight give up instead.
    std::array<std::vector<http_connection>, 8> opened;
    std::vector<std::thread> clients;
    for (auto& own : opened) {
      clients.emplace_back([&] {
        while (own.size() < 1'000 / opened.size()) {
          own.emplace_back(port(), 0, std::chrono::milliseconds{2});
          (void)own.back().send("GET /open HTTP/1.1\r\n");
        }
      });
    }
    for (auto& each : clients)
      each.join();
    for (auto& own : opened) {
      for (auto& each : own)
        held.push_back(std::move(each));
    }
    CHECK(server->counts().connections <= 32);
    CHECK(resident_bytes() < before + 64U * 1024 * 1024);
  }
  CHECK(server->counts().connections <= 32);
  held.clear();
  CHECK(answers());
  CHECK(eventually([this] { return server->counts().connections == 0; }));
}

TEST_CASE_FIXTURE(server_bench, "a flood of requests is answered at a bounded rate") {
  const auto begin = std::chrono::steady_clock::now();
  std::size_t answered = 0;
  while (std::chrono::steady_clock::now() < begin + std::chrono::seconds{1})
    answered += ask(port(), "/open").status == 200 ? 1 : 0;
  const auto periods = (std::chrono::steady_clock::now() - begin) / answer_period;
  CHECK(answered > 0);
  CHECK(answered <= paced_at_once + static_cast<std::size_t>(periods) + 1);
  // A client that comes later is served at once.
  CHECK(answers());
}

TEST_CASE_FIXTURE(server_bench, "clients that do not read their page are cut, and hold a bounded part of the memory") {
  constexpr std::size_t clients = 8;
  const auto before = resident_bytes();
  std::vector<http_connection> held;
  for (std::size_t number = 0; number < clients; ++number) {
    held.emplace_back(port(), 4'096);
    REQUIRE(held.back().send("GET /huge HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
  }
  const auto pages = [this] { return server->counts().answers[static_cast<std::size_t>(metrics::http_answer::ok)]; };
  CHECK(eventually([&] { return pages() == clients; }));
  CHECK(resident_bytes() < before + (clients + 2) * huge_bytes);
  CHECK(eventually([this] { return server->counts().connections == 0; }));
  for (const auto& each : held)
    CHECK(each.receive_all().size() < huge_bytes);
  CHECK(answers());
}

TEST_CASE_FIXTURE(server_bench, "events arrive at once, a slow reader is dropped, and the number is bounded") {
  const http_connection quick{port()};
  REQUIRE(quick.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
  CHECK(has(quick.receive(), "200 OK"));
  std::string seen;
  REQUIRE(eventually([this] { return events->clients() == 1; }));
  events->publish("hello", "{}");
  CHECK(eventually([&] { return has(seen += quick.receive(), "event: hello"); }));
  {
    const http_connection slow{port(), 4'096};
    REQUIRE(slow.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"));
    REQUIRE(eventually([this] { return events->clients() == 2; }));
    CHECK(ask(port(), "/events").status == 503);
    const std::string data(8'000, 'x');
    CHECK(eventually([&] {
      events->publish("flood", data);
      // The quick client keeps reading.
      quick.set_timeout(std::chrono::milliseconds{1});
      for (auto part = quick.receive(1 << 20U); !part.empty(); part = quick.receive(1 << 20U)) {
      }
      return events->dropped() >= 1;
    }));
    CHECK(eventually([this] { return events->clients() == 1; }));
  }
  // A stream outlives the time-out of requests.
  quick.set_timeout(std::chrono::seconds{30});
  std::this_thread::sleep_for(std::chrono::milliseconds{2'500});
  events->publish("late", "{}");
  seen.clear();
  CHECK(eventually([&] { return has(seen += quick.receive(), "event: late"); }));
  server->stop();
  // The server ends the stream when it stops.
  CHECK(quick.receive_until_closed(std::chrono::seconds{20}));
}

TEST_CASE("a server stops while events are published and clients come and go") {
  for (int round = 0; round < 10; ++round) {
    server_bench bench;
    std::atomic<bool> is_over = false;
    std::thread publisher{[&] {
      while (!is_over)
        bench.events->publish("event", "{}");
    }};
    std::thread clients{[&] {
      while (!is_over) {
        const http_connection to{bench.port()};
        to.set_timeout(std::chrono::milliseconds{5});
        (void)to.send("GET /events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        (void)to.receive();
      }
    }};
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    bench.server->stop();
    is_over = true;
    publisher.join();
    clients.join();
  }
}

TEST_CASE("one address cannot take all connections, and a port in use is an error of the operator") {
  auto settings = server_bench::usual();
  settings.connections_per_address_max = 4;
  settings.request_timeout = std::chrono::seconds{20};
  server_bench bench{settings};
  std::vector<http_connection> held;
  for (int number = 0; number < 4; ++number) {
    held.emplace_back(bench.port());
    REQUIRE(held.back().send("GET /open HTTP/1.1\r\n"));
  }
  CHECK(eventually([&] { return bench.server->counts().connections == 4; }));
  const http_connection fifth{bench.port()};
  // It is closed long before its time-out, although its request is complete.
  (void)fifth.send("GET /open HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  CHECK(fifth.receive_until_closed(std::chrono::seconds{10}) == "");
  held.clear();
  CHECK(bench.answers());
  settings.listen.port = bench.port();
  const auto second = http_server::start(settings, router{{}, std::nullopt}, std::make_shared<event_stream>(1));
  REQUIRE_FALSE(second);
  CHECK_FALSE(second.error().remedy.empty());
}

TEST_CASE("clients that left before their request was whole hold no connections") {
  auto settings = server_bench::usual();
  settings.connections_max = 8;
  settings.connections_per_address_max = 8;
  settings.request_timeout = std::chrono::seconds{50};
  server_bench bench{settings};
  std::vector<http_connection> held;
  const auto open = [&] {
    held.emplace_back(bench.port());
    REQUIRE(held.back().send("GET /open HTTP/1.1\r\n"));
  };
  for (int number = 0; number < 8; ++number)
    open();
  CHECK(eventually([&] { return bench.server->counts().connections == 8; }));
  // These wait for the first eight. When the server accepts them, their bytes and their ends are there together.
  for (int number = 0; number < 8; ++number)
    open();
  held.clear();
  const auto before = std::chrono::steady_clock::now();
  CHECK(bench.answers());
  CHECK(eventually([&] { return bench.server->counts().connections == 0; }));
  CHECK(std::chrono::steady_clock::now() - before < settings.request_timeout);
  CHECK(bench.server->counts().connections_cut == 0);
}

TEST_CASE_FIXTURE(server_bench, "a client that ends its own direction after the request still gets the answer") {
  for (int round = 0; round < 50; ++round) {
    const http_connection to{port()};
    REQUIRE(to.send("GET /large HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer " + secret + "\r\n\r\n"));
    to.end_sending();
    CHECK(parse_answer(to.receive_all()).body.size() == 1 << 20U);
  }
}

TEST_CASE("TLS works with a certificate and its key, and a wrong pair is refused with a remedy") {
  const scratch_folder folder;
  const auto command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
      "/CN=localhost -keyout " +
      (folder / "key").string() + " -out " + (folder / "certificate").string() + " 2>/dev/null";
  if (std::system(command.c_str()) != 0 || std::system("command -v curl >/dev/null") != 0) {
    MESSAGE("skipped: openssl or curl is missing");
    return;
  }
  auto settings = server_bench::usual();
  settings.tls_certificate = folder / "certificate";
  settings.tls_key = folder / "key";
  ::chmod(settings.tls_key.c_str(), 0600);
  {
    server_bench bench{settings};
    const auto fetches = [&](const std::string& options) {
      fs::remove(folder / "out");
      const auto fetch = "curl -s --max-time 20 --cacert " + settings.tls_certificate.string() + " " + options +
                         " https://localhost:" + std::to_string(bench.port()) + "/open > " + (folder / "out").string();
      return std::system(fetch.c_str()) == 0 && cli_test::text_of(folder / "out") == "{}\n";
    };
    CHECK(fetches("--tlsv1.3"));
    CHECK(fetches("--tlsv1.2 --tls-max 1.2"));
    // The client would accept the old versions.
    for (const std::string version : {"1.0", "1.1"}) {
      CAPTURE(version);
      CHECK_FALSE(fetches("--tlsv1.0 --ciphers DEFAULT@SECLEVEL=0 --tls-max " + version));
    }
    // Plain HTTP gets no answer.
    CHECK(ask(bench.port(), "/open").status == 0);
  }
  cli_test::write_text(settings.tls_certificate, "no certificate\n");
  const auto wrong = http_server::start(settings, router{{}, std::nullopt}, std::make_shared<event_stream>(1));
  REQUIRE_FALSE(wrong);
  CHECK(has(wrong.error().remedy, "tls_certificate"));
}

}  // namespace hypermesh::testing::http_test
