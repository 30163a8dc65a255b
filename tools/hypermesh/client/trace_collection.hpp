#pragma once

#include <filesystem>
#include <vector>

#include "runtime/node_config.hpp"
#include "runtime/trace/node_trace.hpp"

namespace hypermesh::cli {

/// Asks the HTTP server of the node of this configuration for its trace. A server with TLS is an error, whose remedy
/// is to save the trace with curl.
[[nodiscard]] or_error<node_trace> ask_trace(const node_config& config, duration patience);

/// Reads a trace that was saved from /api/v1/trace.
[[nodiscard]] or_error<node_trace> read_trace_file(const std::filesystem::path& file);

/// An error if the traces are of two clusters, or two of them are of one replica: each replica is one row of the trace.
[[nodiscard]] or_error<void> check_traces(const std::vector<node_trace>& traces);

/// Writes the traces as one Chrome trace. "-" is stdout.
[[nodiscard]] or_error<void> write_chrome_trace(const std::string& file, const std::vector<node_trace>& traces);

}  // namespace hypermesh::cli
