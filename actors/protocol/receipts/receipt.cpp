#include "actors/protocol/receipts/receipt.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

namespace {

// Each level of the trees has a domain of its own, so no operation can be presented as a request, and no request as a
// batch (attack 44).
constexpr std::string_view operation_domain = "hypermesh receipt operation";
constexpr std::string_view request_domain = "hypermesh receipt request";
constexpr std::string_view batch_domain = "hypermesh receipt batch";

/// The first bytes of every receipt file. The last one is the version of the format.
constexpr std::string_view file_magic = "HMRECPT\1";

std::uint64_t milliseconds_of(wall_time time) { return static_cast<std::uint64_t>(time.time_since_epoch().count()); }

/// One octet is enough for a length, because a path has at most `limits::receipt_path_max` digests.
void write_path(byte_writer& out, const merkle_path& path) {
  out.number(static_cast<std::uint8_t>(path.size()));
  for (const auto& each : path)
    out.bytes(each.view());
}

template <class Fixed>
Fixed read_fixed(byte_reader& in) {
  Fixed value;
  std::ranges::copy(in.bytes(Fixed::size), value.bytes.begin());
  return value;
}

/// Reads a path. A length above its bound fails before anything is allocated, because the file may be hostile.
merkle_path read_path(byte_reader& in) {
  const auto count = in.number<std::uint8_t>();
  if (count > limits::receipt_path_max) in.fail();
  merkle_path path;
  for (std::uint8_t step = 0; step < count && !in.failed(); ++step)
    path.push_back(read_fixed<digest>(in));
  return path;
}

/// Reads a length and as many bytes. The length is compared with its bound before anything is copied.
byte_vector read_bytes(byte_reader& in, std::size_t bytes_max) {
  const auto size = in.number<std::uint32_t>();
  if (size > bytes_max) in.fail();
  const auto view = in.bytes(in.failed() ? 0 : size);
  return {view.begin(), view.end()};
}

/// The order of the fields is that of the table in README.md. A wrong value only sets the failure of the reader, and
/// the caller checks it once, at the end.
executed_operation read_operation(byte_reader& in) {
  executed_operation value;
  value.id.client = client_id{in.number<std::uint32_t>()};
  value.id.session = session_id{in.number<std::uint64_t>()};
  value.id.when = timestamp{in.number<std::uint64_t>()};
  value.request = read_fixed<digest>(in);
  value.index = in.number<std::uint32_t>();
  value.operation = read_bytes(in, limits::operation_bytes_max);
  const auto status = in.number<std::uint8_t>();
  // A status without a name could be printed by no program, and no machine returns one.
  if (status > static_cast<std::uint8_t>(operation_status_last)) in.fail();
  value.status = static_cast<operation_status>(status);
  value.result = read_bytes(in, limits::result_bytes_max);
  return value;
}

/// Counts and indices are not compared here. `receipt_value_of` refuses those that fit no tree.
receipt_place read_place(byte_reader& in) {
  receipt_place place;
  place.sequence = sequence_number{in.number<std::uint64_t>()};
  place.batch = read_fixed<digest>(in);
  const auto time_ms = in.number<std::uint64_t>();
  if (time_ms > limits::proposed_time_ms_max) in.fail();
  // A larger number could overflow the type of the time, so it is not converted.
  place.ordered_time = wall_time{std::chrono::milliseconds{in.failed() ? 0 : time_ms}};
  place.operation_count = in.number<std::uint32_t>();
  place.operation_path = read_path(in);
  place.request_count = in.number<std::uint32_t>();
  place.request_index = in.number<std::uint32_t>();
  place.request_path = read_path(in);
  return place;
}

}  // namespace

digest receipt_leaf_of(byte_span operation, std::uint8_t status, byte_span result) {
  // The length of the operation comes first. Without it, bytes could be moved between the operation and the result.
  return hasher{operation_domain}
      .add(operation.size())
      .add(operation)
      .add(static_cast<std::uint64_t>(status))
      .add(result)
      .finish();
}

digest receipt_leaf_of(const request_id& id, const digest& request, const digest& operations) {
  // The leaf names the request and not only its content, because one content may be submitted many times. Each number
  // has a fixed length in the hash, so no two names share their bytes.
  return hasher{request_domain}
      .add(static_cast<std::uint64_t>(id.client.value))
      .add(id.session.value)
      .add(id.when.value)
      .add(request)
      .add(operations)
      .finish();
}

digest receipt_value_of(const digest& batch, wall_time ordered_time, const digest& executed) {
  // The sequence number is not hashed here, because the statement has it. The digest of the batch connects the receipt
  // with the COMMITs in an audit trail.
  return hasher{batch_domain}.add(batch).add(milliseconds_of(ordered_time)).add(executed).finish();
}

