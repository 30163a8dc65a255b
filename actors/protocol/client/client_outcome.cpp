#include "actors/protocol/client/client_outcome.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace hypermesh::protocol {

namespace {

world_error refused(std::string_view name, const std::string& value, const std::string& range) {
  return {"client_settings::" + std::string{name} + " is " + value, "set it to " + range, fault_origin::configuration};
}

/// A setting that is a duration.
struct duration_setting {
  std::string_view name;
  duration value;
  duration low;
};

/// A setting that is a number of items, at least one.
struct count_setting {
  std::string_view name;
  std::size_t value;
  std::size_t high;
};

}  // namespace

or_error<void> check_client_settings(const client_settings& settings) {
  const std::array durations = {
      duration_setting{"bundle_delay", settings.bundle_delay, 0us},
      duration_setting{"retransmit_after", settings.retransmit_after, 1us},
      duration_setting{"retransmit_max", settings.retransmit_max, 1us},
      duration_setting{"deadline", settings.deadline, 1us},
      duration_setting{"doubtful_after", settings.doubtful_after, 0us},
  };
  for (const auto& [name, value, low] : durations) {
    if (value >= low && value <= client_duration_max) continue;
    const auto range = std::to_string(low.count()) + " to " + std::to_string(client_duration_max.count());
    return tl::unexpected{refused(name, std::to_string(value.count()) + " us", range + " us, which is 366 days")};
  }
  const std::array counts = {
      count_setting{"bundle_operations_max", settings.bundle_operations_max, limits::operations_per_request_max},
      count_setting{"requests_in_flight_max", settings.requests_in_flight_max, limits::requests_in_flight_max},
  };
  for (const auto& [name, value, high] : counts) {
    if (value >= 1 && value <= high) continue;
    return tl::unexpected{refused(name, std::to_string(value), "1 to " + std::to_string(high))};
  }
  return {};
}

}  // namespace hypermesh::protocol
