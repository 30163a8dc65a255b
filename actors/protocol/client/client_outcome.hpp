#pragma once

#include <cstdint>
#include <type_traits>

#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>

#include "messages/limits.hpp"
#include "messages/time.hpp"

/// The interface between a client and its host. The settings and outcomes are in the public headers.
namespace hypermesh::protocol {

static_assert(client_settings{}.requests_in_flight_max == limits::requests_in_flight_max / 2,
              "one client uses half of its quota at each replica");
static_assert(std::is_same_v<duration, decltype(client_settings::deadline)>, "settings need no conversion");

/// Identifies an operation between `client_core` and the actor around it.
using operation_token = std::uint64_t;

}  // namespace hypermesh::protocol
