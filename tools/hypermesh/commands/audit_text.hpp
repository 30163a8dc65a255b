#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/audit/audit_chain.hpp"

/// Formats entries of an audit trail for people and for programs.
namespace hypermesh::cli {

/// The time in UTC, for example 2026-01-31T12:34:56.123456Z.
[[nodiscard]] std::string utc_text(std::uint64_t time_us);

/// The content of an entry in one line, without its kind.
[[nodiscard]] std::string text_of(const audit_event& event);

/// The fields of an entry under stable names. Digests and signatures are hexadecimal.
[[nodiscard]] nlohmann::ordered_json json_of(const audit_event& event);

/// A whole entry: its place, its hash, its raw payload and its fields.
[[nodiscard]] nlohmann::ordered_json json_of(const audit_entry& entry, const audit_event& event, std::uint64_t segment,
                                             std::uint64_t offset);

}  // namespace hypermesh::cli
