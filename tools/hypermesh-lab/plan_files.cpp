#include "tools/hypermesh-lab/plan_files.hpp"

#include <fstream>
#include <iostream>

#include <fmt/format.h>

namespace hypermesh::lab {

namespace {

/// Plans are small, but a device or a pipe may have no end, so the size is bounded.
constexpr std::size_t plan_bytes_max = 16 * 1024 * 1024;

or_reason<std::string> read_all(std::istream& stream, const std::string& name) {
  std::string text(plan_bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad()) return invalid("cannot read " + name);
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > plan_bytes_max) {
    return invalid(fmt::format("{} is larger than {} bytes, the limit of a plan", name, plan_bytes_max));
  }
  return text;
}

}  // namespace

or_reason<testing::run_plan> read_plan(const std::string& file) {
  const auto name = file == "-" ? std::string{"stdin"} : file;
  std::ifstream stream;
  if (file != "-") stream.open(file, std::ios::binary);
  if (!stream) return invalid("cannot read " + name);
  const auto text = read_all(file == "-" ? std::cin : stream, name);
  if (!text) return failure_of(text);
  auto plan = testing::plan_of(*text);
  if (!plan) return invalid(name + ": " + plan.error());
  return plan;
}

}  // namespace hypermesh::lab
