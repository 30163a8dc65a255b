// Strategies of a client that abuses its key (attacks 30 to 34).
#include <algorithm>
#include <limits>
#include <map>

#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "tests/byzantine/roles.hpp"

namespace hypermesh::testing {

namespace {

client_id client_of(const adversary_hands& hands) { return client_id{hands.self().number}; }

/// Base of strategies that change the client's own requests.
class as_client_of : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands& hands) override {
    const auto* asked = out.as<request>();
    // The strategy leaves the opening of a session unchanged, because a client without a session has no requests to
    // change.
    if (asked == nullptr || asked->id.opens_session()) return fate::passes;
    const auto kept = out.value;
    return on_request(out, *asked, hands);
  }

 protected:
  virtual fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) = 0;
};

/// Sends two different operations under one request id, one to each half of the replicas.
class two_operations final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    const auto other = forged_request(hands, asked.id, marked_operation(asked.id.when.value));
    for (const auto each : hands.others())
      hands.send(each, hands.in_second_half(each) ? reframe(other) : out.frame);
    return fate::stopped;
  }
};

/// Sends more requests at once than any client may have pending.
class flood_with_requests final : public as_client_of {
 public:
  void on_tick(adversary_hands& hands) override {
    if (++ticks_ % 20 != 0) return;
    for (std::size_t count = 0; count < 5 * limits::requests_pending_per_client_max / 4; ++count) {
      ++when_;
      hands.send_to_all(reframe(forged_request(hands, {client_of(hands), timestamp{when_}}, marked_operation(when_))));
    }
  }

 protected:
  fate on_request(passing_frame&, const request& asked, adversary_hands&) override {
    // Requests with timestamps below the client's own requests would count as past, so the flood begins above them.
    when_ = std::max(when_, asked.id.when.value);
    return fate::passes;
  }

 private:
  std::uint64_t ticks_ = 0;
  std::uint64_t when_ = 1'000;
};

/// Sends its last request to all replicas eight times at every tick.
class retransmit_in_storms final : public adversary {
 public:
  fate on_send(passing_frame& out, adversary_hands&) override {
    if (out.as<request>() != nullptr) last_ = out.frame;
    return fate::passes;
  }
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 8 && last_ != nullptr; ++count)
      hands.send_to_all(last_);
  }

 private:
  frame_ptr last_;
};

/// Sends a request repeatedly whose signature half of the replicas cannot verify (Clement et al. 2009: the big MAC
/// attack).
class partly_valid final : public as_client_of {
 public:
  void on_tick(adversary_hands& hands) override {
    for (const auto each : hands.others()) {
      if (good_ != nullptr) hands.send(each, hands.in_second_half(each) ? bad_ : good_);
    }
  }

 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    auto bytes = *out.frame;
    // The signature is in front of the kind, at the end of the frame.
    bytes[bytes.size() - 2 - signature::size / 2] ^= std::byte{1};
    good_ = reframe(asked);
    bad_ = frame_of_bytes(std::move(bytes));
    if (hands.in_second_half(out.peer)) out.become(bad_);
    return fate::passes;
  }

 private:
  frame_ptr good_;
  frame_ptr bad_;
};

/// Sends frames that are longer than a client's frame may be.
class oversize_requests final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    byte_vector bytes(limits::client_frame_bytes_max + 8);
    bytes.back() = static_cast<std::byte>(message_kind::request);
    const auto& to = hands.others()[hands.chance().below(hands.others().size())];
    hands.send(to, frame_of_bytes(std::move(bytes)));
  }
};

class jump_in_time final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request&, adversary_hands& hands) override {
    const timestamp last{std::numeric_limits<std::uint64_t>::max()};
    hands.send(out.peer, reframe(forged_request(hands, {client_of(hands), last}, marked_operation(0))));
    return fate::passes;
  }
};

/// Uses timestamps with gaps as wide as the window, so that each new timestamp makes the previous ones past.
class leap_through_timestamps final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    const timestamp far{asked.id.when.value * 4 * limits::requests_in_flight_max};
    out.become(reframe(forged_request(hands, {client_of(hands), far}, marked_operation(far.value))));
    return fate::passes;
  }
};

class speak_for_other_client final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    hands.send(out.peer, reframe(forged_request(hands, {client_id{0}, asked.id.when.next(), asked.id.session},
                                                marked_operation(asked.id.when.value))));
    return fate::passes;
  }
};

/// Sends a vote, a STATUS and a request for a state, which only replicas may send.
class speak_as_replica final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const statement content{
        {}, sequence_number{1}, nonsense_digest(hands), replica_id{1}, hands.cluster().signing.epoch};
    hands.send_to_all(forged_vote(hands, message_kind::prepare, content));
    hands.send_to_all(forged_vote(hands, message_kind::commit, content));
    hands.send_to_all(encode(state_request{sequence_number{4}, 0}));
  }
};

