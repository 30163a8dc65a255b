#include "tests/simulation/proposed_times.hpp"

#include <fmt/format.h>

namespace hypermesh::testing {

namespace {

std::int64_t ms_of(wall_time time) { return time.time_since_epoch().count(); }

}  // namespace

std::optional<std::string> proposed_times::wrong_proposal(const committed_batch& committed) const {
  if (!latest_reading_) return std::nullopt;
  const auto time = committed.body->proposed_time;
  const auto latest = latest_reading_();
  if (time <= latest + skew_max_) return std::nullopt;
  return fmt::format("n={} is committed with the time {} ms, and no clock has shown more than {} ms",
                     committed.sequence.value, ms_of(time), ms_of(latest));
}

std::optional<std::string> proposed_times::wrong_execution(sequence_number sequence, wall_time expected,
                                                           wall_time executed) {
  if (executed == expected) return std::nullopt;
  return fmt::format("n={} is executed at the ordered time {} ms instead of {} ms", sequence.value, ms_of(executed),
                     ms_of(expected));
}

}  // namespace hypermesh::testing
