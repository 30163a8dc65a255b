#include "tools/hypermesh-lab/plan_files.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

namespace hypermesh::lab {

namespace {

std::string read_all(std::istream& stream) { return {std::istreambuf_iterator<char>{stream}, {}}; }

}  // namespace

checked<testing::run_plan> read_plan(const std::string& file) {
  std::string text;
  if (file == "-") {
    text = read_all(std::cin);
  } else {
    std::ifstream stream{file, std::ios::binary};
    if (!stream) return failure{"cannot read " + file};
    text = read_all(stream);
  }
  auto plan = testing::plan_of(text);
  if (!plan) return failure{(file == "-" ? "stdin" : file) + ": " + plan.error()};
  return plan;
}

}  // namespace hypermesh::lab
