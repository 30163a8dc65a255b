#include "messages/receipt_decoder.hpp"

#include "messages/limits.hpp"
#include "messages/statement_reader.hpp"
#include "messages/wire_values.hpp"
#include "schemas/client_generated.h"

namespace hypermesh::messages {

or_rejection<receipt_share> decode_receipt_share(const wire::ReceiptReply& encoded, std::uint32_t index) {
  if (encoded.batch() == nullptr) return rejected(rejection::missing_field);
  receipt_share value;
  auto& place = value.place;
  place.sequence = sequence_number{encoded.sequence()};
  place.batch = fixed_from_wire<digest>(*encoded.batch());
  place.operation_count = encoded.operation_count();
  place.request_count = encoded.request_count();
  place.request_index = encoded.request_index();
  if (encoded.sequence() > limits::sequence_max || encoded.time_ms() > limits::proposed_time_ms_max ||
      place.operation_count > limits::operations_per_request_max ||
      place.request_count > limits::requests_per_batch_max)
    return rejected(rejection::number_out_of_range);
  place.ordered_time = wall_time{std::chrono::milliseconds{encoded.time_ms()}};
  if (index >= place.operation_count || place.request_index >= place.request_count)
    return rejected(rejection::inconsistent_sizes);
  constexpr auto most = limits::receipt_path_max;
  if (auto done = read_digests(encoded.operation_path(), most, place.operation_path); !done) return failure_of(done);
  if (auto done = read_digests(encoded.request_path(), most, place.request_path); !done) return failure_of(done);
  value.by = fixed_from_wire<signature>(*encoded.signature());
  return value;
}

}  // namespace hypermesh::messages
