#include "runtime/state_machines/redis/redis_operations.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/limits.hpp"
#include "messages/require.hpp"

namespace hypermesh::machines::redis {

namespace {

constexpr std::uint8_t command_code = 1;
constexpr std::uint8_t transaction_code = 2;

/// The least octets of a word: its length. A count of more words than could follow is refused before memory is
/// reserved for them.
constexpr std::size_t word_bytes_min = 4;

static_assert(limits::operation_bytes_max <= 0xffff'ffff, "a length has 32 bits");

void write_word(byte_writer& out, std::string_view word) {
  out.number(static_cast<std::uint32_t>(word.size())).bytes(as_byte_span(word));
}

void write_command(byte_writer& out, const command& value) {
  require(!value.words.empty(), "a command has at least its name");
  out.number(static_cast<std::uint32_t>(value.words.size()));
  for (const auto& word : value.words)
    write_word(out, word);
}

std::string read_word(byte_reader& in) { return std::string{as_text(in.bytes(in.number<std::uint32_t>()))}; }

/// Reads a command of an operation of which at most `bytes` octets are left.
command read_command(byte_reader& in, std::size_t bytes) {
  command value;
  const auto count = in.number<std::uint32_t>();
  if (count == 0 || count > bytes / word_bytes_min) {
    in.fail();
    return value;
  }
  for (std::uint32_t number = 0; number < count && !in.failed(); ++number)
    value.words.push_back(read_word(in));
  return value;
}

or_reason<operation> read_transaction(byte_reader& in, std::size_t bytes) {
  transaction value;
  const auto watched = in.number<std::uint32_t>();
  if (watched > watched_keys_max) return invalid("a transaction watches at most 1,024 keys");
  for (std::uint32_t number = 0; number < watched && !in.failed(); ++number) {
    auto key = read_word(in);
    value.watched.push_back({std::move(key), in.number<std::uint64_t>()});
  }
  const auto commands = in.number<std::uint32_t>();
  if (commands > transaction_commands_max) return invalid("a transaction has at most 1,024 commands");
  for (std::uint32_t number = 0; number < commands && !in.failed(); ++number)
    value.commands.push_back(read_command(in, bytes));
  return operation{std::move(value)};
}

bool has_word(const command& value, std::size_t from, std::string_view option) {
  return std::any_of(value.words.begin() + static_cast<std::ptrdiff_t>(std::min(from, value.words.size())),
                     value.words.end(), [option](const std::string& word) { return lowered(word) == option; });
}

}  // namespace

byte_vector encode(const operation& value) {
  byte_writer out;
  if (const auto* single = std::get_if<command>(&value)) {
    out.number(command_code);
    write_command(out, *single);
    return out.take();
  }
  const auto& several = std::get<transaction>(value);
  out.number(transaction_code).number(static_cast<std::uint32_t>(several.watched.size()));
  for (const auto& each : several.watched) {
    write_word(out, each.key);
    out.number(each.version);
  }
  out.number(static_cast<std::uint32_t>(several.commands.size()));
  for (const auto& each : several.commands)
    write_command(out, each);
  return out.take();
}

or_reason<operation> decode(byte_span bytes) {
  if (bytes.size() > limits::operation_bytes_max) return invalid("the operation is too long");
  byte_reader in{bytes};
  const auto code = in.number<std::uint8_t>();
  if (code != command_code && code != transaction_code)
    return invalid(fmt::format("0x{:02x} is not a kind of operation of the machine redis", code));
  auto decoded = code == command_code ? or_reason<operation>{operation{read_command(in, bytes.size())}}
                                      : read_transaction(in, bytes.size());
  if (!decoded) return decoded;
  if (in.failed()) return invalid("the operation ends too early, or has an impossible count");
  if (!in.is_complete()) return invalid("bytes follow the operation");
  return decoded;
}

bool is_read_only(const command& value) {
  const auto* specification = find_command(value.words.front());
  return specification == nullptr || !specification->is_write();
}

bool is_read_only(const operation& value) {
  if (const auto* single = std::get_if<command>(&value)) return is_read_only(*single);
  const auto& commands = std::get<transaction>(value).commands;
  return std::ranges::all_of(commands, [](const command& each) { return is_read_only(each); });
}

bool returns_data(const command& value) {
  constexpr std::array<std::string_view, 12> names = {"getdel", "getex",     "getset", "lmove", "lmpop",   "lpop",
                                                      "rpop",   "rpoplpush", "spop",   "zmpop", "zpopmax", "zpopmin"};
  const auto name = lowered(value.words.front().substr(0, 32));
  return std::ranges::find(names, name) != names.end() || (name == "set" && has_word(value, 3, "get"));
}

bool has_small_replies(const transaction& several) {
  return std::ranges::all_of(several.commands,
                             [](const command& each) { return !is_read_only(each) && !returns_data(each); });
}

bool has_pairs(const command& value) {
  constexpr std::array<std::string_view, 4> with_scores = {"zrange", "zrangebyscore", "zrevrange", "zrevrangebyscore"};
  const auto name = lowered(value.words.front().substr(0, 32));
  if (std::ranges::find(with_scores, name) != with_scores.end()) return has_word(value, 4, "withscores");
  // A key may have the name of the option; then no element of the reply is a pair.
  if (name == "zunion" || name == "zinter" || name == "zdiff") return has_word(value, 3, "withscores");
  if (name == "zrandmember") return has_word(value, 3, "withscores");
  if (name == "zpopmin" || name == "zpopmax") return value.words.size() > 2;
  return name == "hrandfield" && has_word(value, 3, "withvalues");
}

}  // namespace hypermesh::machines::redis
