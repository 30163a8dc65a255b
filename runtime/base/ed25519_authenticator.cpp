#include "runtime/base/ed25519_authenticator.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <sodium.h>

namespace hypermesh::base {

namespace {

/// The public key of the member `who`, or null if there is no such member.
const public_key* find_key(const member_keys& members, principal who) {
  const auto& keys = who.is_replica() ? members.replicas : members.clients;
  return who.number < keys.size() ? &keys[who.number] : nullptr;
}

/// The name of the key's owner, as error messages print it.
std::string owner_of(const public_key& key, const member_keys& members) {
  for (const auto kind : {principal_kind::replica, principal_kind::client}) {
    const auto& keys = kind == principal_kind::replica ? members.replicas : members.clients;
    const auto found = std::ranges::find(keys, key);
    if (found == keys.end()) continue;
    return to_string(principal{kind, static_cast<std::uint32_t>(found - keys.begin())});
  }
  return fmt::format("no member of the genesis ({}…)", to_hex(key.view(), 8));
}

or_error<void> check_duplicates(const member_keys& members) {
  struct listed_key {
    public_key key;
    principal owner;
  };
  std::vector<listed_key> all;
  all.reserve(members.replicas.size() + members.clients.size());
  const auto add = [&all](const std::vector<public_key>& keys, principal_kind kind) {
    for (std::size_t number = 0; number < keys.size(); ++number) {
      all.push_back({keys[number], {kind, static_cast<std::uint32_t>(number)}});
    }
  };
  add(members.replicas, principal_kind::replica);
  add(members.clients, principal_kind::client);
  std::sort(all.begin(), all.end(), [](const auto& left, const auto& right) { return left.key < right.key; });
  const auto twin = std::adjacent_find(all.begin(), all.end(),
                                       [](const auto& left, const auto& right) { return left.key == right.key; });
  if (twin == all.end()) return {};
  return tl::unexpected(world_error{
      fmt::format("{} and {} have the same public key", to_string(twin->owner), to_string(std::next(twin)->owner)),
      "make a key for each member: hypermesh keygen FILE", fault_origin::configuration});
}

}  // namespace

ed25519_authenticator::ed25519_authenticator(principal self, secret_key own, member_keys members)
    : self_(self), own_(std::move(own)), members_(std::move(members)) {}

or_error<std::shared_ptr<const ed25519_authenticator>> ed25519_authenticator::make(principal self, secret_key own,
                                                                                   member_keys members) {
  initialise_crypto();
  if (auto done = check(self, own, members); !done) return failure_of(done);
  return std::shared_ptr<const ed25519_authenticator>{
      new ed25519_authenticator{self, std::move(own), std::move(members)}};
}

or_error<void> ed25519_authenticator::check(principal self, const secret_key& own, const member_keys& members) {
  const auto* const listed = find_key(members, self);
  if (listed == nullptr) {
    return tl::unexpected(world_error{fmt::format("{} is not listed in the genesis file", to_string(self)),
                                      "check the number in the configuration against the genesis file",
                                      fault_origin::configuration});
  }
  if (*listed != own.public_half()) {
    return tl::unexpected(
        world_error{fmt::format("the secret key belongs to {}, but the genesis lists {} with {}",
                                owner_of(own.public_half(), members), to_string(self), to_hex(listed->view(), 8)),
                    "correct 'key_file', or the member's number ('replica' in node.toml, 'client' in client.toml)",
                    fault_origin::configuration});
  }
  for (std::size_t number = 0; number < members.replicas.size(); ++number) {
    if (is_sound(members.replicas[number])) continue;
    return tl::unexpected(world_error{fmt::format("the genesis lists replica-{} with an invalid public key", number),
                                      "copy the key from its owner again", fault_origin::configuration});
  }
  return check_duplicates(members);
}

signature ed25519_authenticator::sign(byte_span signing_input) const { return own_.sign(signing_input); }

bool ed25519_authenticator::verify(principal signer, byte_span signing_input, const signature& claimed) const {
  return verify_as_member(members_, signer, signing_input, claimed);
}

bool verify_as_member(const member_keys& members, principal signer, byte_span signing_input, const signature& claimed) {
  const auto* const key = find_key(members, signer);
  if (key == nullptr) return false;
  return crypto_sign_verify_detached(reinterpret_cast<const unsigned char*>(claimed.bytes.data()),
                                     reinterpret_cast<const unsigned char*>(signing_input.data()), signing_input.size(),
                                     reinterpret_cast<const unsigned char*>(key->bytes.data())) == 0;
}

}  // namespace hypermesh::base
