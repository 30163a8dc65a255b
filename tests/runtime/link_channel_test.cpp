#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>

#include "runtime/links/link_counters.hpp"
#include "runtime/links/secure_channel.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

stream_key key_of(std::uint8_t number) {
  stream_key key;
  key.bytes.fill(static_cast<std::byte>(number));
  return key;
}

/// The two ends of one connection.
struct ends {
  secure_channel near;
  secure_channel far;

  explicit ends(principal_kind near_kind = principal_kind::replica, std::uint64_t frames_before_rekey = 1'000)
      : near(key_of(1), near_kind, principal_kind::replica, frames_before_rekey),
        far(key_of(2), principal_kind::replica, near_kind, frames_before_rekey) {
    near.start_receiving(key_of(2), far.own_header());
    far.start_receiving(key_of(1), near.own_header());
  }
};

byte_span bytes_of(const wire_buffer& buffer) { return std::as_bytes(std::span{buffer}); }

wire_buffer sealed(secure_channel& from, std::string_view text) {
  wire_buffer out;
  from.seal(as_byte_span(text), out);
  return out;
}

}  // namespace

TEST_CASE("a frame costs twenty bytes on the wire") {
  ends link;
  CHECK(sealed(link.near, "").size() == 20);
  CHECK(sealed(link.near, std::string(200, 'x')).size() == 220);
  CHECK(secure_channel::overhead_bytes == 20);
}

TEST_CASE("frames arrive in order, however the bytes are cut") {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    ends link;
    wire_buffer wire;
    std::vector<std::string> sent;
    for (int count = 0; count < 20; ++count) {
      sent.emplace_back(1 + random() % 700, static_cast<char>('a' + count));
      link.near.seal(as_byte_span(sent.back()), wire);
    }
    std::vector<std::string> received;
    auto rest = bytes_of(wire);
    while (!rest.empty()) {
      const auto size = std::min<std::size_t>(1 + random() % 900, rest.size());
      const auto step = link.far.feed(rest.first(size));
      REQUIRE_FALSE(step.error.has_value());
      for (const auto& frame : step.frames)
        received.emplace_back(as_text(*frame));
      rest = rest.subspan(size);
    }
    CAPTURE(seed);
    CHECK(received == sent);
    CHECK(link.far.at_end_of_bytes() == link_error::closed);
  }
}

TEST_CASE("a received frame is aligned for FlatBuffers") {
  ends link;
  auto wire = sealed(link.near, "x");
  const auto second = sealed(link.near, "yz");
  wire.insert(wire.end(), second.begin(), second.end());
  for (const auto& frame : link.far.feed(bytes_of(wire)).frames) {
    CHECK(reinterpret_cast<std::uintptr_t>(frame->data()) % 16 == 0);
  }
}

TEST_CASE("an empty frame is a keep-alive and is not delivered") {
  ends link;
  const auto received = link.far.feed(bytes_of(sealed(link.near, "")));
  CHECK(received.frames.empty());
  CHECK(received.keepalives == 1);
  CHECK_FALSE(received.error.has_value());
}

TEST_CASE("a flip of any bit of a frame is found") {
  const std::string text = "forty-two bytes of some consensus message.";
  for (std::size_t bit = 0; bit < 8 * (text.size() + secure_channel::overhead_bytes); ++bit) {
    ends link;
    auto wire = sealed(link.near, text);
    wire[bit / 8] = static_cast<char>(static_cast<unsigned char>(wire[bit / 8]) ^ (1U << (bit % 8)));
    const auto received = link.far.feed(bytes_of(wire));
    CAPTURE(bit);
    CHECK(received.frames.empty());
    // With a larger length, the channel waits for more bytes, and then the frame does not verify.
    if (!received.error) {
      const wire_buffer more(1U << 24U, 'x');
      CHECK(link.far.feed(bytes_of(more)).error == link_error::bad_frame);
    }
  }
}

TEST_CASE("a repeated, skipped or reflected frame is found") {
  ends repeated;
  const auto first = sealed(repeated.near, "one");
  CHECK_FALSE(repeated.far.feed(bytes_of(first)).error.has_value());
  CHECK(repeated.far.feed(bytes_of(first)).error == link_error::bad_frame);
  ends skipped;
  static_cast<void>(sealed(skipped.near, "lost"));
  CHECK(skipped.far.feed(bytes_of(sealed(skipped.near, "kept"))).error == link_error::bad_frame);
  ends reflected;
  CHECK(reflected.near.feed(bytes_of(sealed(reflected.near, "own words"))).error == link_error::bad_frame);
}

