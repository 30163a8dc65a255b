#include "tools/hypermesh/bench/crypto_floor.hpp"

#include <sodium.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "messages/digest.hpp"
#include "runtime/base/ed25519_authenticator.hpp"

namespace hypermesh::cli {

namespace {

/// The fastest round counts, because every disturbance makes a round slower.
constexpr int rounds = 5;
constexpr std::size_t small_bytes = 64;
constexpr std::size_t large_bytes = std::size_t{16} * 1024;
constexpr std::size_t signed_bytes = 256;

double thread_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

/// The time of one call of `work`, in microseconds.
template <class Work>
double time_of(int calls, Work work) {
  auto fastest = std::numeric_limits<double>::max();
  for (int round = 0; round < rounds; ++round) {
    const auto begin = thread_us();
    for (int call = 0; call < calls; ++call)
      work();
    fastest = std::min(fastest, (thread_us() - begin) / calls);
  }
  return fastest;
}

struct linear_cost {
  double fixed = 0;
  double per_kib = 0;
};

linear_cost line_through(double small_us, double large_us) {
  const auto per_byte = std::max(large_us - small_us, 0.0) / static_cast<double>(large_bytes - small_bytes);
  return {std::max(small_us - per_byte * small_bytes, 0.0), per_byte * 1'024};
}

/// Seals a frame of `bytes` and opens it again.
double seal_time(std::size_t bytes, int calls) {
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_KEYBYTES> key{};
  std::array<unsigned char, crypto_secretstream_xchacha20poly1305_HEADERBYTES> header{};
  crypto_secretstream_xchacha20poly1305_keygen(key.data());
  crypto_secretstream_xchacha20poly1305_state sending;
  crypto_secretstream_xchacha20poly1305_state receiving;
  crypto_secretstream_xchacha20poly1305_init_push(&sending, header.data(), key.data());
  crypto_secretstream_xchacha20poly1305_init_pull(&receiving, header.data(), key.data());
  std::vector<unsigned char> plain(bytes, 1);
  std::vector<unsigned char> sealed(bytes + crypto_secretstream_xchacha20poly1305_ABYTES);
  unsigned char tag = 0;
  return time_of(calls, [&] {
    crypto_secretstream_xchacha20poly1305_push(&sending, sealed.data(), nullptr, plain.data(), plain.size(), nullptr, 0,
                                               0);
    (void)crypto_secretstream_xchacha20poly1305_pull(&receiving, plain.data(), nullptr, &tag, sealed.data(),
                                                     sealed.size(), nullptr, 0);
  });
}

double hash_time(std::size_t bytes, int calls) {
  const std::vector<unsigned char> input(bytes, 1);
  std::array<unsigned char, 32> output{};
  return time_of(calls,
                 [&] { crypto_generichash(output.data(), output.size(), input.data(), input.size(), nullptr, 0); });
}

}  // namespace

crypto_costs measure_crypto() {
  base::initialise_crypto();
  crypto_costs costs;
  const auto key = secret_key::generate();
  const byte_vector input(signed_bytes, std::byte{1});
  signature made;
  costs.sign_us = time_of(200, [&] { made = key.sign(input); });
  const base::member_keys members{{}, {key.public_half()}};
  bool is_right = true;
  costs.verify_us =
      time_of(200, [&] { is_right = verify_as_member(members, principal::of(client_id{0}), input, made) && is_right; });
  // A signature that does not verify would be cheaper, and the floor wrong.
  if (!is_right) costs.verify_us = 0;
  const auto seal = line_through(seal_time(small_bytes, 2'000), seal_time(large_bytes, 200));
  costs.seal_us = seal.fixed;
  costs.seal_us_per_kib = seal.per_kib;
  const auto hash = line_through(hash_time(small_bytes, 2'000), hash_time(large_bytes, 200));
  costs.hash_us = hash.fixed;
  costs.hash_us_per_kib = hash.per_kib;
  return costs;
}

crypto_floor floor_of(const crypto_costs& costs, const floor_shape& shape) {
  const auto n = static_cast<double>(shape.replicas);
  const auto others = static_cast<double>(shape.quorum) - 1;
  const auto requests = std::max(shape.requests_per_batch, 1e-9);
  const auto ordered = requests * std::max(shape.operations_per_request, 1e-9);
  const auto operations = ordered / std::max(shape.ordered_share, 1e-9);
  const auto of_requests = shape.requests_are_signed ? n * requests : 0;
  const auto verifications = of_requests + (n - 1) + others + (n - 1) * std::max(others - 1, 0.0) + n * others;
  const auto request_kib = shape.operation_bytes * shape.operations_per_request / 1'024;
  crypto_floor floor;
  floor.signatures = 2 * n / operations;
  floor.verifications = verifications / operations;
  floor.signing_us = floor.signatures * costs.sign_us;
  floor.verifying_us = floor.verifications * costs.verify_us;
  floor.hashing_us = n * ((requests + 1) * costs.hash_us + requests * request_kib * costs.hash_us_per_kib) / operations;
  // A frame is sealed by one node and opened by another, and `seal_us` is both together, so each side counts half.
  floor.sealing_us = (shape.frames_per_operation * costs.seal_us + shape.kib_per_operation * costs.seal_us_per_kib) / 2;
  return floor;
}

}  // namespace hypermesh::cli
