#include <doctest/doctest.h>

#include <array>

#include "runtime/http/http_server.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "runtime/thread_limits.hpp"

namespace hypermesh::testing {

namespace {

/// A limit raiser for a system that allows only `Files` open files.
template <std::uint64_t Files>
std::uint64_t at_most(std::uint64_t) {
  return Files;
}

link_settings settings_of(std::size_t replicas, std::uint32_t clients) {
  link_settings settings;
  settings.replicas.resize(replicas);
  settings.client_count = clients;
  return settings;
}

}  // namespace

TEST_CASE("a cluster of four with four clients fits the default limits of systems") {
  auto settings = settings_of(4, 4);
  const auto fitted = fit_to_descriptors(settings, 0, at_most<1'024>);
  REQUIRE(fitted);
  CHECK(fitted->empty());
  CHECK(settings.limits.client_links_max == 128);
  CHECK(settings.limits.handshakes_max == link_limits{}.handshakes_max);
}

TEST_CASE("fewer open files give fewer sessions and handshakes, and a message") {
  constexpr std::array<limit_raiser, 4> systems = {at_most<650>, at_most<800>, at_most<1'024>, at_most<1'700>};
  for (const auto system : systems) {
    const auto files = system(0);
    CAPTURE(files);
    auto settings = settings_of(4, 900);
    const auto fitted = fit_to_descriptors(settings, 0, system);
    REQUIRE(fitted);
    CHECK(fitted->find("ulimit -n 1800") != std::string::npos);
    const auto& bounds = settings.limits;
    CHECK(8 + other_files + bounds.client_links_max + bounds.handshakes_max == files);
    CHECK(bounds.client_links_max >= 64);
    CHECK(bounds.handshakes_max >= 64);
    CHECK(bounds.handshakes_per_address_max <= bounds.handshakes_max);
  }
}

TEST_CASE("the connections of the HTTP server count as open files") {
  http::http_settings off;
  CHECK(http::open_files_of(off) == 0);
  auto on = off;
  on.enabled = true;
  on.connections_max = 200;
  CHECK(http::open_files_of(on) > 200);
  // 904 files are just enough for the links alone.
  auto settings = settings_of(4, 4);
  CHECK(fit_to_descriptors(settings, http::open_files_of(off), at_most<904>)->empty());
  const auto fitted = fit_to_descriptors(settings, http::open_files_of(on), at_most<904>);
  REQUIRE(fitted);
  CHECK_FALSE(fitted->empty());
  const auto& bounds = settings.limits;
  CHECK(8 + other_files + http::open_files_of(on) + bounds.client_links_max + bounds.handshakes_max == 904);
}

TEST_CASE("a replica with too few open files does not start, and the error has the numbers") {
  auto settings = settings_of(4, 4);
  const auto fitted = fit_to_descriptors(settings, 0, at_most<256>);
  REQUIRE(!fitted);
  const auto& error = fitted.error();
  CHECK(error.what == "this process needs 904 open files, but the system allows 256");
  CHECK(error.remedy.find("ulimit -n 904") != std::string::npos);
}

TEST_CASE("a system with enough threads gives no objection") {
  CHECK(check_threads(0).has_value());
  CHECK(check_threads(threads_of_node(4)).has_value());
  CHECK(threads_of_node(4) > threads_of_client(4));
}

}  // namespace hypermesh::testing
