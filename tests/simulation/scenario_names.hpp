#pragma once

#include <string>
#include <vector>

#include "messages/types.hpp"

/// Reads principals and operations as scripts write them.
namespace hypermesh::testing {

/// The principal named by a text, for example "0" for a replica or "c0" for a client.
[[nodiscard]] principal principal_of(const std::string& text);

/// An operation of the key-value store in the words of the product's command line: "put name value".
[[nodiscard]] byte_vector operation_of(const std::vector<std::string>& words);

}  // namespace hypermesh::testing
