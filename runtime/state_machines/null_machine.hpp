#pragma once

#include <span>
#include <string>
#include <string_view>

#include <hypermesh/state_machine.hpp>

#include "messages/expected.hpp"
#include "runtime/state_machines/machine_answer.hpp"

/// The machine "null": it does nothing with an operation but count it, and gives a reply of the wanted size. So a
/// benchmark with it measures the consensus and not a machine.
///
/// | octets | meaning                                                        |
/// |--------|----------------------------------------------------------------|
/// | 1      | 0 for a write, 1 for a read                                    |
/// | 4      | bytes of the reply, little-endian, up to `reply_bytes_max`     |
/// | rest   | payload, which has no meaning                                  |
namespace hypermesh::machines::null {

/// The head of each operation: kind and size of the reply.
inline constexpr std::size_t head_bytes = 5;
/// A reply is one result, so it has the bound of a result.
inline constexpr std::size_t reply_bytes_max = limits::result_bytes_max;

/// The operation with this head and payload. Its size must be at most `limits::operation_bytes_max`.
[[nodiscard]] byte_vector encode(bool reads, std::uint32_t reply_bytes, byte_span payload);

/// Whether the bytes are an operation that only reads.
[[nodiscard]] bool reads(byte_span operation);

/// The help text of a command: one line for each operation.
[[nodiscard]] std::string_view usage();

/// Encodes the operation that the words of a command line describe. The failure says what to write instead.
[[nodiscard]] or_reason<byte_vector> parse_operation(std::span<const std::string> words);

/// Interprets the result of the operation `submitted`.
[[nodiscard]] machine_answer interpret(byte_span submitted, const operation_result& result);

}  // namespace hypermesh::machines::null

namespace hypermesh::machines {

/// The machine "null". Its state is the number of executed writes and a checksum of their heads and sizes, in their
/// order: 16 bytes. So replicas that execute different writes have different states.
class null_machine final : public small_state_machine {
 public:
  [[nodiscard]] std::string_view name() const override { return "null"; }
  operation_result apply(const operation_context& context, byte_span operation) override;
  [[nodiscard]] operation_result query(byte_span operation) const override;
  [[nodiscard]] byte_vector save() const override;
  [[nodiscard]] or_reason<void> load(byte_span saved) override;

 private:
  std::uint64_t writes_ = 0;
  std::uint64_t checksum_ = 0;
};

}  // namespace hypermesh::machines
