#include "runtime/http/reused_text.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace hypermesh::http;
using namespace std::chrono_literals;

TEST_CASE("a text is made once for all requests within its age") {
  reused_text text{200ms};
  int made = 0;
  const auto make = [&made] { return std::to_string(++made); };
  const reused_text::clock::time_point start{};
  CHECK(text.get(start, make) == "1");
  CHECK(text.get(start + 200ms, make) == "1");
  CHECK(text.get(start + 201ms, make) == "2");
  CHECK(text.get(start + 401ms, make) == "2");
}

TEST_CASE("a text that is empty is not made again before its time") {
  reused_text text{1s};
  int made = 0;
  const auto make = [&made] {
    ++made;
    return std::string{};
  };
  (void)text.get({}, make);
  (void)text.get({}, make);
  CHECK(made == 1);
}

TEST_CASE("a text that cannot be made leaves the old one, and is tried again") {
  reused_text text{1s};
  const reused_text::clock::time_point start{};
  (void)text.get(start, [] { return std::string{"old"}; });
  const auto fail = []() -> std::string { throw std::runtime_error{"no"}; };
  CHECK_THROWS((void)text.get(start + 2s, fail));
  CHECK(text.get(start + 2s, [] { return std::string{"new"}; }) == "new");
}
