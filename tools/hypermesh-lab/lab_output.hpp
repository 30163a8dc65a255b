#pragma once

#include <string>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/console.hpp"

/// Output of the laboratory, under the product's rules: nothing throws, and foreign text cannot control a terminal.
namespace hypermesh::lab {

/// Data on stdout.
template <class... Arguments>
void print_out(fmt::format_string<Arguments...> form, Arguments&&... arguments) {
  cli::print_report(fmt::format(form, std::forward<Arguments>(arguments)...));
}

/// A message on stderr, of one line or several.
template <class... Arguments>
void print_message(fmt::format_string<Arguments...> form, Arguments&&... arguments) {
  cli::say(fmt::format(form, std::forward<Arguments>(arguments)...));
}

/// Reports what is wrong and what to type. Returns `code`.
inline int report(const world_error& error, int code) {
  return static_cast<int>(cli::report_error(error, static_cast<cli::exit_code>(code)));
}

}  // namespace hypermesh::lab
