#include <cstdint>
#include <memory>

#include "messages/require.hpp"
#include "runtime/state_machines/registry.hpp"

/// Executes arbitrary bytes as operations of both machines. An operation that is not applied changes nothing, and an
/// operation that `query` answers gets the same answer from `apply`. The first byte selects the machine, and each
/// following length byte gives the length of an operation.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hypermesh;
  using namespace hypermesh::testing;
  if (size == 0) return 0;
  auto made = make_state_machine(data[0] % 2 == 0 ? "key-value" : "scheduler");
  auto& machine = **made;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::size_t at = 1;
  for (std::uint64_t step = 1; at < size; ++step) {
    const auto length = std::min<std::size_t>(data[at], size - at - 1);
    const byte_span operation{bytes + at + 1, length};
    at += 1 + length;
    const auto before = machine.root();
    const auto answer = machine.query(operation);
    const auto result = machine.apply({sequence_number{step}, client_id{0}, timestamp{step}, 0}, operation);
    if (result.status == operation_status::applied && answer.status == operation_status::applied) {
      require(answer == result, "a read answers the same, ordered or not");
    }
    if (result.status == operation_status::malformed)
      require(machine.root() == before, "a malformed operation changes nothing");
  }
  return 0;
}
