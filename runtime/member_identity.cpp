#include "runtime/member_identity.hpp"

namespace hypermesh::runtime {

or_error<std::shared_ptr<const ed25519_authenticator>> load_keys(const std::filesystem::path& file, principal self,
                                                                 const genesis& cluster) {
  auto read = read_secret_key(file);
  if (!read) return failure_of(read);
  return ed25519_authenticator::make(self, std::move(*read), cluster.keys());
}

link_settings link_settings_of(const genesis& cluster, std::shared_ptr<const authenticator> keys,
                               const link_limits& limits) {
  link_settings links;
  links.cluster = cluster.id();
  links.keys = std::move(keys);
  links.replicas = cluster.addresses();
  links.client_count = static_cast<std::uint32_t>(cluster.clients.size());
  links.limits = limits;
  return links;
}

}  // namespace hypermesh::runtime
