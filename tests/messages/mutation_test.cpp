#include <doctest/doctest.h>

#include <string>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/support/message_samples.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Finds the first limit that a message exceeds.
class limit_checker {
 public:
  std::string exceeded;

  void operator()(const request& value) {
    hold(value.id.client.value < limits::clients_max, "clients_max");
    hold(value.operation_count() <= limits::operations_per_request_max, "operations_per_request_max");
    hold(value.operations.size() <= limits::request_bytes_max, "request_bytes_max");
    for (std::size_t index = 0; index < value.operation_count(); ++index) {
      hold(value.operation(index).size() <= limits::operation_bytes_max, "operation_bytes_max");
    }
  }

  void operator()(const pre_prepare& value) {
    vote(value.header);
    hold(value.body->requests.size() <= limits::requests_per_batch_max, "requests_per_batch_max");
    hold(value.body->bytes <= limits::batch_bytes_max, "batch_bytes_max");
    std::size_t total = 0;
    for (const auto& each : value.body->requests) {
      (*this)(each);
      total += each.raw.view.size();
    }
    hold(value.body->system_requests.size() <= limits::system_requests_per_batch_max, "system_requests_per_batch_max");
    for (const auto& each : value.body->system_requests) {
      (*this)(each);
      total += each.raw.view.size();
    }
    hold(total == value.body->bytes, "the bytes of a batch are those of its requests");
  }

  void operator()(const prepare& value) { vote(value.vote); }
  void operator()(const commit& value) { vote(value.vote); }
  void operator()(const checkpoint& value) { vote(value.vote); }

  void operator()(const reply& value) {
    const auto& outcome = value.outcome;
    hold(value.view.value <= limits::view_max, "view_max");
    hold(outcome.status <= reply_status_last, "reply_status");
    hold(outcome.results.size() <= limits::reply_bytes_max, "reply_bytes_max");
    hold(outcome.ends.size() == outcome.statuses.size(), "one end for each status");
    hold(outcome.ends.size() <= limits::operations_per_request_max, "operations_per_request_max");
    for (std::size_t index = 0; index < outcome.ends.size(); ++index) {
      hold(outcome.result(index).size() <= limits::result_bytes_max, "result_bytes_max");
    }
  }

  void operator()(const view_change& value) {
    hold(value.new_view.value <= limits::view_max, "view_max");
    hold(value.stable_sequence.value <= limits::sequence_max, "sequence_max");
    hold(value.replica.value < limits::replicas_max, "replicas_max");
    votes(value.stable_proof.votes, limits::replicas_max);
    hold(value.prepared.size() <= limits::watermark_window_max, "watermark_window_max");
    std::size_t statements = value.stable_proof.votes.size();
    for (const auto& each : value.prepared) {
      vote(each.pre_prepare);
      votes(each.prepares, limits::replicas_max);
      statements += 1 + each.prepares.size();
    }
    hold(statements * 120 <= value.raw.view.size(), "a VIEW-CHANGE holds no more than its bytes");
    hold(value.raw.view.size() < frame_bytes_max_of(message_kind::view_change), "view_change_bytes_max");
  }

  void operator()(const new_view& value) {
    hold(value.view.value <= limits::view_max, "view_max");
    hold(value.replica.value < limits::replicas_max, "replicas_max");
    hold(!value.view_changes.empty(), "a NEW-VIEW rests on VIEW-CHANGEs");
    hold(value.view_changes.size() <= limits::replicas_max, "replicas_max");
    votes(value.reproposals, limits::watermark_window_max);
    std::size_t total = 0;
    for (const auto& each : value.view_changes) {
      (*this)(each);
      total += each.raw.view.size();
    }
    hold(total <= value.raw.view.size(), "a NEW-VIEW holds no more than its bytes");
  }

  void operator()(const status& value) {
    hold(value.replica.value < limits::replicas_max, "replicas_max");
    hold(value.view.value <= limits::view_max, "view_max");
    hold(value.last_decided.value <= limits::sequence_max, "sequence_max");
    hold(value.low_watermark <= value.last_decided, "h is at most what was decided");
    hold(value.slots.size() <= limits::watermark_window_max, "watermark_window_max");
  }

  void operator()(const checkpoint_proof& value) {
    hold(!value.certificate.votes.empty(), "a proof has votes");
    votes(value.certificate.votes, limits::replicas_max);
  }

