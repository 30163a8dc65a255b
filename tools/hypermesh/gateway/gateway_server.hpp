#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/hosted_client.hpp"
#include "runtime/links/address.hpp"
#include "tools/hypermesh/gateway/byte_channel.hpp"
#include "tools/hypermesh/gateway/cluster_watch.hpp"
#include "tools/hypermesh/gateway/gateway_core.hpp"
#include "tools/hypermesh/gateway/outcome_inbox.hpp"

namespace hypermesh::cli {

/// The adapter of a gateway to its sockets and to the consensus client: one thread that waits with epoll. It decides
/// nothing that `gateway_core` decides. Memory: the core's, and 64 KiB for reading.
class gateway_server {
 public:
  /// Listens on the address. `tls` may be null. The client must live longer than the server.
  [[nodiscard]] static or_error<std::unique_ptr<gateway_server>> open(const replica_address& listen,
                                                                      std::unique_ptr<tls_credentials> tls,
                                                                      hosted_client& client, gateway_settings settings,
                                                                      gateway_identity identity,
                                                                      const cluster_parameters& cluster);
  ~gateway_server();
  gateway_server(const gateway_server&) = delete;
  gateway_server& operator=(const gateway_server&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Serves for up to `patience`, or less if nothing more is to be done. To be called repeatedly.
  void serve(duration patience);
  /// Accepts no further connection and no further command.
  void stop();
  /// After `stop`: whether all clients have their replies.
  [[nodiscard]] bool is_idle() const { return sockets_.empty(); }
  [[nodiscard]] gateway_core& core() { return core_; }

 private:
  struct client_socket {
    std::unique_ptr<byte_channel> channel;
    /// The events for which epoll waits.
    std::uint32_t awaited = 0;
    /// All replies were written. What the client still sends is read and dropped until this moment, because closing a
    /// socket with unread bytes would make TCP drop the last replies.
    std::optional<moment> lingers_until = std::nullopt;
  };

  gateway_server(hosted_client& client, gateway_settings settings, gateway_identity identity,
                 const cluster_parameters& cluster);

  [[nodiscard]] or_error<void> prepare(const replica_address& listen);
  void accept_clients();
  void take_outcomes();
  void read_from(connection_number number);
  void write_to(connection_number number);
  void drop_input(connection_number number);
  void settle(connection_number number);
  void end(connection_number number);
  void carry_out();
  void tick();
  [[nodiscard]] client_socket* find(connection_number number);

  hosted_client* client_;
  gateway_core core_;
  cluster_watch watch_;
  std::unique_ptr<tls_credentials> tls_;
  std::shared_ptr<outcome_inbox> inbox_ = std::make_shared<outcome_inbox>();
  base::open_file poller_;
  base::open_file listener_;
  std::uint16_t port_ = 0;
  std::unordered_map<connection_number, client_socket> sockets_;
  std::vector<char> chunk_;
  moment last_tick_;
};

}  // namespace hypermesh::cli
