#include "runtime/state_machines/null_machine.hpp"

#include <charconv>
#include <optional>

#include "messages/byte_codec.hpp"
#include "runtime/state_machines/machine_results.hpp"

namespace hypermesh::machines {

namespace null {

namespace {

constexpr std::uint8_t write_kind = 0;
constexpr std::uint8_t read_kind = 1;

/// The filler of replies and of payloads from words. A printable octet, so that people see the size.
constexpr std::byte filler{'.'};

struct head {
  bool reads = false;
  std::uint32_t reply_bytes = 0;
};

std::optional<head> head_of(byte_span operation) {
  byte_reader in{operation};
  const auto kind = in.number<std::uint8_t>();
  const auto reply_bytes = in.number<std::uint32_t>();
  if (in.failed() || kind > read_kind) return std::nullopt;
  return head{kind == read_kind, reply_bytes};
}

operation_result answer_of(byte_span operation) {
  const auto head = head_of(operation);
  if (!head) return malformed("an operation begins with 5 octets: the kind, and the bytes of the reply");
  if (head->reply_bytes > reply_bytes_max) return refused("the reply is too large");
  return applied(byte_vector(head->reply_bytes, filler));
}

/// The number that a word is, if it is one up to `most`.
std::optional<std::uint32_t> number_of(const std::string& word, std::size_t most) {
  std::uint32_t number = 0;
  const auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (wrong != std::errc{} || end != word.data() + word.size() || number > most) return std::nullopt;
  return number;
}

}  // namespace

byte_vector encode(bool reads, std::uint32_t reply_bytes, byte_span payload) {
  byte_writer out{head_bytes + payload.size()};
  out.number(reads ? read_kind : write_kind).number(reply_bytes).bytes(payload);
  return out.take();
}

bool reads(byte_span operation) {
  const auto head = head_of(operation);
  return head && head->reads;
}

std::string_view usage() {
  return "write REPLY PAYLOAD      does nothing; both are numbers of bytes, of the reply and of the operation's rest\n"
         "read REPLY               the same as a read";
}

or_reason<byte_vector> parse_operation(std::span<const std::string> words) {
  constexpr auto wanted = "write \"write REPLY PAYLOAD\" or \"read REPLY\", with numbers of bytes up to 262139";
  const bool is_read = words.size() == 2 && words[0] == "read";
  const bool is_write = words.size() == 3 && words[0] == "write";
  if (!is_read && !is_write) return invalid(wanted);
  const auto reply = number_of(words[1], reply_bytes_max);
  const auto payload = is_read ? 0U : number_of(words[2], limits::operation_bytes_max - head_bytes);
  if (!reply || !payload) return invalid(wanted);
  return encode(is_read, *reply, byte_vector(*payload, filler));
}

machine_answer interpret(byte_span, const operation_result& result) {
  return result.status == operation_status::applied ? value_answer(result.payload) : unapplied_answer(result);
}

}  // namespace null

operation_result null_machine::apply(const operation_context&, byte_span operation) {
  auto answer = null::answer_of(operation);
  if (answer.status != operation_status::applied || null::reads(operation)) return answer;
  ++writes_;
  // One step of FNV-1a for both numbers.
  constexpr std::uint64_t prime = 0x100000001b3;
  const auto sizes = (std::uint64_t{operation.size()} << 32U) | answer.payload.size();
  checksum_ = (checksum_ ^ sizes) * prime;
  return answer;
}

operation_result null_machine::query(byte_span operation) const {
  const auto head = null::head_of(operation);
  return head && !head->reads ? refused("a write has to be ordered") : null::answer_of(operation);
}

byte_vector null_machine::save() const {
  byte_writer out{sizeof writes_ + sizeof checksum_};
  out.number(writes_).number(checksum_);
  return out.take();
}

or_reason<void> null_machine::load(byte_span saved) {
  byte_reader in{saved};
  const auto writes = in.number<std::uint64_t>();
  const auto checksum = in.number<std::uint64_t>();
  if (!in.is_complete()) return invalid("the state of the machine \"null\" has 16 bytes");
  writes_ = writes;
  checksum_ = checksum;
  return {};
}

}  // namespace hypermesh::machines
