#include "tools/hypermesh/gateway/byte_channel.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>
#include <gnutls/gnutls.h>

#include "runtime/base/private_file.hpp"

namespace hypermesh::cli {

namespace {

using state = channel_result::state;

constexpr std::uintmax_t pem_bytes_max = 1024 * 1024;
/// TLS 1.2 and 1.3. The library's own choice includes TLS 1.0 and 1.1, which RFC 8996 forbids.
constexpr const char* tls_priorities = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

class plain_socket final : public byte_channel {
 public:
  explicit plain_socket(base::open_file socket) : socket_(std::move(socket)) {}

  [[nodiscard]] int descriptor() const override { return socket_.descriptor(); }

  [[nodiscard]] channel_result read(std::span<char> into) override {
    return result_of(::recv(descriptor(), into.data(), into.size(), 0));
  }

  [[nodiscard]] channel_result write(std::string_view bytes) override {
    return result_of(::send(descriptor(), bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }

  void end_output() override { ::shutdown(descriptor(), SHUT_WR); }

 private:
  static channel_result result_of(ssize_t moved) {
    if (moved > 0) return {state::moved, static_cast<std::size_t>(moved)};
    const bool is_later = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {is_later ? state::would_block : state::ended, 0};
  }

  base::open_file socket_;
};

class tls_socket final : public byte_channel {
 public:
  tls_socket(base::open_file socket, gnutls_session_t session) : socket_(std::move(socket)), session_(session) {
    gnutls_transport_set_int(session_, socket_.descriptor());
  }
  ~tls_socket() override { gnutls_deinit(session_); }

  [[nodiscard]] int descriptor() const override { return socket_.descriptor(); }
  [[nodiscard]] bool has_buffered() const override { return gnutls_record_check_pending(session_) > 0; }
  [[nodiscard]] bool wants_to_write() const override { return wants_to_write_; }

  [[nodiscard]] channel_result read(std::span<char> into) override {
    if (!shake_hands()) return {failed_ ? state::ended : state::would_block, 0};
    return result_of(gnutls_record_recv(session_, into.data(), into.size()));
  }

  [[nodiscard]] channel_result write(std::string_view bytes) override {
    if (!shake_hands()) return {failed_ ? state::ended : state::would_block, 0};
    // After GNUTLS_E_AGAIN the library holds the record, and wants to be called without data.
    if (held_ > 0) {
      const auto sent = result_of(gnutls_record_send(session_, nullptr, 0));
      if (sent.outcome == state::moved) held_ = 0;
      return sent;
    }
    const auto sent = result_of(gnutls_record_send(session_, bytes.data(), bytes.size()));
    if (sent.outcome == state::would_block) held_ = bytes.size();
    return sent;
  }

  void end_output() override {
    // A failure does not matter, because the socket is shut down next.
    if (is_open_) (void)gnutls_bye(session_, GNUTLS_SHUT_WR);
    ::shutdown(descriptor(), SHUT_WR);
  }

 private:
  [[nodiscard]] bool shake_hands() {
    if (is_open_ || failed_) return is_open_;
    const int done = gnutls_handshake(session_);
    is_open_ = done == GNUTLS_E_SUCCESS;
    failed_ = !is_open_ && gnutls_error_is_fatal(done) != 0;
    wants_to_write_ = !is_open_ && !failed_ && gnutls_record_get_direction(session_) == 1;
    return is_open_;
  }

  channel_result result_of(ssize_t moved) {
    wants_to_write_ = false;
    if (moved > 0) return {state::moved, static_cast<std::size_t>(moved)};
    const bool is_later = moved == GNUTLS_E_AGAIN || moved == GNUTLS_E_INTERRUPTED;
    return {is_later ? state::would_block : state::ended, 0};
  }

  base::open_file socket_;
  gnutls_session_t session_;
  bool is_open_ = false;
  bool failed_ = false;
  bool wants_to_write_ = false;
  std::size_t held_ = 0;
};

/// The library's object is opaque, so that the header needs no header of the library.
class gnutls_credentials final : public tls_credentials {
 public:
  explicit gnutls_credentials(gnutls_certificate_credentials_t held) : held_(held) {}
  ~gnutls_credentials() override { gnutls_certificate_free_credentials(held_); }
  gnutls_credentials(const gnutls_credentials&) = delete;
  gnutls_credentials& operator=(const gnutls_credentials&) = delete;

  [[nodiscard]] std::unique_ptr<byte_channel> accept(base::open_file socket) const override {
    gnutls_session_t session = nullptr;
    if (gnutls_init(&session, GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != GNUTLS_E_SUCCESS) return nullptr;
    auto channel = std::make_unique<tls_socket>(std::move(socket), session);
    const bool is_set = gnutls_priority_set_direct(session, tls_priorities, nullptr) == GNUTLS_E_SUCCESS &&
                        gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, held_) == GNUTLS_E_SUCCESS;
    if (!is_set) return nullptr;
    return channel;
  }

 private:
  gnutls_certificate_credentials_t held_;
};

}  // namespace

std::unique_ptr<byte_channel> plain_channel(base::open_file socket) {
  return std::make_unique<plain_socket>(std::move(socket));
}

or_error<std::unique_ptr<tls_credentials>> tls_credentials::read(const std::filesystem::path& certificate,
                                                                 const std::filesystem::path& key) {
  auto certificate_text = base::read_small_file(certificate, pem_bytes_max);
  if (!certificate_text) return failure_of(certificate_text);
  auto key_text = base::read_private_file(key, pem_bytes_max);
  if (!key_text) return failure_of(key_text);
  gnutls_certificate_credentials_t held = nullptr;
  if (gnutls_certificate_allocate_credentials(&held) != GNUTLS_E_SUCCESS)
    return tl::unexpected(world_error{"there is no memory for TLS", "free some memory of this machine"});
  auto made = std::make_unique<gnutls_credentials>(held);
  const auto datum = [](std::string& text) {
    return gnutls_datum_t{reinterpret_cast<unsigned char*>(text.data()), static_cast<unsigned>(text.size())};
  };
  const auto first = datum(*certificate_text);
  const auto second = datum(*key_text);
  const int done = gnutls_certificate_set_x509_key_mem(held, &first, &second, GNUTLS_X509_FMT_PEM);
  if (done == GNUTLS_E_SUCCESS) return made;
  return tl::unexpected(world_error{fmt::format("{} and {} cannot be used for TLS: {}", base::quoted(certificate),
                                                base::quoted(key), gnutls_strerror(done)),
                                    "check that both are PEM files that belong together", fault_origin::configuration});
}

}  // namespace hypermesh::cli
