#pragma once

#include <functional>
#include <string>

#include "messages/values.hpp"

namespace hypermesh::testing {

/// Returns the text that stands for a digest in a line. Scenario scripts give names to digests.
using digest_namer = std::function<std::string(const digest&)>;

/// The first eight hexadecimal digits of the digest.
[[nodiscard]] std::string short_name(const digest& value);

/// Writes a message as one line for traces of runs and for golden tests: "PREPARE v=0 n=1 d=1a2b3c4d from=2".
[[nodiscard]] std::string to_line(
    const message& value, const digest_namer& name = [](const digest& value) { return short_name(value); });

}  // namespace hypermesh::testing
