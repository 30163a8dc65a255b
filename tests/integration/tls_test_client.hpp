#pragma once

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <ctime>
#include <filesystem>
#include <string>

#include "tests/integration/cli_process.hpp"
#include "tools/hypermesh-lab/resp_client.hpp"

namespace hypermesh::testing {

/// A key and a certificate for "localhost" that it signs itself, valid for an hour. GnuTLS makes both.
class test_certificate {
 public:
  test_certificate() {
    gnutls_x509_privkey_init(&key_);
    gnutls_x509_crt_init(&certificate_);
    const auto bits = gnutls_sec_param_to_pk_bits(GNUTLS_PK_ECDSA, GNUTLS_SEC_PARAM_HIGH);
    gnutls_x509_privkey_generate(key_, GNUTLS_PK_ECDSA, bits, 0);
    constexpr unsigned char serial = 1;
    constexpr std::time_t hour = 3'600;
    const auto now = std::time(nullptr);
    gnutls_x509_crt_set_version(certificate_, 3);
    gnutls_x509_crt_set_serial(certificate_, &serial, sizeof serial);
    gnutls_x509_crt_set_activation_time(certificate_, now - hour);
    gnutls_x509_crt_set_expiration_time(certificate_, now + hour);
    const std::string name = "localhost";
    gnutls_x509_crt_set_dn_by_oid(certificate_, GNUTLS_OID_X520_COMMON_NAME, 0, name.data(),
                                  static_cast<unsigned>(name.size()));
    gnutls_x509_crt_set_subject_alt_name(certificate_, GNUTLS_SAN_DNSNAME, name.data(),
                                         static_cast<unsigned>(name.size()), GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_basic_constraints(certificate_, 1, -1);
    gnutls_x509_crt_set_key(certificate_, key_);
    is_made_ = gnutls_x509_crt_sign2(certificate_, certificate_, key_, GNUTLS_DIG_SHA256, 0) == GNUTLS_E_SUCCESS;
  }
  ~test_certificate() {
    gnutls_x509_crt_deinit(certificate_);
    gnutls_x509_privkey_deinit(key_);
  }
  test_certificate(const test_certificate&) = delete;
  test_certificate& operator=(const test_certificate&) = delete;

  [[nodiscard]] bool is_made() const { return is_made_; }
  [[nodiscard]] gnutls_x509_crt_t get() const { return certificate_; }

  /// Writes the PEM files. Only the owner can read the key.
  void write_to(const std::filesystem::path& certificate, const std::filesystem::path& key) const {
    gnutls_datum_t text{};
    gnutls_x509_crt_export2(certificate_, GNUTLS_X509_FMT_PEM, &text);
    cli_test::write_text(certificate, std::string{reinterpret_cast<const char*>(text.data), text.size});
    gnutls_free(text.data);
    gnutls_x509_privkey_export2(key_, GNUTLS_X509_FMT_PEM, &text);
    cli_test::write_text(key, std::string{reinterpret_cast<const char*>(text.data), text.size});
    gnutls_free(text.data);
    std::filesystem::permissions(key, std::filesystem::perms::owner_read);
  }

 private:
  gnutls_x509_privkey_t key_ = nullptr;
  gnutls_x509_crt_t certificate_ = nullptr;
  bool is_made_ = false;
};

/// A client with TLS that accepts only a server "localhost" with this certificate.
class tls_test_client final : public lab::resp_client {
 public:
  tls_test_client(std::uint16_t port, const test_certificate& trusted, const char* priorities = "NORMAL")
      : lab::resp_client(port) {
    constexpr unsigned handshake_patience_ms = 20'000;
    auto certificate = trusted.get();
    gnutls_certificate_allocate_credentials(&credentials_);
    gnutls_certificate_set_x509_trust(credentials_, &certificate, 1);
    gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_priority_set_direct(session_, priorities, nullptr);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials_);
    gnutls_session_set_verify_cert(session_, "localhost", 0);
    gnutls_transport_set_int(session_, descriptor());
    gnutls_handshake_set_timeout(session_, handshake_patience_ms);
    int done = GNUTLS_E_AGAIN;
    while (done < 0 && gnutls_error_is_fatal(done) == 0)
      done = gnutls_handshake(session_);
    is_secure_ = done == GNUTLS_E_SUCCESS;
    failure_ = fmt::format("{}, certificate status {:#x}", gnutls_strerror(done),
                           gnutls_session_get_verify_cert_status(session_));
  }
  ~tls_test_client() override {
    gnutls_deinit(session_);
    gnutls_certificate_free_credentials(credentials_);
  }

  [[nodiscard]] bool is_secure() const { return is_secure_; }
  /// How the handshake ended.
  [[nodiscard]] const std::string& failure() const { return failure_; }

 private:
  ssize_t write_some(std::string_view bytes) override {
    return is_secure_ ? gnutls_record_send(session_, bytes.data(), bytes.size()) : -1;
  }
  ssize_t read_some(std::span<char> into) override {
    ssize_t got = GNUTLS_E_AGAIN;
    while (is_secure_ && (got == GNUTLS_E_AGAIN || got == GNUTLS_E_INTERRUPTED))
      got = gnutls_record_recv(session_, into.data(), into.size());
    return got;
  }
  [[nodiscard]] bool has_buffered() const override { return gnutls_record_check_pending(session_) > 0; }

  gnutls_certificate_credentials_t credentials_ = nullptr;
  gnutls_session_t session_ = nullptr;
  bool is_secure_ = false;
  std::string failure_;
};

}  // namespace hypermesh::testing
