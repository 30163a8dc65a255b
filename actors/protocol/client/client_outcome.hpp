#pragma once

#include <cstdint>
#include <type_traits>

#include <hypermesh/expected.hpp>
#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>

#include "messages/limits.hpp"
#include "messages/time.hpp"

/// The interface between a client and its host. The settings and outcomes are in the public headers.
namespace hypermesh::protocol {

static_assert(client_settings{}.requests_in_flight_max == limits::requests_in_flight_max / 2,
              "one client uses half of its quota at each replica");
static_assert(std::is_same_v<duration, decltype(client_settings::deadline)>, "settings need no conversion");

/// The longest duration that a host may set for a client. So `client_core` can add durations to moments: a moment
/// counts microseconds since the start of the machine, of which 2⁶³ are 292,000 years.
inline constexpr duration client_duration_max = std::chrono::hours{366 * 24};

/// Checks the settings that a host gives to a client. `client_core` requires that they are valid. The error names the
/// setting, its value and its range.
[[nodiscard]] or_error<void> check_client_settings(const client_settings& settings);

/// Identifies an operation between `client_core` and the actor around it.
using operation_token = std::uint64_t;

}  // namespace hypermesh::protocol
