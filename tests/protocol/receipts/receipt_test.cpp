#include <doctest/doctest.h>

#include "tests/protocol/receipts/receipt_world.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// Whether the bytes are a receipt that proves something in this cluster.
bool is_accepted(const receipt_world& world, byte_span bytes) {
  const auto value = read_receipt(bytes);
  if (!value) return false;
  const auto strength = world.verify(*value);
  return strength && *strength != receipt_strength::insufficient;
}

}  // namespace

TEST_CASE("a receipt is read as it was written, and has one form") {
  receipt_world world{7};
  for (std::size_t count = 1; count <= 12; ++count) {
    world.execute(count);
    for (std::size_t number = 0; number < count; ++number) {
      const auto operations = world.executed.back()->requests[number].operation_count();
      for (std::uint32_t index = 0; index < operations; ++index) {
        const auto value = world.receipt_for(count, number, index, {0, 2, 3, 5, 6});
        const auto bytes = bytes_of(value);
        const auto read = read_receipt(bytes);
        REQUIRE(read);
        CHECK(*read == value);
        CHECK(bytes_of(*read) == bytes);
      }
    }
  }
}

TEST_CASE("a receipt of a small operation has a few hundred bytes") {
  receipt_world world{4};
  world.execute(1);
  const auto value = world.receipt_for(1, 0, 0, {0, 1, 2});
  // 172 bytes of fixed fields, and 68 bytes for each signature.
  CHECK(bytes_of(value).size() ==
        172 + 3 * 68 + value.what.operation.size() + value.what.result.size() + 32 * value.place.operation_path.size());
}

TEST_CASE("each changed bit of a receipt is refused (attack 44)") {
  receipt_world world{4};
  world.execute(5);
  const auto bytes = bytes_of(world.receipt_for(1, 3, 0, {0, 1, 2}));
  REQUIRE(is_accepted(world, bytes));
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    INFO("bit ", bit);
    REQUIRE_FALSE(is_accepted(world, changed));
  }
}

TEST_CASE("a truncated, extended or random receipt is refused and never fatal (attack 44)") {
  receipt_world world{4};
  world.execute(2);
  const auto bytes = bytes_of(world.receipt_for(1, 0, 0, {0, 1, 2}));
  for (std::size_t size = 0; size < bytes.size(); ++size)
    REQUIRE_FALSE(read_receipt(byte_span{bytes}.first(size)));
  auto longer = bytes;
  longer.push_back(std::byte{0});
  CHECK_FALSE(read_receipt(longer));
  CHECK_FALSE(read_receipt(byte_vector(receipt_bytes_max + 1)));
  for (std::uint64_t seed = 1; seed <= 5'000; ++seed) {
    auto changed = bytes;
    std::mt19937_64 chance{seed};
    for (auto left = 1 + chance() % 6; left > 0; --left)
      changed[chance() % changed.size()] = static_cast<std::byte>(chance());
    if (changed == bytes) continue;
    INFO("seed ", seed);
    REQUIRE_FALSE(is_accepted(world, changed));
  }
}

TEST_CASE("a receipt with lying lengths takes no more memory than its bytes (attack 44)") {
  receipt_world world{4};
  world.execute(1);
  const auto bytes = bytes_of(world.receipt_for(1, 0, 0, {0, 1, 2}));
  for (std::size_t place = 0; place + 4 <= bytes.size(); ++place) {
    auto changed = bytes;
    for (std::size_t octet = 0; octet < 4; ++octet)
      changed[place + octet] = std::byte{0xff};
    REQUIRE_FALSE(is_accepted(world, changed));
  }
}

TEST_CASE("bytes cannot be moved between the operation and the result (attack 44)") {
  receipt_world world{4};
  world.execute(1);
  auto value = world.receipt_for(1, 0, 0, {0, 1, 2});
  // The status is hashed as eight bytes between the two. So a result that begins with eight zeros could become a part
  // of the operation, if the length of the operation were not hashed.
  const byte_vector zeros(8);
  value.what.status = operation_status::applied;
  value.what.operation = to_byte_vector("put a");
  value.what.result = zeros;
  value.what.result.push_back(std::byte{'k'});
  value = world.signed_again(value, {0, 1, 2});
  REQUIRE(world.verify(value));
  auto moved = value;
  moved.what.operation.insert(moved.what.operation.end(), zeros.begin(), zeros.end());
  moved.what.result = to_byte_vector("k");
  CHECK_FALSE(world.verify(moved));
}