TEST_CASE("an error is final") {
  ends link;
  auto wire = sealed(link.near, "broken");
  wire.back() ^= 1;
  CHECK(link.far.feed(bytes_of(wire)).error == link_error::bad_frame);
  const auto later = link.far.feed(bytes_of(sealed(link.near, "good")));
  CHECK(later.error == link_error::bad_frame);
  CHECK(later.frames.empty());
}

TEST_CASE("a length out of bounds is refused before memory is allocated for it") {
  const auto length = [](std::size_t bytes) {
    return wire_buffer{static_cast<char>(bytes), static_cast<char>(bytes >> 8U), static_cast<char>(bytes >> 16U)};
  };
  constexpr auto added = secure_channel::sealing_bytes;
  for (const auto size : {std::size_t{0}, added - 1}) {
    ends link;
    CHECK(link.far.feed(bytes_of(length(size))).error == link_error::frame_too_short);
  }
  ends replicas;
  CHECK_FALSE(replicas.far.feed(bytes_of(length(limits::frame_bytes_max + added))).error.has_value());
  CHECK(replicas.far.bytes_held() == secure_channel::length_bytes);
  ends too_long;
  CHECK(too_long.far.feed(bytes_of(length(limits::frame_bytes_max + added + 1))).error == link_error::frame_too_long);
  CHECK(too_long.far.bytes_held() == 0);
  ends of_client{principal_kind::client};
  CHECK(of_client.far.feed(bytes_of(length(limits::client_frame_bytes_max + added + 1))).error ==
        link_error::frame_too_long);
}

TEST_CASE("the longest frames of replicas and clients are accepted") {
  ends replicas;
  const std::string longest(limits::frame_bytes_max, 'r');
  const auto received = replicas.far.feed(bytes_of(sealed(replicas.near, longest)));
  REQUIRE(received.frames.size() == 1);
  CHECK(received.frames.front()->size() == longest.size());
  ends of_client{principal_kind::client};
  const std::string request(limits::client_frame_bytes_max, 'c');
  CHECK(of_client.far.feed(bytes_of(sealed(of_client.near, request))).frames.size() == 1);
}

TEST_CASE("every truncation inside a frame is distinguished from an end between frames") {
  const auto size = std::size_t{10} + secure_channel::overhead_bytes;
  for (std::size_t kept = 1; kept < size; ++kept) {
    ends link;
    const auto wire = sealed(link.near, "ten bytes.");
    CHECK_FALSE(link.far.feed(bytes_of(wire).first(kept)).error.has_value());
    CAPTURE(kept);
    CHECK(link.far.at_end_of_bytes() == link_error::truncated);
  }
}

TEST_CASE("a good-bye cannot be forged, and nothing follows it") {
  ends link;
  wire_buffer wire = sealed(link.near, "last words");
  link.near.seal_end(wire);
  wire.push_back('x');
  const auto received = link.far.feed(bytes_of(wire));
  CHECK(received.frames.size() == 1);
  CHECK(received.error == link_error::ended);
  CHECK(link.far.at_end_of_bytes() == link_error::ended);
}

TEST_CASE("the stream changes its keys and continues") {
  ends link{principal_kind::replica, 3};
  for (int count = 0; count < 20; ++count) {
    const auto received = link.far.feed(bytes_of(sealed(link.near, "frame")));
    REQUIRE(received.frames.size() == 1);
  }
}

TEST_CASE("random bytes never become a frame") {
  for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937 random{seed};
    ends link;
    byte_vector bytes(random() % 400);
    std::generate(bytes.begin(), bytes.end(), [&random] { return static_cast<std::byte>(random()); });
    if (bytes.size() > 20) {
      bytes[0] = static_cast<std::byte>(17 + random() % 200);
      bytes[1] = bytes[2] = std::byte{0};
    }
    const auto received = link.far.feed(bytes);
    CAPTURE(seed);
    CHECK(received.frames.empty());
    CHECK(received.keepalives == 0);
  }
}

TEST_CASE("every counter and reason has a unique name") {
  const link_counters counters;
  const auto all = counters.snapshot();
  CHECK(all.size() == link_count_count + link_error_count);
  std::set<std::string> names;
  for (const auto& counter : all)
    names.insert(counter.name);
  CHECK(names.size() == all.size());
}
