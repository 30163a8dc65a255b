// A gateway with TLS and a password, as other machines reach it.
#include <doctest/doctest.h>

#include "tests/integration/gateway_process.hpp"
#include "tests/integration/tls_test_client.hpp"

namespace hypermesh::testing::cli_test {

TEST_CASE("a gateway with TLS and a password serves only clients that use TLS and know the password") {
  const std::string password = "a-password-of-32-characters-here";
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  const scratch_folder folder;
  const test_certificate own;
  const test_certificate other;
  REQUIRE((own.is_made() && other.is_made()));
  own.write_to(folder / "server.pem", folder / "server.key");
  write_text(folder / "password", password + "\n");
  fs::permissions(folder / "password", fs::perms::owner_read);
  running_gateway gateway{cluster,
                          0,
                          {"--password-file", (folder / "password").string(), "--tls-certificate",
                           (folder / "server.pem").string(), "--tls-key", (folder / "server.key").string()}};

  // A client without TLS gets no reply, with and without the password.
  for (const auto* bytes : {"PING\r\n", "AUTH a-password-of-32-characters-here\r\nSET a 1\r\n"}) {
    lab::resp_client plain{gateway.port()};
    REQUIRE(plain.is_open());
    CHECK(plain.send_bytes(bytes));
    const auto reply = plain.receive(std::chrono::seconds{20}).value_or("gone");
    CHECK_FALSE(reply.starts_with("+"));
    CHECK_FALSE(reply.starts_with("-NOAUTH"));
  }
  // A client that expects another server, or only has an old version of TLS, does not connect.
  CHECK_FALSE(tls_test_client{gateway.port(), other}.is_secure());
  CHECK_FALSE(tls_test_client{gateway.port(), own, "NORMAL:-VERS-ALL:+VERS-TLS1.1"}.is_secure());

  tls_test_client guesser{gateway.port(), own};
  REQUIRE_MESSAGE(guesser.is_secure(), guesser.failure());
  CHECK(guesser.ask({"GET", "a"}) == "-NOAUTH Authentication required.");
  CHECK(guesser.ask({"AUTH", password + "x"}).starts_with("-WRONGPASS"));
  CHECK(guesser.ask({"AUTH", password.substr(1)}).starts_with("-WRONGPASS"));
  CHECK(guesser.ask({"SET", "a", "2"}) == "-NOAUTH Authentication required.");

  for (const auto* version : {"NORMAL:-VERS-ALL:+VERS-TLS1.2", "NORMAL:-VERS-ALL:+VERS-TLS1.3"}) {
    CAPTURE(version);
    tls_test_client client{gateway.port(), own, version};
    REQUIRE_MESSAGE(client.is_secure(), client.failure());
    CHECK(client.ask({"AUTH", password}) == "+OK");
    // The clients before did not change anything.
    CHECK(client.ask({"GET", "a"}) == "$-1");
    // A value of many records, and many replies in few records.
    const std::string value(200'000, 'v');
    CHECK(client.ask({"SET", "large", value}) == "+OK");
    CHECK(client.ask({"GET", "large"}) == "$" + value);
    constexpr int increments = 500;
    std::string pipeline = "SET n 0\r\n";
    for (int number = 0; number < increments; ++number)
      pipeline += "INCR n\r\n";
    REQUIRE(client.send_bytes(pipeline));
    CHECK(client.receive() == "+OK");
    for (int number = 1; number <= increments; ++number)
      REQUIRE(client.receive() == ":" + std::to_string(number));
  }
  gateway.running().send(SIGTERM);
  CHECK(gateway.running().wait() == 0);
}

}  // namespace hypermesh::testing::cli_test
