#include "runtime/receipt_check.hpp"

#include <doctest/doctest.h>

#include <array>

#include "actors/protocol/receipts/receipt.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using storage_test::scratch_folder;

namespace {

secret_key key_of_replica(std::uint32_t number) {
  std::array<std::byte, 32> seed{};
  seed.back() = static_cast<std::byte>(number + 1);
  return secret_key::from_seed(seed);
}

/// A cluster with real keys, which is there only as its genesis.
struct gone_cluster {
  genesis content;

  explicit gone_cluster(std::uint32_t replicas = 4) {
    content.name = "gone";
    content.nonce = "nonce";
    for (std::uint32_t number = 0; number < replicas; ++number)
      content.replicas.push_back(
          {key_of_replica(number).public_half(), {"127.0.0.1", static_cast<std::uint16_t>(20'330 + number)}});
    content.clients.push_back(key_of_replica(200).public_half());
  }

  /// A receipt of one operation with this result, which `signers` signed, whether it is true or not.
  [[nodiscard]] byte_vector receipt_of(std::string_view result, const std::vector<std::uint32_t>& signers) const {
    receipt value;
    value.context = content.parameters().signing;
    value.what.id = {client_id{0}, timestamp{1}, session_id{9}};
    value.what.operation = to_byte_vector("put colour blue");
    value.what.result = to_byte_vector(result);
    value.place.sequence = sequence_number{7};
    value.place.operation_count = value.place.request_count = 1;
    const auto root = receipt_value_of(value.what, value.place);
    for (const auto signer : signers) {
      const auto input = receipt_signing_input(value.context, value.place.sequence, *root, replica_id{signer});
      value.signatures.push_back({replica_id{signer}, key_of_replica(signer).sign(input)});
    }
    return bytes_of(value);
  }
};

}  // namespace

TEST_CASE("a receipt with Ed25519 signatures is verified with a genesis, and each changed bit is refused (attack 44)") {
  const gone_cluster cluster;
  const auto bytes = cluster.receipt_of("ok", {0, 2, 3});
  const auto report = check_receipt(bytes, cluster.content);
  REQUIRE(report);
  CHECK(report->strength == receipt_strength::quorum);
  CHECK(report->signers == std::vector{replica_id{0}, replica_id{2}, replica_id{3}});
  CHECK(report->sequence == sequence_number{7});
  CHECK(as_text(report->operation) == "put colour blue");
  CHECK(as_text(report->result.payload) == "ok");
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto changed = bytes;
    changed[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    INFO("bit ", bit);
    const auto refused = check_receipt(changed, cluster.content);
    REQUIRE_FALSE(refused);
    REQUIRE(refused.error().what.starts_with("the receipt is not genuine: "));
  }
}

TEST_CASE("receipts that contradict each other name the replicas that signed both, with the genesis file alone") {
  const gone_cluster cluster;
  const scratch_folder folder;
  const auto file = folder.path() / "genesis.toml";
  REQUIRE(write_genesis(file, cluster.content));
  const auto one = cluster.receipt_of("ok", {0, 1, 2});
  const auto other = cluster.receipt_of("refused", {1, 2, 3});
  REQUIRE(verify_receipt(one, file.string()));
  const auto found = judge_receipts(one, other, file.string());
  REQUIRE(found);
  CHECK(found->what == receipt_contradiction::two_statements);
  CHECK(found->culprits == std::vector{replica_id{1}, replica_id{2}});
  const auto same = judge_receipts(one, one, file.string());
  REQUIRE(same);
  CHECK(same->what == receipt_contradiction::none);
  auto damaged = other;
  damaged.back() ^= std::byte{1};
  const auto refused = judge_receipts(one, damaged, file.string());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().what.starts_with("the second receipt is not genuine"));
  CHECK_FALSE(verify_receipt(one, (folder.path() / "missing").string()));
}
