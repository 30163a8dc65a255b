#include "tests/support/counting_machine.hpp"
#include "messages/byte_codec.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace hypermesh::testing {

namespace {

state_chunk chunk_of(byte_vector bytes) {
  const auto leaf = state_chunk_digest(bytes);
  return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
}

constexpr std::string_view large = "large:";

}  // namespace

counting_machine::counting_machine(std::size_t padding, std::size_t ballast) : padding_(padding) {
  for (std::size_t index = 0; index < ballast; ++index) {
    byte_writer out;
    out.number<std::uint64_t>(~index);
    out.bytes(byte_vector(padding));
    ballast_.push_back(chunk_of(out.take()));
  }
}

operation_result counting_machine::apply(const operation_context& context, byte_span operation) {
  const auto text = as_text(operation);
  if (text.empty()) return {operation_status::malformed, to_byte_vector("an operation has a byte")};
  if (text.front() == '!') return {operation_status::refused, to_byte_vector("refused as asked")};
  ++applied_;
  chain_ = hasher{"counting machine"}
               .add(chain_)
               .add(context.sequence.value)
               .add(std::uint64_t{context.client.value})
               .add(context.when.value)
               .add(std::uint64_t{context.index})
               .add(operation)
               .finish();
  ++buckets_[std::to_integer<std::size_t>(operation.back()) % bucket_count];
  if (text.starts_with(large)) {
    std::size_t size = 0;
    std::from_chars(text.data() + large.size(), text.data() + text.size(), size);
    return {operation_status::applied, byte_vector(size)};
  }
  return {operation_status::applied, to_byte_vector(fmt::format("{} {}", applied_, to_hex(chain_.view(), 8)))};
}

operation_result counting_machine::query(byte_span operation) const {
  if (as_text(operation) != "count") return {operation_status::refused, to_byte_vector("only \"count\" is a query")};
  return {operation_status::applied, to_byte_vector(std::to_string(applied_))};
}

state_snapshot counting_machine::snapshot() {
  state_snapshot chunks;
  byte_writer head;
  head.number<std::uint64_t>(applied_);
  head.bytes(chain_.view());
  chunks.push_back(chunk_of(head.take()));
  for (const auto bucket : buckets_) {
    byte_writer out;
    out.number<std::uint64_t>(bucket);
    out.bytes(byte_vector(padding_));
    chunks.push_back(chunk_of(out.take()));
  }
  // Unchanged chunks are shared with the last snapshot.
  for (std::size_t index = 0; index < held_.size(); ++index) {
    if (held_[index].leaf == chunks[index].leaf) chunks[index] = held_[index];
  }
  held_ = chunks;
  chunks.insert(chunks.end(), ballast_.begin(), ballast_.end());
  return chunks;
}

or_reason<void> counting_machine::restore(const state_snapshot& snapshot) {
  if (snapshot.size() != 1 + bucket_count + ballast_.size()) {
    return invalid("a counting machine has one chunk, its buckets and its ballast");
  }
  byte_reader head{*snapshot.front().bytes};
  const auto applied = head.number<std::uint64_t>();
  const auto chain = head.bytes(digest::size);
  if (!head.is_complete()) return invalid("the head of a counting machine is malformed");
  std::array<std::uint64_t, bucket_count> buckets{};
  for (std::size_t index = 0; index < bucket_count; ++index) {
    byte_reader in{*snapshot[1 + index].bytes};
    buckets[index] = in.number<std::uint64_t>();
    const auto rest = in.rest();
    const bool is_padding = std::ranges::all_of(rest, [](std::byte each) { return each == std::byte{0}; });
    if (in.failed() || rest.size() != padding_ || !is_padding)
      return invalid("a bucket of a counting machine is malformed");
  }
  for (std::size_t index = 0; index < ballast_.size(); ++index) {
    if (snapshot[1 + bucket_count + index].leaf != ballast_[index].leaf)
      return invalid("the ballast is another machine's");
  }
  applied_ = applied;
  std::ranges::copy(chain, chain_.bytes.begin());
  buckets_ = buckets;
  return {};
}

}  // namespace hypermesh::testing