  void operator()(const state_request& value) {
    hold(value.sequence.value <= limits::sequence_max, "sequence_max");
    hold(value.part <= state_part::leaves, "state_part");
    const auto parts = value.part == state_part::leaves ? limits::state_pages_max : limits::state_chunks_max;
    hold(value.index < parts, "state_chunks_max or state_pages_max");
  }

  void operator()(const state_chunk_message& value) {
    (*this)(value.wanted);
    if (const auto* chunk = std::get_if<std::shared_ptr<const byte_vector>>(&value.content)) {
      hold(value.wanted.part == state_part::chunk, "a chunk answers the request for one");
      hold((*chunk)->size() <= limits::state_chunk_bytes_max, "state_chunk_bytes_max");
    } else if (const auto* page = std::get_if<leaf_page>(&value.content)) {
      hold(value.wanted.part == state_part::leaves, "leaves answer the request for them");
      hold(page->chunk_count <= limits::state_chunks_max, "state_chunks_max");
      const auto leaves = state_page_size(page->chunk_count, value.wanted.index);
      hold(leaves > 0 && page->leaves.size() == leaves, "a page has the leaves that its place and the count say");
      hold(page->path.size() <= limits::page_path_max, "page_path_max");
    } else {
      const auto why = std::get<state_refusal>(value.content);
      hold(why == state_refusal::not_held || why == state_refusal::busy, "state_refusal");
    }
  }

  void operator()(const suspicion& value) { vote(value.vote); }
  void operator()(const complaint& value) { vote(value.vote); }
  void operator()(const release& value) { vote(value.vote); }
  void operator()(const readmission& value) { vote(value.vote); }
  void operator()(const hand_over& value) { vote(value.vote); }
  void operator()(const system_request& value) { (*this)(*value.shown); }

  void operator()(const evidence& value) {
    hold(!value.items.empty(), "something is shown");
    std::size_t documents = 0;
    for (const auto& each : value.items) {
      if (const auto* said = std::get_if<signed_statement>(&each.content)) {
        hold(documents == 0, "statements come first");
        vote(*said);
        continue;
      }
      ++documents;
      hold(document_of(each).view.size() <= limits::evidence_item_bytes_max, "evidence_item_bytes_max");
    }
    hold(documents <= limits::evidence_item_documents_max, "evidence_item_documents_max");
    hold(value.items.size() - documents <= limits::evidence_max, "evidence_max");
  }
  void operator()(const query& value) {
    hold(value.operation.size() <= limits::operation_bytes_max, "operation_bytes_max");
  }

  void operator()(const query_reply& value) {
    hold(value.last_executed.value <= limits::sequence_max, "sequence_max");
    hold(value.result.size() <= limits::result_bytes_max, "result_bytes_max");
  }

  void operator()(const node_query&) {}

  void operator()(const vouch& value) {
    hold(!value.requests.empty(), "a VOUCH names a request");
    hold(value.requests.size() <= limits::vouched_requests_max, "vouched_requests_max");
    for (const auto& each : value.requests)
      hold(each.id.client.value < limits::clients_max, "clients_max");
  }

  void operator()(const receipt_query& value) {
    hold(value.index < limits::operations_per_request_max, "operations_per_request_max");
  }

  void operator()(const receipt_reply& value) {
    (*this)(value.asked);
    if (!value.share) return;
    const auto& place = value.share->place;
    hold(place.sequence.value <= limits::sequence_max, "sequence_max");
    hold(value.asked.index < place.operation_count, "the operation exists");
    hold(place.operation_count <= limits::operations_per_request_max, "operations_per_request_max");
    hold(place.request_index < place.request_count, "the request exists");
    hold(place.request_count <= limits::requests_per_batch_max, "requests_per_batch_max");
    hold(place.operation_path.size() <= limits::receipt_path_max, "receipt_path_max");
    hold(place.request_path.size() <= limits::receipt_path_max, "receipt_path_max");
    const auto time_ms = place.ordered_time.time_since_epoch().count();
    hold(time_ms >= 0 && static_cast<std::uint64_t>(time_ms) <= limits::proposed_time_ms_max, "proposed_time_ms_max");
  }

