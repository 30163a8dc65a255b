#include "messages/byte_codec.hpp"

#include <array>
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

namespace hypermesh::testing {

using namespace messages;

namespace {

byte_vector octets(std::initializer_list<unsigned> values) {
  byte_vector all;
  for (const auto value : values)
    all.push_back(static_cast<std::byte>(value));
  return all;
}

TEST_CASE("a writer puts the lowest octet of a number first") {
  byte_writer out;
  out.number(std::uint8_t{1}).number(std::uint16_t{0x0203}).number(std::uint32_t{0x04050607});
  out.number(std::uint64_t{0x08090a0b0c0d0e0f});
  CHECK(out.size() == 15);
  CHECK(out.take() == octets({1, 3, 2, 7, 6, 5, 4, 15, 14, 13, 12, 11, 10, 9, 8}));
}

TEST_CASE("a writer returns what was written, however much was expected") {
  for (const std::size_t expected : {0U, 1U, 4U, 5U, 1000U}) {
    CAPTURE(expected);
    byte_writer out{expected};
    out.number(std::uint32_t{0xffffffff}).bytes(octets({9}));
    CHECK(out.size() == 5);
    CHECK(out.take() == octets({255, 255, 255, 255, 9}));
  }
}

TEST_CASE("a writer without content returns no bytes") {
  CHECK(byte_writer{}.take().empty());
  CHECK(byte_writer{100}.take().empty());
  CHECK(byte_writer{}.bytes({}).take().empty());
}

TEST_CASE("a writer is empty after its bytes were taken, and can be used again") {
  byte_writer out;
  (void)out.number(std::uint64_t{1}).take();
  CHECK(out.size() == 0);
  CHECK(out.number(std::uint8_t{7}).take() == octets({7}));
}

TEST_CASE("a writer grows over many writes of every size") {
  byte_writer out;
  byte_vector expected;
  for (std::size_t size = 0; size < 300; ++size) {
    const byte_vector part(size, static_cast<std::byte>(size));
    out.bytes(part);
    expected.insert(expected.end(), part.begin(), part.end());
  }
  CHECK(out.take() == expected);
}

TEST_CASE("a text of more than 255 octets is truncated") {
  byte_writer out;
  out.short_text(std::string(300, 'x'));
  const auto written = out.take();
  byte_reader in{written};
  CHECK(in.short_text() == std::string(255, 'x'));
  CHECK(in.is_complete());
}

TEST_CASE("a reader returns the numbers that were written") {
  byte_writer out;
  const auto largest = std::numeric_limits<std::uint64_t>::max();
  out.number(largest).number(std::uint16_t{513}).short_text("name").bytes(octets({1, 2}));
  const auto written = out.take();
  byte_reader in{written};
  CHECK(in.number<std::uint64_t>() == largest);
  CHECK(in.number<std::uint16_t>() == 513);
  CHECK(in.short_text() == "name");
  CHECK_FALSE(in.is_complete());
  CHECK(in.rest().size() == 2);
  CHECK(in.is_complete());
}

TEST_CASE("a reader that was asked for too much returns nothing more, and is never complete") {
  const auto source = octets({1, 2, 3});
  byte_reader in{source};
  CHECK(in.number<std::uint32_t>() == 0);
  CHECK(in.failed());
  CHECK(in.number<std::uint8_t>() == 0);
  CHECK(in.bytes(1).empty());
  CHECK_FALSE(in.is_complete());
}

}  // namespace

}  // namespace hypermesh::testing
