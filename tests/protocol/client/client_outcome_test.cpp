#include "actors/protocol/client/client_outcome.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace hypermesh;
using namespace hypermesh::protocol;

namespace {

constexpr auto longest = client_duration_max;
constexpr duration for_ever = duration::max();

/// The refusal of settings in which one duration has this value.
std::string refusal_with(duration client_settings::*which, duration value) {
  client_settings settings;
  settings.*which = value;
  const auto done = check_client_settings(settings);
  return done ? "" : done.error().what + "; " + done.error().remedy;
}

}  // namespace

TEST_CASE("the default settings of a client are valid") { CHECK(check_client_settings({})); }

TEST_CASE("durations of a client are in a range whose sum with a moment cannot overflow") {
  for (const auto which :
       {&client_settings::bundle_delay, &client_settings::retransmit_after, &client_settings::retransmit_max,
        &client_settings::deadline, &client_settings::doubtful_after}) {
    CHECK(refusal_with(which, longest).empty());
    CHECK_FALSE(refusal_with(which, longest + 1us).empty());
    CHECK_FALSE(refusal_with(which, for_ever).empty());
    CHECK_FALSE(refusal_with(which, duration::min()).empty());
    CHECK_FALSE(refusal_with(which, -1us).empty());
    CHECK(refusal_with(which, 1us).empty());
  }
  // Waiting for nothing is possible where no message is repeated.
  CHECK(refusal_with(&client_settings::bundle_delay, 0us).empty());
  CHECK(refusal_with(&client_settings::doubtful_after, 0us).empty());
  CHECK_FALSE(refusal_with(&client_settings::retransmit_after, 0us).empty());
  CHECK_FALSE(refusal_with(&client_settings::retransmit_max, 0us).empty());
  CHECK(refusal_with(&client_settings::deadline, 0us) ==
        "client_settings::deadline is 0 us; set it to 1 to 31622400000000 us, which is 366 days");
}

TEST_CASE("numbers of a client are in the range of the protocol") {
  client_settings settings;
  settings.bundle_operations_max = 0;
  CHECK_FALSE(check_client_settings(settings));
  settings.bundle_operations_max = limits::operations_per_request_max;
  CHECK(check_client_settings(settings));
  settings.bundle_operations_max += 1;
  CHECK_FALSE(check_client_settings(settings));
  settings = {};
  settings.requests_in_flight_max = 0;
  CHECK_FALSE(check_client_settings(settings));
  settings.requests_in_flight_max = limits::requests_in_flight_max;
  CHECK(check_client_settings(settings));
  settings.requests_in_flight_max += 1;
  REQUIRE_FALSE(check_client_settings(settings));
  CHECK(check_client_settings(settings).error().what == "client_settings::requests_in_flight_max is 257");
  CHECK(check_client_settings(settings).error().remedy == "set it to 1 to 256");
}
