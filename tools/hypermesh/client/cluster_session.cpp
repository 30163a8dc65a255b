#include "tools/hypermesh/client/cluster_session.hpp"

#include "runtime/links/descriptor_limits.hpp"
#include "runtime/thread_limits.hpp"
#include "tools/hypermesh/terminal/duration_option.hpp"

namespace hypermesh::cli {

namespace {

/// The number of other open files: standard streams, CAF's own pipes and sockets, and the key file.
constexpr std::uint64_t files_besides_links = 24;

/// A missing file usually means that another folder was meant, or a machine that has only the files of its replica. So
/// the error does not advise to make a new cluster.
or_error<client_config> read_config_of(const std::filesystem::path& file) {
  auto read = read_client_config(file);
  std::error_code unknown;
  if (read || std::filesystem::exists(file, unknown) || unknown) return read;
  return tl::unexpected(world_error{
      read.error().what,
      "name the folder of the cluster, which has a folder for each client, with --cluster DIR, or a client's file with "
      "--config FILE",
      fault_origin::configuration});
}

}  // namespace

void add_client_options(CLI::App& command, client_options& into) {
  auto* cluster =
      command.add_option("--cluster", into.cluster, "Directory that 'hypermesh init' created")->type_name("DIR");
  command.add_option("--client", into.client, "Number of the client in that directory")
      ->needs(cluster)
      ->capture_default_str()
      ->type_name("N");
  command.add_option("--config", into.config, "A client's configuration file, instead of --cluster")
      ->excludes(cluster)
      ->type_name("FILE");
  command.add_option("--timeout", into.timeout_seconds, "How long to wait for the cluster: 5s, 500ms, 2min")
      ->transform(duration_between(0.1, 86'400))
      ->capture_default_str()
      ->type_name("TIME");
}

or_error<client_config> read_client_of(const client_options& options) {
  if (!options.config.empty()) return read_config_of(options.config);
  if (options.cluster.empty()) {
    return tl::unexpected(
        world_error{"no cluster given", "name its directory with --cluster, or a client's file with --config"});
  }
  return read_config_of(cluster_layout{options.cluster}.client_file(options.client));
}

or_error<void> check_limits(const genesis& cluster) {
  const auto replicas = cluster.replicas.size();
  const auto files = files_besides_links + 2 * replicas;
  if (const auto allowed = raise_descriptor_limit(files); allowed < files) return too_few_descriptors(files, allowed);
  return check_threads(threads_of_client(replicas));
}

or_error<std::unique_ptr<cluster_session>> cluster_session::open(client_config config, client_settings settings) {
  if (auto done = check_limits(config.cluster); !done) return failure_of(done);
  std::unique_ptr<cluster_session> session{new cluster_session{std::move(config)}};
  auto connected = hosted_client::connect(session->system_, session->config_, settings);
  if (!connected) return failure_of(connected);
  session->client_ = std::move(*connected);
  return session;
}

world_error explain(client_error error, operation_kind kind) {
  const bool is_read = kind == operation_kind::read;
  switch (error) {
    case client_error::timed_out:
      return {is_read ? "the cluster did not answer in time; the read has no effect, and can be repeated"
                      : "the cluster did not answer in time; the operation may still be executed",
              "check which replicas are reachable: hypermesh status"};
    case client_error::overloaded:
      return {"the replicas' queues are full",
              "try again later, or raise the bounds of [pending] in node.toml of all replicas"};
    case client_error::too_many_pending:
      return {"too many operations of this client are in flight", "submit fewer operations at once"};
    case client_error::stale_timestamp:
      return {"the timestamp of the request is older than the window of its session", "submit the operation again"};
    case client_error::too_large:
      return {"the operation is too large", "split the operation; the limit is 256 KiB"};
    case client_error::stopped:
      return {"the client was stopped", "submit the operation again"};
    case client_error::session_ended:
      return {is_read ? "the session ended before the answer arrived; the read has no effect"
                      : "the session ended before the result arrived; the operation may have been executed",
              is_read
                  ? "read again; run fewer processes with one key"
                  : "read the value, then submit the operation again if it was not executed; run fewer processes with "
                    "one key"};
    case client_error::name_taken:
      return {"another program uses the same client key and the same session; the operation was not executed",
              "submit the operation again, and use another client key for each program (--client)"};
  }
  return {"unknown error", "report this error"};
}

exit_code exit_code_of(client_error error) {
  const bool silent = error == client_error::timed_out || error == client_error::overloaded;
  return silent ? exit_code::no_quorum : exit_code::failed;
}

}  // namespace hypermesh::cli