/// Sends operations that no state machine understands.
class ask_for_nonsense final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    // Every copy of a request gets the same nonsense, because two different requests with one timestamp convict the
    // client.
    auto& operation = operations_[asked.id];
    if (operation.empty()) {
      operation = nonsense_bytes(hands, 64);
      operation.front() = std::byte{0xff};
    }
    out.become(reframe(forged_request(hands, asked.id, operation)));
    return fate::passes;
  }

 private:
  std::map<request_id, byte_vector> operations_;
};

class flood_with_queries final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    for (int count = 0; count < 64; ++count)
      hands.send_to_all(
          encode(query{{client_of(hands), timestamp{++asked_}}, marked_operation(asked_), asked_ % 2 == 0}));
  }

 private:
  std::uint64_t asked_ = 0;
};

/// Sends requests with the largest permitted number of operations.
class bundle_to_the_limit final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    const auto one = marked_operation(asked.id.when.value);
    const std::vector<byte_span> operations(limits::operations_per_request_max, byte_span{one});
    out.become(sealed(hands, message_kind::request, request_buffer(asked.id, operations)));
    return fate::passes;
  }
};

/// Sends its requests to only one backup, which has to forward them alone.
class ask_one_backup final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request&, adversary_hands& hands) override {
    hands.send(hands.others().back(), out.frame);
    return fate::stopped;
  }
};

/// Sends its requests to all backups of the first view but never to the primary, so that the backups suspect the
/// primary.
class ask_all_backups final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request&, adversary_hands& hands) override {
    for (const auto each : hands.others()) {
      if (each != principal::of(replica_id{0})) hands.send(each, out.frame);
    }
    return fate::stopped;
  }
};

/// Sends each request to the backups 40 ms before it sends the request to the primary.
class tell_primary_late final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request&, adversary_hands& hands) override {
    constexpr duration late = 40ms;
    const auto primary = principal::of(hands.cluster().group().primary_of(hands.known().view()));
    for (const auto each : hands.others())
      hands.send_later(each == primary ? late : 0ms, each, out.frame);
    return fate::stopped;
  }
};

/// Never sends every second request of an ordered session, so the requests after the gap can never be executed.
class leave_gaps final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    if (asked.id.when.value % 2 == 0) return fate::stopped;
    hands.send_to_all(out.frame);
    return fate::stopped;
  }
};

/// Sends all requests to the backups, but sends the primary only the second and later requests of its session.
class keep_first_from_primary final : public as_client_of {
 protected:
  fate on_request(passing_frame& out, const request& asked, adversary_hands& hands) override {
    const auto primary = principal::of(hands.cluster().group().primary_of(hands.known().view()));
    for (const auto each : hands.others()) {
      if (each != primary || asked.id.when > timestamp{1}) hands.send(each, out.frame);
    }
    return fate::stopped;
  }
};

/// Opens a new session at each tick, and also sends a request in a session that ended long ago.
class open_sessions_for_ever final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    ++count_;
    const session_id session{1'000'000 + count_};
    hands.send_to_all(reframe(forged_request(hands, {client_of(hands), timestamp{0}, session}, {})));
    hands.send_to_all(
        reframe(forged_request(hands, {client_of(hands), timestamp{1}, session}, marked_operation(count_))));
    const session_id ended{1'000'000 + count_ / 2};
    hands.send_to_all(
        reframe(forged_request(hands, {client_of(hands), timestamp{2}, ended}, marked_operation(count_))));
  }

 private:
  std::uint64_t count_ = 0;
};

/// Fills its quota at the primary with operations in sessions that are never opened, one operation in each session. It
/// sends the requests that can be executed to the backups only. The primary has no room for these requests, so the
/// backups may suspect it.
class crowd_itself_out final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const auto primary = principal::of(hands.cluster().group().primary_of(hands.known().view()));
    for (int each = 0; each < 128; ++each) {
      const request_id never{client_of(hands), timestamp{5}, session_id{4'000'000 + ++count_}};
      hands.send(primary, reframe(forged_request(hands, never, marked_operation(count_))));
    }
    const request_id opening{client_of(hands), timestamp{0}, session_id{3'000'000 + count_}};
    const auto frame = reframe(forged_request(hands, opening, {}));
    for (const auto each : hands.others()) {
      if (each != primary) hands.send(each, frame);
    }
  }

 private:
  std::uint64_t count_ = 0;
};

/// Opens a session with a large number, and then so many sessions that the replicas forget how the first one ended.
/// From then on, every smaller number counts as ended. At that moment, openings with smaller numbers wait at the
/// backups.
class open_below_the_ended final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    constexpr std::uint64_t large = 1'000'000'000;
    for (int each = 0; each < 32; ++each)
      hands.send_to_all(opening_of(hands, large + count_++));
    const auto primary = principal::of(hands.cluster().group().primary_of(hands.known().view()));
    for (const auto each : hands.others()) {
      if (each != primary) hands.send(each, opening_of(hands, 5'000'000 + count_));
    }
  }

 private:
  [[nodiscard]] static frame_ptr opening_of(adversary_hands& hands, std::uint64_t session) {
    return reframe(forged_request(hands, {client_of(hands), timestamp{0}, session_id{session}}, {}));
  }

  std::uint64_t count_ = 0;
};

