#include "runtime/links/descriptor_limits.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace hypermesh::links {

namespace {

/// With fewer handshakes, a flood of strangers or a restart of all clients would keep members out for a long time.
constexpr std::size_t handshakes_min = 64;
constexpr std::size_t client_links_min = 64;

}  // namespace

std::uint64_t raise_descriptor_limit(std::uint64_t wanted) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return std::numeric_limits<std::uint64_t>::max();
  if (files.rlim_cur >= wanted) return files.rlim_cur;
  const rlimit raised{std::min<rlim_t>(wanted, files.rlim_max), files.rlim_max};
  return ::setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : files.rlim_cur;
}

tl::unexpected<world_error> too_few_descriptors(std::uint64_t wanted, std::uint64_t allowed) {
  return tl::unexpected(
      world_error{fmt::format("this process needs {} open files, but the system allows {}", wanted, allowed),
                  fmt::format("raise the limit: ulimit -n {0} (of a systemd unit: LimitNOFILE={0})", wanted)});
}

or_error<std::string> fit_to_descriptors(link_settings& settings, std::uint64_t further_files, limit_raiser raise) {
  auto& bounds = settings.limits;
  const std::size_t usable = settings.client_count * bounds.links_per_client_max;
  bounds.client_links_max = std::min(bounds.client_links_max, std::max<std::size_t>(usable, 1));
  const auto fixed = 2 * settings.replicas.size() + other_files + further_files;
  const auto wanted = fixed + bounds.handshakes_max + bounds.client_links_max;
  const auto allowed = raise(wanted);
  if (allowed >= wanted) return std::string{};
  const auto least_handshakes = std::min(handshakes_min, bounds.handshakes_max);
  const auto least_client_links = std::min(client_links_min, bounds.client_links_max);
  if (allowed < fixed + least_handshakes + least_client_links) return too_few_descriptors(wanted, allowed);
  // The bound on handshakes is lowered first, because clients are served through sessions.
  auto room = allowed - fixed - least_handshakes - least_client_links;
  const auto more_client_links = std::min<std::uint64_t>(room, bounds.client_links_max - least_client_links);
  room -= more_client_links;
  bounds.client_links_max = least_client_links + more_client_links;
  bounds.handshakes_max = least_handshakes + std::min<std::uint64_t>(room, bounds.handshakes_max - least_handshakes);
  bounds.handshakes_per_address_max = std::min(bounds.handshakes_per_address_max, bounds.handshakes_max);
  return fmt::format(
      "the system allows {} open files, enough for {} client links and {} handshakes; to have all configured ones: "
      "ulimit -n {}, or lower client_links_max and handshakes_max of [links] in node.toml",
      allowed, bounds.client_links_max, bounds.handshakes_max, wanted);
}

}  // namespace hypermesh::links
