#pragma once

#include <chrono>
#include <filesystem>

#include "actors/ports.hpp"
#include "tools/hypermesh/bench/bench_plan.hpp"
#include "tools/hypermesh/bench/load_result.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"

/// The two sides of a load process. The load is a process of its own, so that its processor time is apart from that of
/// the replicas. Its owner starts it with the words of `words_of`, waits until it is ready, and names the moment of the
/// beginning, which is the same for all load processes because they share the steady clock.
namespace hypermesh::cli {

/// How long a load waits at the end for the answers of an open loop. Operations without an answer then count as
/// failed.
inline constexpr duration drain_patience = 10s;

/// The files in the folder that owner and load process share. Each is renamed into its place when it is complete.
[[nodiscard]] std::filesystem::path begin_file(const std::filesystem::path& exchange, std::uint32_t first_client);
[[nodiscard]] std::filesystem::path result_file(const std::filesystem::path& exchange, std::uint32_t first_client);

/// Writes a file of the exchange.
[[nodiscard]] or_error<void> exchange_text(const std::filesystem::path& file, const std::string& text);

/// Runs this process as a load: opens the clients, says that it is ready, waits for the moment of the beginning, runs
/// warm-up and measured time, and writes the result. Ends with `parent`.
[[nodiscard]] exit_code run_load_process(const load_shape& shape, const std::filesystem::path& cluster,
                                         const std::filesystem::path& exchange, int parent);

}  // namespace hypermesh::cli
