#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/base/safe_text.hpp"
#include "runtime/http/bearer_token.hpp"
#include "runtime/links/descriptor_limits.hpp"
#include "tools/hypermesh/client/cluster_session.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/wrong_replies.hpp"
#include "tools/hypermesh/gateway/gateway_server.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/interruption.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/service_manager.hpp"

namespace hypermesh::cli {

namespace {

struct gateway_options {
  client_options client;
  output_options output;
  std::string listen;
  std::string password_file;
  std::string tls_certificate;
  std::string tls_key;
  std::size_t connections = gateway_settings{}.connections_max;
  std::size_t bundle = 256;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh init mycluster --machine redis\n"
    "  hypermesh gateway --cluster mycluster --resp 6379\n"
    "  redis-cli -p 6379 set colour blue\n"
    "  hypermesh gateway --config client.toml --resp 10.0.0.5:6379 --password-file password \\\n"
    "    --tls-certificate server.pem --tls-key server.key\n"
    "\n"
    "Serves the machine 'redis' of a cluster to clients of Redis (RESP2 and RESP3), until SIGINT or SIGTERM. It then\n"
    "accepts nothing more, answers what is in flight, and ends. Commands of a connection are executed in their order,\n"
    "and every command is ordered by the cluster, so reads are linearizable. Several gateways may serve one cluster.\n"
    "An address that other machines reach needs a password and TLS. The password is the first line of its file: 16 to\n"
    "512 printable characters without a space. When the gateway listens, it writes one line to stdout:\n"
    "  ready resp=127.0.0.1:6379 cluster=hypermesh id=0123456789abcdef client=0\n"
    "\n"
    "A command that got no result in time is answered with -TIMEOUT, and its connection is closed: it may still be\n"
    "executed, once at most. A command that was not executed is answered with -TRYAGAIN.\n"
    "\n"
    "Exit codes: 0 stopped by a signal; 1 the gateway failed; 2 wrong options or configuration, which includes an\n"
    "address that this machine cannot listen on, and a cluster with another machine.";

constexpr std::string_view machine_name = "redis";

/// PORT means the loopback interface. HOST:PORT and *:PORT are also accepted.
or_error<replica_address> listen_address_of(const std::string& text) {
  const bool is_port = !text.empty() && std::ranges::all_of(text, [](char each) { return each >= '0' && each <= '9'; });
  return parse_address(is_port ? "127.0.0.1:" + text : text, address_use::listen);
}

/// Other machines reach the gateway only with password and TLS, because whoever reaches it reads and changes
/// everything.
or_error<void> check_exposure(const replica_address& listen, const gateway_options& options) {
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return tl::unexpected(world_error{"TLS needs a certificate and its key",
                                      "give both: --tls-certificate server.pem --tls-key server.key",
                                      fault_origin::configuration});
  }
  if (is_loopback(listen.host)) return {};
  std::string missing = options.password_file.empty() ? "a password" : "";
  if (options.tls_key.empty()) missing += missing.empty() ? "TLS" : " and TLS";
  if (missing.empty()) return {};
  return tl::unexpected(
      world_error{fmt::format("other machines reach {}, so the gateway needs {}", to_string(listen), missing),
                  "add --password-file FILE --tls-certificate FILE --tls-key FILE, or listen on the loopback "
                  "interface: --resp 6379",
                  fault_origin::configuration});
}

or_error<void> check_served_machine(const genesis& cluster) {
  if (cluster.state_machine == machine_name) return {};
  return tl::unexpected(
      world_error{fmt::format("the cluster runs the machine '{}', and the gateway serves only the machine '{}'",
                              visible_text(cluster.state_machine), machine_name),
                  "create a cluster for it: hypermesh init DIR --machine redis", fault_origin::configuration});
}

/// The check of a password. Only a digest is kept, and every password of one length takes the same time.
or_error<std::function<bool(std::string_view)>> password_check_of(const std::string& file) {
  std::function<bool(std::string_view)> check;
  if (file.empty()) return check;
  const auto token = http::bearer_token::read(file);
  if (!token) return failure_of(token);
  check = [token = *token](std::string_view shown) { return token.is_shown_by(fmt::format("Bearer {}", shown)); };
  return check;
}

or_error<gateway_settings> settings_of(const gateway_options& options) {
  auto check = password_check_of(options.password_file);
  if (!check) return failure_of(check);
  gateway_settings settings;
  settings.connections_max = options.connections;
  settings.patience = options.client.timeout();
  settings.is_password = std::move(*check);
  return settings;
}

/// Sockets that were answered and linger need descriptors too.
or_error<void> check_descriptors(std::size_t connections, const genesis& cluster) {
  constexpr std::uint64_t lingering = 256;
  constexpr std::uint64_t other_files = 64;
  const auto wanted = connections + lingering + other_files + 2 * cluster.replicas.size();
  if (const auto allowed = raise_descriptor_limit(wanted); allowed < wanted)
    return too_few_descriptors(wanted, allowed);
  return {};
}

void announce(const replica_address& listen, const cluster_session& session, bool as_json) {
  constexpr std::size_t id_bytes = 8;
  const auto& cluster = session.cluster();
  const auto id = to_hex(cluster.id().view(), id_bytes);
  if (as_json) {
    print_json(
        {{"resp", to_string(listen)}, {"cluster", cluster.name}, {"id", id}, {"client", session.config().self.value}});
  } else {
    print_report(fmt::format("ready resp={} cluster={} id={} client={}\n", to_string(listen),
                             visible_text(cluster.name), id, session.config().self.value));
  }
  flush_output();
  tell_service_manager("READY=1");
}

void report_statistics(const gateway_statistics& counted, bool as_json) {
  if (as_json) {
    print_json({{"connections", counted.connections},
                {"commands", counted.commands},
                {"operations", counted.operations},
                {"error_replies", counted.error_replies},
                {"unknown_outcomes", counted.unknown_outcomes},
                {"refused", counted.refused},
                {"protocol_failures", counted.protocol_failures},
                {"passwords_wrong", counted.passwords_wrong}});
    return;
  }
  say(fmt::format(
      "served {} connections and {} commands, of which {} were ordered; {} outcomes are unknown, {} commands "
      "were not executed",
      grouped(counted.connections), grouped(counted.commands), grouped(counted.operations),
      grouped(counted.unknown_outcomes), grouped(counted.refused)));
}

/// Serves until a signal, then answers what is in flight. A second signal ends the wait.
void serve(gateway_server& server, interruption& stop, duration patience) {
  constexpr duration step = 100ms;
  while (!stop.requested())
    server.serve(step);
  tell_service_manager("STOPPING=1");
  server.stop();
  const auto give_up = std::chrono::steady_clock::now() + patience;
  while (!server.is_idle() && std::chrono::steady_clock::now() < give_up && !stop.wait_again(0ms))
    server.serve(step);
}

exit_code run_gateway(const gateway_options& options) {
  interruption stop;
  const auto listen = listen_address_of(options.listen);
  if (!listen) return report_error(listen.error(), exit_code::usage);
  if (auto done = check_exposure(*listen, options); !done) return report_error(done.error(), exit_code::usage);
  auto settings = settings_of(options);
  if (!settings) return report_error(settings.error(), exit_code::usage);
  std::unique_ptr<tls_credentials> tls;
  if (!options.tls_key.empty()) {
    auto read = tls_credentials::read(options.tls_certificate, options.tls_key);
    if (!read) return report_error(read.error(), exit_code::usage);
    tls = std::move(*read);
  }
  auto config = read_client_of(options.client);
  if (!config) return report_error(config.error(), exit_code::usage);
  if (auto done = check_served_machine(config->cluster); !done) return report_error(done.error(), exit_code::usage);
  if (auto done = check_descriptors(options.connections, config->cluster); !done)
    return report_error(done.error(), exit_code::failed);
  client_settings client;
  client.bundle_operations_max = options.bundle;
  client.deadline = settings->patience;
  auto opened = cluster_session::open(std::move(*config), client);
  if (!opened) return report_error(opened.error(), exit_code::usage);
  auto& session = **opened;
  const auto patience = settings->patience;
  gateway_identity identity;
  identity.version = HYPERMESH_VERSION;
  identity.cluster = visible_text(session.cluster().name);
  identity.cluster_id = to_hex(session.cluster().id().view());
  identity.replicas = static_cast<std::uint32_t>(session.cluster().replicas.size());
  identity.client = session.config().self.value;
  identity.process = getpid();
  auto server = gateway_server::open(*listen, std::move(tls), session.client(), std::move(*settings),
                                     std::move(identity), session.cluster().parameters());
  if (!server) return report_error(server.error(), exit_code::usage);
  announce(*listen, session, options.output.is_json());
  serve(**server, stop, patience);
  report_statistics((*server)->core().statistics(), options.output.is_json());
  warn_of_wrong_replies(session);
  return exit_code::ok;
}

}  // namespace

void add_gateway(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("gateway", "Serve the machine 'redis' to clients of Redis");
  auto options = std::make_shared<gateway_options>();
  command->footer(examples);
  add_client_options(*command, options->client);
  command->add_option("--resp", options->listen, "PORT of the loopback interface, or HOST:PORT, for the protocol RESP")
      ->required()
      ->type_name("ADDRESS");
  command->add_option("--password-file", options->password_file, "File whose first line is the password for AUTH")
      ->type_name("FILE");
  command->add_option("--tls-certificate", options->tls_certificate, "PEM file with the certificate, for TLS")
      ->type_name("FILE");
  command->add_option("--tls-key", options->tls_key, "PEM file with the key of the certificate")->type_name("FILE");
  command->add_option("--connections", options->connections, "The most connections at once")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}))
      ->capture_default_str()
      ->type_name("N");
  command->add_option("--bundle", options->bundle, "The most operations under one client signature")
      ->check(CLI::Range(std::size_t{1}, limits::operations_per_request_max))
      ->capture_default_str()
      ->type_name("N");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_gateway(*options); }; });
}

}  // namespace hypermesh::cli