/// Shows each half of the replicas a different opening of the same session.
class open_twice final : public as_heckler {
 public:
  void on_tick(adversary_hands& hands) override {
    const session_id session{2'000'000 + ++count_};
    for (const auto each : hands.others()) {
      session_opening opening;
      opening.nonce.front() = std::byte{static_cast<unsigned char>(hands.in_second_half(each) ? 1 : 2)};
      const auto operation = operation_of(opening);
      const auto buffer = request_buffer({client_of(hands), timestamp{0}, session}, {byte_span{operation}});
      hands.send(each, sealed(hands, message_kind::request, buffer));
    }
  }

 private:
  std::uint64_t count_ = 0;
};

}  // namespace

std::vector<strategy> client_strategies() {
  using enum strategy_occasion;
  const auto role = strategy_role::client;
  return {
      {"two-operations-one-timestamp", "sends each half of the replicas another operation with the same timestamp",
       role, as_client,
       {18, 30}, "I1 I4", true, {}, "each replica keeps the first one that it sees, and the order decides",
       make_strategy<two_operations>},
      {"request-flood", "sends more new requests than its quota to all replicas, repeatedly", role, as_client, {33},
       "I11 I12", false, {"client_quota"}, {}, make_strategy<flood_with_requests>},
      {"retransmission-storm", "sends its last request to all replicas, eight times with each tick", role, as_client,
       {32, 33}, "I4 I12", false, {}, "a client that hears no replies does the same",
       make_strategy<retransmit_in_storms>},
      {"partly-valid-request", "sends requests that half of the replicas cannot verify",
       role, as_client, {30, 32}, "I11",
       false, {"bad_signature"}, {}, make_strategy<partly_valid>},
      {"oversize-request", "sends requests above the size limit", role, as_client, {33, 37}, "I12 I13", false,
       {"frame_too_long"}, {}, make_strategy<oversize_requests>},
      {"timestamp-jump", "sends a request with the largest timestamp", role, as_client, {34}, "I4", false, {},
       "only its own later requests are past", make_strategy<jump_in_time>},
      {"timestamp-leaps", "sends requests with growing timestamps, each of which makes all before it past",
       role, as_client, {25, 34}, "I4 I12", false, {},
       "only its own requests are past", make_strategy<leap_through_timestamps>},
      {"speaks-for-other-client", "sends requests in the name of another client", role, as_client, {1}, "I3", false,
       {"sender_is_not_signer"}, {}, make_strategy<speak_for_other_client>},
      {"client-casts-votes", "sends messages that only replicas may send", role, as_client, {1, 2}, "I6", false,
       {"kind_not_allowed_from_sender"}, {}, make_strategy<speak_as_replica>},
      {"nonsense-operations", "sends operations that no state machine accepts", role, as_client, {37}, "I13", false, {},
       "they are ordered like others, and change nothing", make_strategy<ask_for_nonsense>},
      {"query-flood", "sends 64 queries with each tick to all replicas", role, as_client, {33}, "I11 I12", false, {},
       "a query changes no state", make_strategy<flood_with_queries>},
      {"full-bundles", "sends requests with the maximum number of operations", role, as_client, {33}, "I12",
       false, {}, "a request may be as large", make_strategy<bundle_to_the_limit>},
      {"asks-one-backup", "sends its requests to one backup, and never to the primary",
       role, as_client, {30, 32}, "I11",
       false, {}, "a client with no other link does the same", make_strategy<ask_one_backup>},
      {"asks-all-backups", "sends its requests to all replicas but the first primary",
       role, as_client, {29, 32}, "I11", false, {},
       "a client that does not reach the primary does the same", make_strategy<ask_all_backups>},
      {"tells-primary-late", "sends its requests to the primary 40 ms after the backups",
       role, as_client, {29, 32}, "I11",
       false, {}, "requests may take different times on different links", make_strategy<tell_primary_late>},
      {"leaves-gaps", "keeps back every second request of its session", role, as_client, {32}, "I11 I17", false, {},
       "a request that waits for another one costs its client only", make_strategy<leave_gaps>},
      {"keeps-first-from-primary", "keeps the first request of its session from the primary", role, as_client, {32},
       "I11 I17", false, {}, "the backups forward the request", make_strategy<keep_first_from_primary>},
      {"opens-sessions", "opens a session with each tick, and sends requests in ended ones", role, as_client, {25, 33},
       "I4 I12", false, {}, "only its own sessions end by this", make_strategy<open_sessions_for_ever>},
      {"crowds-itself-out", "fills its quota at the primary with requests that can never be executed", role, as_client,
       {32, 33}, "I11 I12", false, {"client_quota"}, {}, make_strategy<crowd_itself_out>},
      {"opens-below-ended", "opens sessions below the ones whose end is forgotten", role, as_client, {25, 32},
       "I4 I11", false, {}, "a client chooses its session numbers", make_strategy<open_below_the_ended>},
      {"two-openings", "sends each half of the replicas another opening of a session", role, as_client, {8, 25},
       "I1 I4", false, {}, "two processes with the same session number do the same", make_strategy<open_twice>},
  };
}

}  // namespace hypermesh::testing
