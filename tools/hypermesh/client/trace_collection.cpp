#include "tools/hypermesh/client/trace_collection.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>

#include <fmt/format.h>

#include "runtime/base/private_file.hpp"
#include "runtime/http/bearer_token.hpp"
#include "runtime/trace/chrome_trace.hpp"
#include "tools/hypermesh/client/http_get.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::string_view trace_path = "/api/v1/trace";

/// The address at which the server of this machine or another one answers: a server that listens on every address
/// answers on the loopback too.
replica_address reachable(replica_address listen) {
  if (listen.host.empty() || listen.host == "0.0.0.0") listen.host = "127.0.0.1";
  if (listen.host == "::") listen.host = "::1";
  return listen;
}

or_error<std::string> token_in(const std::filesystem::path& file) {
  if (file.empty()) return std::string{};
  // The check is that of the server, so that the error is the same.
  if (auto known = http::bearer_token::read(file); !known) return failure_of(known);
  auto text = base::read_private_file(file, 4'096);
  if (!text) return failure_of(text);
  return text->substr(0, text->find_first_of("\r\n"));
}

}  // namespace

or_error<node_trace> ask_trace(const node_config& config, duration patience) {
  const auto name = to_string(principal::of(config.self));
  if (!config.http.enabled || config.trace.batches == 0) {
    return tl::unexpected(
        world_error{fmt::format("{} keeps no trace that can be asked for", name),
                    "set 'enabled = true' of [http] and 'batches = 1024' of [trace] in its node.toml, and restart it",
                    fault_origin::configuration});
  }
  const auto server = reachable(config.http.listen);
  if (!config.http.tls_certificate.empty()) {
    return tl::unexpected(
        world_error{fmt::format("{} has TLS, which this command does not speak", name),
                    fmt::format("curl -H \"Authorization: Bearer TOKEN\" https://{}{} > trace-{}.json, then add --from "
                                "trace-{}.json",
                                to_string(server), trace_path, config.self.value, config.self.value),
                    fault_origin::configuration});
  }
  auto token = token_in(config.http.token_file);
  if (!token) return failure_of(token);
  const auto answer = http_get({server, std::string{trace_path}, std::move(*token), patience, node_trace_bytes_max});
  if (!answer) return failure_of(answer);
  auto trace = read_node_trace(*answer, name);
  if (trace && trace->replica != config.self) {
    return tl::unexpected(
        world_error{fmt::format("{} answers at the address of {}", to_string(principal::of(trace->replica)), name),
                    "correct 'listen' of [http] in its node.toml", fault_origin::configuration});
  }
  return trace;
}

or_error<node_trace> read_trace_file(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  if (!in) {
    return tl::unexpected(world_error{fmt::format("cannot read {}: {}", file.string(), std::strerror(errno)),
                                      "check the path and its permissions", fault_origin::configuration});
  }
  // One byte more than allowed, so that a file that is too long is found and not cut.
  std::string text(node_trace_bytes_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return read_node_trace(text, file.string());
}

or_error<void> check_traces(const std::vector<node_trace>& traces) {
  std::set<replica_id> known;
  for (const auto& each : traces) {
    const auto name = to_string(principal::of(each.replica));
    if (!known.insert(each.replica).second) {
      return tl::unexpected(
          world_error{fmt::format("two traces are of {}", name), "give each node once", fault_origin::configuration});
    }
    if (each.cluster != traces.front().cluster) {
      return tl::unexpected(world_error{fmt::format("the trace of {} is of another cluster than the first", name),
                                        "give nodes of one cluster", fault_origin::configuration});
    }
  }
  return {};
}

or_error<void> write_chrome_trace(const std::string& file, const std::vector<node_trace>& traces) {
  const auto text = chrome_trace_text(traces);
  if (file == "-") {
    print(text);
    return {};
  }
  std::ofstream out{file, std::ios::binary | std::ios::trunc};
  out << text;
  out.close();
  if (out) return {};
  return tl::unexpected(world_error{fmt::format("cannot write {}: {}", file, std::strerror(errno)),
                                    "check the path, its permissions and the free space"});
}

}  // namespace hypermesh::cli
