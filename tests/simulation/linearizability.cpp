#include "tests/simulation/linearizability.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/printable.hpp"
#include "tests/simulation/linearization_search.hpp"
#include "tests/simulation/operation_text.hpp"

namespace hypermesh::testing {

namespace {

/// The operations on one key, in the order of their invocations.
using key_history = std::vector<const client_operation*>;

/// The part of a history until `time`, in the form for the search. Operations that returned later have no result yet.
std::vector<key_operation> prefix_of(const key_history& history, moment time) {
  std::vector<key_operation> prefix;
  std::map<std::pair<client_id, timestamp>, std::map<std::size_t, std::size_t>> bundles;
  for (const auto* each : history) {
    if (each->invoked > time) break;
    auto what = key_value::decode(each->operation);
    require(what.has_value(), "the operation of a key has one");
    key_operation next;
    next.what = *what;
    next.invoked = each->invoked;
    if (each->returned && *each->returned <= time) {
      next.returned = *each->returned;
      next.result = each->result;
    }
    if (each->bundle) bundles[{each->bundle->client, each->bundle->when}][each->bundle->index] = prefix.size();
    prefix.push_back(std::move(next));
  }
  for (const auto& [name, places] : bundles) {
    auto before = key_operation::none;
    for (const auto& [index, place] : places) {
      prefix[place].after = before;
      before = place;
    }
  }
  return prefix;
}

/// The time of the first result that no order explains, for a history that has such a result.
moment first_failure(const key_history& history, std::uint64_t states_max) {
  std::vector<moment> times;
  for (const auto* each : history) {
    if (each->returned) times.push_back(*each->returned);
  }
  std::ranges::sort(times);
  require(!times.empty(), "a history without results is linearizable");
  // Every prefix of a linearizable history is linearizable, so all prefixes from some time on fail.
  const auto fails = [&](moment time) {
    return linearization_search{prefix_of(history, time), states_max}.run() == search_outcome::violated;
  };
  auto first = times.begin();
  for (auto left = times.size(); left > 1;) {
    const auto half = static_cast<std::ptrdiff_t>(left / 2);
    if (fails(*(first + half - 1))) {
      left = static_cast<std::size_t>(half);
    } else {
      first += half;
      left -= static_cast<std::size_t>(half);
    }
  }
  return *first;
}

std::string time_of(moment time) {
  return fmt::format("{:>11.3f}", static_cast<double>(time.time_since_epoch().count()) / 1'000.0);
}

std::string line_of(const client_operation& each, moment until) {
  const bool ended = each.returned && *each.returned <= until;
  const auto result = ended ? key_value::interpret(each.operation, each.result).line : "unknown";
  return fmt::format("  c{:<2} [{} …{} ms] {} -> {}{}\n", each.client.value, time_of(each.invoked),
                     ended ? time_of(*each.returned) : fmt::format("{:>11}", ""), words_of(each.operation), result,
                     ended && *each.returned == until ? "   <- the first result that cannot be" : "");
}

std::string tell(byte_span key, const key_history& history, moment until) {
  std::string lines;
  std::size_t count = 0;
  for (const auto* each : history) {
    if (each->invoked > until) break;
    lines += line_of(*each, until);
    ++count;
  }
  return fmt::format("key \"{}\" is not linearizable: no order of these {} operations yields their results\n{}",
                     printable(key), count, lines);
}

/// Checks an operation that the store cannot decode. Its only valid result is `malformed` with the reason `why`.
/// Returns nothing if the result is valid or unknown, otherwise the text of the violation.
std::optional<std::string> objection_to(const client_operation& each, const std::string& why) {
  if (!each.returned || each.result == malformed(why)) return std::nullopt;
  return "no state yields this result\n" + line_of(each, *each.returned);
}

}  // namespace

linearizability_verdict check_linearizability(const std::vector<client_operation>& history, std::uint64_t states_max) {
  linearizability_verdict verdict;
  verdict.operations = history.size();
  std::map<byte_vector, key_history> keys;
  for (const auto& each : history) {
    require(!each.returned || *each.returned >= each.invoked, "an operation returns after it was invoked");
    const auto decoded = key_value::decode(each.operation);
    if (decoded) {
      const auto key = key_of(*decoded);
      keys[{key.begin(), key.end()}].push_back(&each);
    } else if (!verdict.violation) {
      verdict.violation = objection_to(each, decoded.error());
    }
  }
  verdict.keys = keys.size();
  for (auto& [key, operations] : keys) {
    std::ranges::stable_sort(operations, {}, &client_operation::invoked);
    linearization_search search{prefix_of(operations, key_operation::never), states_max};
    const auto outcome = search.run();
    verdict.states += search.states();
    if (outcome == search_outcome::undecided) ++verdict.undecided;
    if (outcome == search_outcome::violated && !verdict.violation) {
      verdict.violation = tell(key, operations, first_failure(operations, states_max));
    }
  }
  return verdict;
}

}  // namespace hypermesh::testing
