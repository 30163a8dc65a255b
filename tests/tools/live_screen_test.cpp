#include "tools/hypermesh/terminal/live_screen.hpp"

#include <doctest/doctest.h>

#include "messages/layers.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::testing {

using namespace cli;

TEST_CASE("a frame moves the cursor home, clears behind each line, and never clears the whole screen") {
  CHECK(frame_of("ab\ncd\n", {10, 5}) == "\x1b[Hab\x1b[K\r\ncd\x1b[K\x1b[J");
  CHECK(frame_of("", {10, 5}) == "\x1b[H\x1b[K\x1b[J");
  CHECK(frame_of("ab\n\ncd", {10, 5}) == "\x1b[Hab\x1b[K\r\n\x1b[K\r\ncd\x1b[K\x1b[J");
}

TEST_CASE("a frame has no more lines and columns than the screen, so the terminal does not scroll") {
  CHECK(frame_of("abcdef\nb\nc\nd\n", {3, 2}) == "\x1b[Habc\x1b[K\r\nb\x1b[K\x1b[J");
}

TEST_CASE("a line is cut by characters, and its colour ends at the cut") {
  CHECK(cut_line("Zürich", 3) == "Zür");
  CHECK(cut_line("\x1b[31mred\x1b[0m text", 2) == "\x1b[31mre\x1b[0m");
  CHECK(cut_line("\x1b[31mred\x1b[0m text", 3) == "\x1b[31mred\x1b[0m");
  CHECK(cut_line("\x1b[31mred\x1b[0m text", 8) == "\x1b[31mred\x1b[0m text");
  CHECK(cut_line("abc", 0).empty());
  CHECK(cut_line("abc\x1b[", 9) == "abc\x1b[\x1b[0m");
}

TEST_CASE("text is broken between words") {
  CHECK(lines_of("one two three", 7) == "one two\nthree");
  CHECK(lines_of("averylongword a", 4) == "averylongword\na");
  CHECK(lines_of("", 4).empty());
}

}  // namespace hypermesh::testing