  void operator()(const node_report& value) {
    hold(value.replica.value < limits::replicas_max, "replicas_max");
    hold(value.view.value <= limits::view_max, "view_max");
    for (const auto each : {value.low_watermark, value.high_watermark, value.last_executed, value.stable_checkpoint}) {
      hold(each.value <= limits::sequence_max, "sequence_max");
    }
    hold(value.counters.size() <= limits::report_counters_max, "report_counters_max");
    for (const auto& each : value.counters) {
      hold(each.name.size() <= limits::report_name_bytes_max, "report_name_bytes_max");
    }
  }

 private:
  void hold(bool holds, std::string_view limit) {
    if (!holds && exceeded.empty()) exceeded = limit;
  }

  void vote(const signed_statement& value) {
    hold(value.content.view.value <= limits::view_max, "view_max");
    hold(value.content.sequence.value <= limits::sequence_max, "sequence_max");
    hold(value.content.replica.value < limits::replicas_max, "replicas_max");
  }

  void votes(const std::vector<signed_statement>& values, std::size_t count_max) {
    hold(values.size() <= count_max, "count of statements");
    for (const auto& each : values)
      vote(each);
  }
};

std::string exceeded_limit(const message& value) {
  limit_checker checker;
  std::visit(checker, value);
  return checker.exceeded;
}

/// The fault of the decoder for arbitrary bytes; empty if there is none. Each frame is in memory of exactly its size,
/// so a sanitizer detects a read beyond its end.
std::string fault_of(const byte_vector& bytes) {
  const auto decoded = decode(std::make_shared<const byte_vector>(bytes));
  if (!decoded) {
    return decoded.error() <= rejection::duplicate_request_in_batch ? "" : "a reason that bytes cannot show";
  }
  const auto& value = *decoded;
  if (kind_of(value) != kind_of(byte_span{bytes})) return "another kind than the last byte says";
  if (bytes.size() > frame_bytes_max_of(kind_of(value))) return "frame_bytes_max_of";
  if (const auto limit = exceeded_limit(value); !limit.empty()) return limit;
  // An accepted message can be encoded again, and this encoding is the only encoding of its value.
  const auto again = frame_of(value);
  const auto decoded_again = decode(again);
  if (!decoded_again) return "what was accepted is rejected when sent on";
  return *frame_of(decoded_again.value()) == *again ? "" : "sending on changes the bytes";
}

/// The values that replace a byte. Short frames get all values; longer frames get the edges and every change of one
/// bit.
std::vector<std::byte> replacements_of(std::byte original, std::size_t frame_bytes) {
  std::vector<std::byte> values;
  if (frame_bytes <= 200) {
    for (unsigned value = 0; value < 256; ++value)
      values.push_back(static_cast<std::byte>(value));
    return values;
  }
  for (const unsigned value : {0x00U, 0x01U, 0x7fU, 0x80U, 0xffU})
    values.push_back(static_cast<std::byte>(value));
  for (unsigned bit = 0; bit < 8; ++bit)
    values.push_back(original ^ static_cast<std::byte>(1U << bit));
  return values;
}

void check_mutations(message_kind kind, sample_size size, std::uint64_t seed) {
  auto bytes = *frame_of(sample_of(kind, size, seed));
  // Longer frames repeat their structure. A prime stride visits every residue.
  const std::size_t stride = bytes.size() > 2'500 ? 13 : 1;
  for (std::size_t index = 0; index < bytes.size(); index += stride) {
    const auto original = bytes[index];
    for (const auto value : replacements_of(original, bytes.size())) {
      bytes[index] = value;
      const auto fault = fault_of(bytes);
      INFO(to_string(kind), " size ", static_cast<int>(size), " seed ", seed, " byte ", index, " value ",
           std::to_integer<int>(value));
      REQUIRE(fault == "");
    }
    bytes[index] = original;
  }
}

/// In some truncated frames, only the last byte of the signature and the kind follow the FlatBuffer.
void check_truncations(message_kind kind, sample_size size, std::uint64_t seed) {
  const auto whole = *frame_of(sample_of(kind, size, seed));
  const std::size_t stride = whole.size() > 2'500 ? 7 : 1;
  for (std::size_t count = 0; count < whole.size(); count += stride) {
    INFO(to_string(kind), " size ", static_cast<int>(size), " seed ", seed, " bytes ", count);
    const byte_vector front{whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count)};
    REQUIRE(fault_of(front) == "");
    // The same truncation with the kind at the end, and then with the front of the frame missing instead.
    auto with_kind = front;
    with_kind.push_back(whole.back());
    REQUIRE(fault_of(with_kind) == "");
    REQUIRE(fault_of({whole.end() - static_cast<std::ptrdiff_t>(count), whole.end()}) == "");
  }
}

