#include "messages/require.hpp"

#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>

namespace hypermesh {

void fail_requirement(std::string_view claim, std::source_location place) {
  fmt::print(stderr, "hypermesh: internal error: requirement broken: {} ({}:{} in {})\n", claim, place.file_name(),
             place.line(), place.function_name());
  std::fflush(stderr);
  std::abort();
}

}  // namespace hypermesh
