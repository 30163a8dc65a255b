#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>

#include "messages/require.hpp"
#include "runtime/state_machines/registry.hpp"

/// Executes arbitrary bytes as operations of the machines. A malformed operation and a read change nothing, and a read
/// gets the same answer from `apply` and from a `query` behind it. The state that results can be restored. The first
/// byte selects the machine, and each following length byte gives the length of an operation.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hypermesh;
  using namespace hypermesh::testing;
  if (size == 0) return 0;
  constexpr std::array names = {"key-value", "scheduler", "redis"};
  auto made = make_state_machine(names[data[0] % names.size()]);
  auto& machine = **made;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::size_t at = 1;
  for (std::uint64_t step = 1; at < size; ++step) {
    const auto length = std::min<std::size_t>(data[at], size - at - 1);
    const byte_span operation{bytes + at + 1, length};
    at += 1 + length;
    const auto before = machine.root();
    const auto answer = machine.query(operation);
    // Each operation happens a second after the one before, so that leases end.
    operation_context context{sequence_number{step}, client_id{0}, timestamp{step}, 0};
    context.ordered_time = std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::seconds{step}};
    const auto result = machine.apply(context, operation);
    if (result.status == operation_status::applied && answer.status == operation_status::applied) {
      // The time of a query is that of the operation before it, so keys may have expired since the first query.
      require(machine.query(operation) == result, "a read answers the same, ordered or not");
    }
    const bool is_read = answer.status == operation_status::applied;
    if (result.status == operation_status::malformed || is_read)
      require(machine.root() == before, "a malformed operation and a read change nothing");
  }
  const auto copy = std::move(*make_state_machine(machine.name()));
  require(copy->restore(machine.snapshot()).has_value(), "a machine restores its own snapshot");
  require(copy->root() == machine.root(), "a restored machine has the same state");
  return 0;
}
