#include "tools/hypermesh/bundle/fetch_channel.hpp"

#include <gnutls/gnutls.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

#include "messages/require.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::size_t certificate_bytes_max = 64 * 1024;
/// The versions that the HTTP server of a node serves.
constexpr const char* tls_priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

class plain_fetch_channel final : public fetch_channel {
 public:
  plain_fetch_channel(base::open_file socket, fetch_clock::time_point deadline)
      : fetch_channel(std::move(socket), deadline) {}

 private:
  std::ptrdiff_t write_some(std::string_view bytes) override {
    return send(socket(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }
  std::ptrdiff_t read_some(char* into, std::size_t size) override { return recv(socket(), into, size, 0); }
};

class tls_fetch_channel final : public fetch_channel {
 public:
  tls_fetch_channel(base::open_file socket, fetch_clock::time_point deadline)
      : fetch_channel(std::move(socket), deadline) {}
  ~tls_fetch_channel() override {
    if (session_ != nullptr) gnutls_deinit(session_);
    if (credentials_ != nullptr) gnutls_certificate_free_credentials(credentials_);
  }
  tls_fetch_channel(const tls_fetch_channel&) = delete;
  tls_fetch_channel& operator=(const tls_fetch_channel&) = delete;

  /// Makes the handshake. `certificate` is the only one that is accepted, in DER.
  [[nodiscard]] or_reason<void> begin(std::string_view certificate) {
    const bool is_made =
        gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) == GNUTLS_E_SUCCESS &&
        gnutls_certificate_allocate_credentials(&credentials_) == GNUTLS_E_SUCCESS &&
        gnutls_priority_set_direct(session_, tls_priorities, nullptr) == GNUTLS_E_SUCCESS &&
        gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_) == GNUTLS_E_SUCCESS;
    if (!is_made) return invalid("there is no memory for TLS");
    gnutls_transport_set_int(session_, socket());
    for (int done = gnutls_handshake(session_); done != GNUTLS_E_SUCCESS; done = gnutls_handshake(session_)) {
      if (gnutls_error_is_fatal(done) != 0) return invalid(fmt::format("TLS failed: {}", gnutls_strerror(done)));
      if (!waits_for(socket(), events_for(POLLIN), deadline())) return invalid("no TLS handshake in time");
    }
    unsigned count = 0;
    const auto* const shown = gnutls_certificate_get_peers(session_, &count);
    if (shown == nullptr || count == 0) return invalid("the server shows no certificate");
    if (std::string_view{reinterpret_cast<const char*>(shown->data), shown->size} != certificate) {
      return invalid("the server has another certificate than the file; restart the node if the file is new");
    }
    return {};
  }

 private:
  [[nodiscard]] short events_for(short) const override {
    return gnutls_record_get_direction(session_) == 1 ? POLLOUT : POLLIN;
  }
  std::ptrdiff_t write_some(std::string_view bytes) override {
    return result_of(gnutls_record_send(session_, bytes.data(), bytes.size()));
  }
  std::ptrdiff_t read_some(char* into, std::size_t size) override {
    const auto count = gnutls_record_recv(session_, into, size);
    // Servers often close without the good-bye of TLS. HTTP shows by itself whether the head is complete.
    return count == GNUTLS_E_PREMATURE_TERMINATION ? 0 : result_of(count);
  }
  static std::ptrdiff_t result_of(ssize_t count) {
    if (count >= 0) return count;
    errno = gnutls_error_is_fatal(static_cast<int>(count)) != 0 ? EPROTO : EAGAIN;
    return -1;
  }

  gnutls_session_t session_ = nullptr;
  gnutls_certificate_credentials_t credentials_ = nullptr;
};

/// The first certificate of a PEM file, in DER.
or_reason<std::string> certificate_in(const std::filesystem::path& file) {
  auto text = base::read_small_file(file, certificate_bytes_max);
  if (!text) return invalid("its certificate file cannot be read");
  const gnutls_datum_t pem{reinterpret_cast<unsigned char*>(text->data()), static_cast<unsigned>(text->size())};
  gnutls_datum_t der{};
  if (gnutls_pem_base64_decode2("CERTIFICATE", &pem, &der) != GNUTLS_E_SUCCESS) {
    return invalid("its certificate file has no certificate");
  }
  std::string out{reinterpret_cast<const char*>(der.data), der.size};
  gnutls_free(der.data);
  return out;
}

}  // namespace

bool waits_for(int socket, short events, fetch_clock::time_point deadline) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - fetch_clock::now());
  pollfd asked{socket, events, 0};
  return left.count() > 0 && poll(&asked, 1, static_cast<int>(left.count())) > 0;
}

or_reason<void> fetch_channel::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = write_some(bytes);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN || !waits_for(socket(), events_for(POLLOUT), deadline_)) {
      return invalid("the server does not read the request");
    }
  }
  return {};
}

or_reason<std::string> fetch_channel::receive_all(std::size_t bytes_max) {
  std::string all;
  std::array<char, 16'384> part{};
  while (all.size() < bytes_max) {
    // TLS may hold bytes that poll() does not see, so reading comes before waiting.
    const auto count = read_some(part.data(), part.size());
    if (count == 0) return all;
    if (count > 0) {
      all.append(part.data(), static_cast<std::size_t>(count));
    } else if (errno != EAGAIN && errno != EINTR) {
      return invalid(std::strerror(errno));
    } else if (!waits_for(socket(), events_for(POLLIN), deadline_)) {
      return invalid("no answer in time");
    }
  }
  return invalid("the answer is too long");
}

or_reason<std::unique_ptr<fetch_channel>> open_channel(base::open_file socket, const std::filesystem::path& certificate,
                                                       fetch_clock::time_point deadline) {
  require(socket.is_open(), "a channel needs a socket");
  if (certificate.empty()) {
    return std::unique_ptr<fetch_channel>{std::make_unique<plain_fetch_channel>(std::move(socket), deadline)};
  }
  const auto wanted = certificate_in(certificate);
  if (!wanted) return tl::unexpected(wanted.error());
  auto channel = std::make_unique<tls_fetch_channel>(std::move(socket), deadline);
  if (auto done = channel->begin(*wanted); !done) return tl::unexpected(done.error());
  return std::unique_ptr<fetch_channel>{std::move(channel)};
}

}  // namespace hypermesh::cli