std::optional<digest> receipt_value_of(const executed_operation& what, const receipt_place& place) {
  // No correct replica signs a larger tree. The bound also keeps the paths short.
  if (place.operation_count > limits::operations_per_request_max ||
      place.request_count > limits::requests_per_batch_max)
    return std::nullopt;
  const auto leaf = receipt_leaf_of(what.operation, static_cast<std::uint8_t>(what.status), what.result);
  // The number of leaves is part of each root, and the number of the leaf decides on which side each sibling stands. So
  // a path proves the place too, and one leaf cannot be shown at two places of one tree.
  const auto operations = merkle_root_above(leaf, what.index, place.operation_count, place.operation_path);
  if (!operations) return std::nullopt;
  const auto request = receipt_leaf_of(what.id, what.request, *operations);
  const auto executed = merkle_root_above(request, place.request_index, place.request_count, place.request_path);
  if (!executed) return std::nullopt;
  return receipt_value_of(place.batch, place.ordered_time, *executed);
}

statement receipt_statement(sequence_number sequence, const digest& value, replica_id signer, epoch_number epoch) {
  return {view_number{0}, sequence, value, signer, epoch};
}

byte_vector receipt_signing_input(const signing_context& context, sequence_number sequence, const digest& value,
                                  replica_id signer) {
  // The kind RECEIPT-REPLY is signed for nothing else, so a vote of a replica never becomes a receipt (attack 2).
  const auto content = receipt_statement(sequence, value, signer, context.epoch);
  return signing_input(context, message_kind::receipt_reply, statement_bytes(content));
}

byte_vector bytes_of(const receipt& value) {
  const auto& [context, what, place, signatures] = value;
  require(what.operation.size() <= limits::operation_bytes_max && what.result.size() <= limits::result_bytes_max,
          "an executed operation respects its limits");
  require(signatures.size() <= limits::replicas_max, "each replica signs a receipt once");
  byte_writer out{256 + what.operation.size() + what.result.size() + 68 * signatures.size()};
  out.bytes(as_byte_span(file_magic)).bytes(context.cluster.view()).number(context.epoch.value);
  out.number(what.id.client.value).number(what.id.session.value).number(what.id.when.value);
  out.bytes(what.request.view()).number(what.index);
  out.number(static_cast<std::uint32_t>(what.operation.size())).bytes(what.operation);
  out.number(static_cast<std::uint8_t>(what.status));
  out.number(static_cast<std::uint32_t>(what.result.size())).bytes(what.result);
  out.number(place.sequence.value).bytes(place.batch.view()).number(milliseconds_of(place.ordered_time));
  out.number(place.operation_count);
  write_path(out, place.operation_path);
  out.number(place.request_count).number(place.request_index);
  write_path(out, place.request_path);
  out.number(static_cast<std::uint8_t>(signatures.size()));
  for (const auto& each : signatures)
    out.number(each.replica.value).bytes(each.by.view());
  require(out.size() <= receipt_bytes_max, "a receipt respects its limit");
  return out.take();
}

or_reason<receipt> read_receipt(byte_span bytes) {
  // The size comes first, because everything below takes time and memory in proportion to it.
  if (bytes.size() > receipt_bytes_max) return invalid("the file is larger than any receipt");
  byte_reader in{bytes};
  const auto magic = as_text(in.bytes(file_magic.size()));
  if (magic.size() != file_magic.size() || !magic.starts_with(file_magic.substr(0, file_magic.size() - 1)))
    return invalid("the file is not a receipt");
  // Another version gets its own reason, so that its owner looks for another program and not for a forger.
  if (magic != file_magic) return invalid("the receipt has a version that this program does not know");
  receipt value;
  value.context.cluster = read_fixed<cluster_id>(in);
  value.context.epoch = epoch_number{in.number<std::uint32_t>()};
  value.what = read_operation(in);
  value.place = read_place(in);
  const auto count = in.number<std::uint8_t>();
  for (std::uint8_t number = 0; number < count && !in.failed(); ++number) {
    const auto replica = replica_id{in.number<std::uint32_t>()};
    // The order makes the bytes canonical, and no signer can be counted twice (attack 3).
    if (!value.signatures.empty() && replica <= value.signatures.back().replica) in.fail();
    value.signatures.push_back({replica, read_fixed<signature>(in)});
  }
  // Bytes after the end are refused too. Otherwise two different files would be one receipt.
  if (!in.is_complete()) return invalid("the receipt is truncated or damaged");
  return value;
}

}  // namespace hypermesh::protocol
