#include <doctest/doctest.h>

#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::testing {

using namespace cli;

TEST_CASE("a table aligns words left and numbers right, below their titles") {
  text_table table{{{"name"}, {"runs", text_table::side::right}, {"about"}}};
  table.add({"a", "5", "x"});
  table.add({"longer", "12345", ""});
  CHECK(table.text(text_style::plain()) ==
        "name     runs  about\n"
        "a           5  x\n"
        "longer  12345\n");
}

TEST_CASE("a table without titles has no header") {
  text_table table{{{""}, {""}}};
  table.add({"view", "3"});
  CHECK(table.text(text_style::plain()) == "view  3\n");
}

TEST_CASE("columns of a table count letters, not bytes or colour codes") {
  text_table table{{{""}, {""}}};
  table.add({"Zürich", "1"});
  table.add({"\x1b[32mBern\x1b[0m", "2"});
  CHECK(table.text(text_style::plain()) == "Zürich  1\n\x1b[32mBern\x1b[0m    2\n");
}

}  // namespace hypermesh::testing
