#include "messages/require.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace hypermesh::messages {

void fail_requirement(std::string_view claim, const char* file, int line, const char* function) {
  fmt::print(stderr, "hypermesh: internal error: requirement broken: {} ({}:{} in {})\n", claim, file, line, function);
  std::fflush(stderr);
  std::abort();
}

}  // namespace hypermesh::messages
