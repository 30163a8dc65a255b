#pragma once

#include <string>
#include <vector>

#include "messages/types.hpp"

/// How scripts write principals and operations.
namespace hypermesh::testing {

/// "0" is a replica, "c0" a client.
[[nodiscard]] principal principal_of(const std::string& text);

/// An operation of the key-value store, as in the product's command line: "put name value".
[[nodiscard]] byte_vector operation_of(const std::vector<std::string>& words);

}  // namespace hypermesh::testing
