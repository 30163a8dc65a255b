#include "tests/micro/ratio_table.hpp"

#include <doctest/doctest.h>

namespace hypermesh::testing {

TEST_CASE("stored ratios are read as they were written") {
  const ratio_table table{{"decode", {1.5, 2}}, {"seal", {0.25, 0}}};
  const auto read = read_ratios(text_of(table));
  REQUIRE(read.has_value());
  CHECK(text_of(*read) == text_of(table));
  CHECK(read->at("seal").time == doctest::Approx(0.25));
}

TEST_CASE("a damaged table is refused with its line") {
  for (const auto* text :
       {"", "# only\n", "a\n", "a 1\n", "a 1 2 3\n", "a x 2\n", "a nan 1\n", "a -1 0\n", "a 0 0\n", "a 1 1\na 2 2\n"})
    CHECK_FALSE(read_ratios(text).has_value());
  CHECK(read_ratios("a 1 1\nb\n").error().find("line 2") != std::string::npos);
}

TEST_CASE("a stage that is far slower or allocates more is a regression, and noise is not") {
  const ratio_table stored{{"decode", {2, 3}}};
  CHECK(regressions({{"decode", {5.9, 3}}}, stored).empty());
  CHECK(regressions({{"decode", {0.1, 0}}}, stored).empty());
  CHECK(regressions({{"decode", {6.1, 3}}}, stored).size() == 1);
  CHECK(regressions({{"decode", {2, 4}}}, stored).size() == 1);
  CHECK(regressions({{"seal", {1, 1}}}, {{"seal", {1, 0}}}).size() == 1);
}

TEST_CASE("a new stage and a missing stage are regressions") {
  CHECK(regressions({{"new", {1, 1}}}, {}).size() == 1);
  CHECK(regressions({}, {{"gone", {1, 1}}}).size() == 1);
}

}  // namespace hypermesh::testing
