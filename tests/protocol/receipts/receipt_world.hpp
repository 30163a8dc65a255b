#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "actors/protocol/receipts/receipt_log.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing {

/// The answer of a machine that returns the operation in reverse.
inline byte_vector reversed(byte_span operation) { return {operation.rbegin(), operation.rend()}; }

/// Executes a request: each operation gets a result.
inline std::shared_ptr<const request_outcome> outcome_of(const request& asked) {
  auto outcome = std::make_shared<request_outcome>();
  for (std::size_t index = 0; index < asked.operation_count(); ++index)
    outcome->append(static_cast<std::uint8_t>(index % 2), reversed(asked.operation(index)));
  return outcome;
}

/// A cluster whose replicas have executed batches and sign receipts for them.
struct receipt_world {
  explicit receipt_world(std::uint32_t replicas, std::uint64_t seed = 1)
      : factory(small_cluster(replicas), seed), chance(seed) {}

  request_factory factory;
  std::mt19937_64 chance;
  receipt_log log;
  std::vector<std::shared_ptr<const batch>> executed;

  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return chance() % bound; }
  [[nodiscard]] const cluster_parameters& cluster() const { return factory.cluster(); }
  [[nodiscard]] group_size group() const { return cluster().group(); }
  [[nodiscard]] const authenticator& keys(std::uint32_t replica) const { return factory.keys_of(replica_id{replica}); }

  /// Executes a batch of `count` requests with random operations, all for the first time.
  void execute(std::size_t count) {
    std::vector<request> requests;
    std::vector<receipt_log::executed> done;
    for (std::uint32_t number = 0; number < count; ++number) {
      std::vector<std::string> operations(1 + below(3) * below(3), "");
      for (auto& each : operations)
        each = std::string(below(30), static_cast<char>('a' + below(26)));
      requests.push_back(factory.request_of(client_id{number % 4}, timestamp{++next_timestamp}, operations));
      done.push_back({number, outcome_of(requests.back())});
    }
    executed.push_back(request_factory::batch_of(std::move(requests)));
    const auto sequence = sequence_number{executed.size()};
    log.on_executed(sequence, executed.back(), time_after(sequence), std::move(done));
  }

  [[nodiscard]] static wall_time time_after(sequence_number sequence) {
    return wall_time{std::chrono::milliseconds{1'700'000'000'000 + sequence.value}};
  }

  /// The receipt for operation `index` of a request of the batch, signed by these replicas, all of which executed it.
  [[nodiscard]] receipt receipt_for(std::size_t sequence, std::size_t number, std::uint32_t index,
                                    const std::vector<std::uint32_t>& signers) {
    const auto& asked = executed.at(sequence - 1)->requests.at(number);
    receipt value;
    value.context = cluster().signing;
    const auto operation = asked.operation(index);
    value.what = {asked.id,
                  digest_of_request(asked),
                  index,
                  byte_vector{operation.begin(), operation.end()},
                  static_cast<operation_status>(index % 2),
                  reversed(operation)};
    for (const auto signer : signers) {
      // The log caches the signature of its replica, so each signer has a copy of it from before the first signature.
      auto copy = log;
      const auto share = copy.share_of({asked.id, index}, cluster().signing, keys(signer));
      if (!share) return {};
      value.place = share->place;
      value.signatures.push_back({replica_id{signer}, share->by});
    }
    return value;
  }

  /// The receipt with its signatures made again by `signers`, whatever it says. Only faulty replicas do that.
  [[nodiscard]] receipt signed_again(receipt value, const std::vector<std::uint32_t>& signers) const {
    const auto root = receipt_value_of(value.what, value.place);
    value.signatures.clear();
    for (const auto signer : signers) {
      const auto input = receipt_signing_input(value.context, value.place.sequence, *root, replica_id{signer});
      value.signatures.push_back({replica_id{signer}, keys(signer).sign(input)});
    }
    return value;
  }

  [[nodiscard]] or_reason<receipt_strength> verify(const receipt& value) const {
    return verify_receipt(value, cluster(), keys(0));
  }

  /// The replicas from `first` on, `count` of them.
  [[nodiscard]] static std::vector<std::uint32_t> range(std::uint32_t first, std::uint32_t count) {
    std::vector<std::uint32_t> replicas;
    for (std::uint32_t number = 0; number < count; ++number)
      replicas.push_back(first + number);
    return replicas;
  }

  std::uint64_t next_timestamp = 0;
};

}  // namespace hypermesh::testing
