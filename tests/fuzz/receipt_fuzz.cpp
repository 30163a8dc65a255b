#include <cstdint>

#include "actors/protocol/receipts/receipt_judge.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"
#include "tests/support/request_factory.hpp"

/// Reads arbitrary bytes as a receipt file. What is read is written with the same bytes, and is not genuine, because
/// the fuzzer has no key. A receipt whose paths fit its numbers can be compared with itself.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const hypermesh::testing::request_factory factory{hypermesh::testing::small_cluster(4)};
  const auto* first = reinterpret_cast<const std::byte*>(data);
  const auto read = hypermesh::protocol::read_receipt({first, size});
  if (!read) return 0;
  const auto& keys = factory.keys_of(hypermesh::replica_id{0});
  const auto verified = hypermesh::protocol::verify_receipt(*read, factory.cluster(), keys);
  if (verified && *verified != hypermesh::receipt_strength::insufficient) __builtin_trap();
  const auto written = hypermesh::protocol::bytes_of(*read);
  if (written != hypermesh::byte_vector(first, first + size)) __builtin_trap();
  if (!hypermesh::protocol::receipt_value_of(read->what, read->place)) return 0;
  const auto found = hypermesh::protocol::judge_receipts(*read, *read);
  if (found.what != hypermesh::receipt_contradiction::none) __builtin_trap();
  return 0;
}
