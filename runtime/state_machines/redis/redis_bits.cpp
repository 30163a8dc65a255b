#include <array>

#include "runtime/state_machines/redis/redis_call.hpp"

/// The commands of single bits of a string. Bit 0 is the highest one of the first byte.
namespace hypermesh::machines::redis {

namespace {

/// The place of a bit.
struct bit_place {
  std::size_t byte = 0;
  unsigned shift = 0;

  [[nodiscard]] unsigned mask() const { return 1U << shift; }
};

/// The offset in word 2. No value, and the error of Redis, if no string can have the bit.
std::optional<bit_place> read_place(const call& run) {
  constexpr std::int64_t bits_per_byte = 8;
  const auto offset = parse_integer(run.word(2)).value_or(-1);
  if (offset < 0 || offset / bits_per_byte >= static_cast<std::int64_t>(string_bytes_max)) {
    run.error("ERR bit offset is not an integer or out of range");
    return std::nullopt;
  }
  return bit_place{static_cast<std::size_t>(offset / bits_per_byte),
                   7U - static_cast<unsigned>(offset % bits_per_byte)};
}

/// The byte at the place; a string ends with as many zeros as one reads.
unsigned byte_at(std::string_view bytes, std::size_t place) {
  return place < bytes.size() ? static_cast<unsigned char>(bytes[place]) : 0U;
}

void getbit(const keyspace& data, const call& run) {
  const auto place = read_place(run);
  if (!place) return;
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  const auto bytes = *entry == nullptr ? std::string_view{} : data.string_of(**entry);
  run.reply.flag((byte_at(bytes, place->byte) & place->mask()) != 0);
}

void setbit(keyspace& data, const call& run) {
  const auto place = read_place(run);
  if (!place) return;
  const auto wanted = parse_integer(run.word(3)).value_or(-1);
  if (wanted != 0 && wanted != 1) return run.error("ERR bit is not an integer or out of range");
  const auto entry = run.find(data, run.word(1), value_type::string);
  if (!entry) return;
  std::string bytes{*entry == nullptr ? std::string_view{} : data.string_of(**entry)};
  const bool grows = bytes.size() <= place->byte;
  if (grows) bytes.resize(place->byte + 1);
  const auto before = byte_at(bytes, place->byte);
  const auto after = wanted == 1 ? before | place->mask() : before & ~place->mask();
  // As in Redis, a bit that stays as it is does not change the version of the key.
  if (grows || after != before) {
    bytes[place->byte] = static_cast<char>(after);
    data.put_string(run.word(1), bytes, *entry == nullptr ? 0 : (*entry)->second.expiry);
  }
  run.reply.flag((before & place->mask()) != 0);
}

constexpr std::array handlers = {
    handler{"getbit", getbit},
    handler{"setbit", nullptr, setbit},
};

}  // namespace

std::span<const handler> bit_handlers() { return handlers; }

}  // namespace hypermesh::machines::redis