template <class Check>
void for_all_samples(Check&& check) {
  for (const auto kind : all_kinds()) {
    for (const auto size : sample_sizes)
      check(kind, size, 1);
  }
}

}  // namespace

TEST_CASE("all samples are within all limits") {
  for_all_samples([](message_kind kind, sample_size size, std::uint64_t) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      INFO(to_string(kind), " seed ", seed);
      CHECK(exceeded_limit(sample_of(kind, size, seed)) == "");
      CHECK(fault_of(*frame_of(sample_of(kind, size, seed))) == "");
    }
  });
}

TEST_CASE("no changed byte makes the decoder fail or exceed a limit") { for_all_samples(check_mutations); }

TEST_CASE("no truncation makes the decoder fail or exceed a limit") { for_all_samples(check_truncations); }

TEST_CASE("no pair of changed words makes the decoder fail or exceed a limit") {
  // Offsets, lengths and vtables are words. Values at the edges of their range find more faults than random bits.
  constexpr std::uint32_t edges[] = {0, 1, 2, 3, 4, 7, 8, 16, 0x7fff'ffff, 0x8000'0000, 0xffff'fff8, 0xffff'ffff};
  for (const auto kind : all_kinds()) {
    for (std::uint64_t seed = 0; seed < 1'500; ++seed) {
      sample_source source{seed};
      auto bytes = *frame_of(sample_of(kind, sample_sizes[seed % 2], seed));
      for (std::uint64_t change = 0; change < 1 + seed % 3; ++change) {
        if (bytes.size() < 8) break;
        const auto at = 4 * source.below((bytes.size() - 1) / 4);
        const auto word = source.below(3) == 0 ? static_cast<std::uint32_t>(source.below(bytes.size()))
                                               : edges[source.below(std::size(edges))];
        for (unsigned byte = 0; byte < 4; ++byte)
          bytes[at + byte] = static_cast<std::byte>(word >> (8 * byte));
      }
      const auto fault = fault_of(bytes);
      INFO(to_string(kind), " seed ", seed);
      REQUIRE(fault == "");
    }
  }
}

TEST_CASE("random bytes of every length are rejected or harmless") {
  for (std::uint64_t seed = 0; seed < 40'000; ++seed) {
    sample_source source{seed};
    auto bytes = source.bytes(1 + source.below(300));
    bytes.back() = static_cast<std::byte>(message_kind_first + seed % message_kind_last);
    // Half of the frames get a root offset that points into the frame.
    if (seed % 2 == 0 && bytes.size() > 8) {
      for (std::size_t index = 0; index < 4; ++index)
        bytes[index] = std::byte{0};
      bytes[0] = static_cast<std::byte>(4 * source.below(1 + std::min<std::size_t>(bytes.size(), 250) / 4));
    }
    const auto fault = fault_of(bytes);
    INFO("seed ", seed);
    REQUIRE(fault == "");
  }
}

TEST_CASE("frames of one repeated byte are rejected") {
  for (const auto kind : all_kinds()) {
    for (unsigned value = 0; value < 256; ++value) {
      for (const std::size_t count : {1U, 7U, 8U, 64U, 65U, 72U, 500U}) {
        byte_vector bytes(count, static_cast<std::byte>(value));
        bytes.push_back(static_cast<std::byte>(kind));
        const auto fault = fault_of(bytes);
        INFO(to_string(kind), " value ", value, " count ", count);
        REQUIRE(fault == "");
      }
    }
  }
}

TEST_CASE("a frame of one kind read as another is rejected or harmless") {
  for (const auto kind : all_kinds()) {
    for (const auto size : sample_sizes) {
      auto bytes = *frame_of(sample_of(kind, size, 2));
      for (const auto other : all_kinds()) {
        bytes.back() = static_cast<std::byte>(other);
        INFO(to_string(kind), " read as ", to_string(other));
        CHECK(fault_of(bytes) == "");
      }
    }
  }
}
