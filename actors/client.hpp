#pragma once

#include <map>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/protocol/client/client_core.hpp"
#include "actors/protocol/client/receipt_collector.hpp"

namespace hypermesh::actors {

/// A client of the replicated service: the mailbox around `client_core` and `receipt_collector`, which this actor owns.
/// The client sends to the replicas through their peer actors.
struct client_state {
  static inline const char* name = "client";

  struct open_report {
    std::shared_ptr<const report_completion> done;
    replica_id replica;
    frame_ptr frame;
    moment deadline{};
  };

  /// An operation for which the host wants a receipt. The outcome is kept while the shares are collected.
  struct open_receipt {
    byte_vector operation;
    std::shared_ptr<const receipt_completion> done;
    moment deadline{};
    submit_outcome outcome = client_error::stopped;
  };

  cluster_parameters cluster;
  client_id self_id;
  std::shared_ptr<const authenticator> keys;
  client_settings settings;
  std::unique_ptr<client_core> core;
  std::unique_ptr<receipt_collector> collector;
  std::vector<peer_actor> peers;
  std::map<operation_token, std::shared_ptr<const completion>> completions;
  std::map<operation_token, open_receipt> receipts;
  std::map<timestamp, open_report> reports;
  operation_token next_token = 1;
  timestamp next_report{1};
  bool tick_armed = false;
  std::uint64_t frames_rejected = 0;
};

/// The identity of a client; `client_core` explains `first` and `session`.
struct client_identity {
  cluster_parameters cluster;
  client_id self;
  std::shared_ptr<const authenticator> keys;
  timestamp first{1};
  session_id session = {};
};

client_actor::behavior_type client(client_actor::stateful_pointer<client_state> self, client_identity identity,
                                   client_settings settings);

}  // namespace hypermesh::actors
