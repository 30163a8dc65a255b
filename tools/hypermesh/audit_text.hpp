#pragma once

#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "runtime/audit/audit_chain.hpp"

/// Entries of an audit trail for people and for programs.
namespace hypermesh::cli {

/// 2026-01-31T12:34:56.123456Z
[[nodiscard]] std::string utc_text(std::uint64_t time_us);

/// What an entry says, in one line without its kind.
[[nodiscard]] std::string text_of(const audit_event& event);

/// The fields of an entry by stable names; digests and signatures in hexadecimal.
[[nodiscard]] nlohmann::ordered_json json_of(const audit_event& event);

/// A whole entry: where it stands, its hash, its payload as it is, and its fields.
[[nodiscard]] nlohmann::ordered_json json_of(const audit_entry& entry, const audit_event& event, std::uint64_t segment,
                                             std::uint64_t offset);

}  // namespace hypermesh::cli
