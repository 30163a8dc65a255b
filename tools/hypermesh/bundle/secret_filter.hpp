#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "messages/types.hpp"

/// Keeps keys and tokens out of a text that leaves the machine.
namespace hypermesh::cli {

/// Removes secrets from texts. It removes
///
/// 1. every secret that was added, as it is, in a string of JSON or TOML, in hexadecimal and in base64;
/// 2. 64 hexadecimal digits that are the secret key of a member, which the public keys of the genesis show;
/// 3. PEM blocks of private keys, and the content of key files of this product;
/// 4. values whose name says that they are secret, such as `token = "…"` or `Authorization: Bearer …`.
///
/// Memory: the added secrets, in some forms each. They are wiped by nobody, so a process that uses a filter ends soon.
class secret_filter {
 public:
  /// Adds the lines of a secret file: a key file, a token, a PEM file. Lines of fewer than `secret_bytes_min` bytes and
  /// the titles of the formats are no secrets.
  void add_content(std::string_view content);
  /// Adds the content of a file if this process can read it. Returns whether it could.
  bool add_file(const std::filesystem::path& file);
  /// Adds the public keys of the members, by which their secret keys are recognized.
  void add_members(const std::vector<public_key>& members);

  /// The text without secrets. Where one was, the text says "[left out]".
  [[nodiscard]] std::string clean(std::string_view text) const;

  /// Whether an added secret is in the text, in any of its forms.
  [[nodiscard]] bool has_secret(std::string_view text) const;

 private:
  void add_forms(std::string_view secret);
  [[nodiscard]] bool is_member_seed(std::string_view digits) const;

  /// All forms of the added secrets, the longest first, so that no part of one remains.
  struct longest_first {
    bool operator()(const std::string& left, const std::string& right) const {
      return left.size() != right.size() ? left.size() > right.size() : left < right;
    }
  };
  std::set<std::string, longest_first> forms_;
  std::vector<public_key> members_;
};

/// A shorter text is no secret, because it could be a part of many words.
inline constexpr std::size_t secret_bytes_min = 8;
inline constexpr std::string_view left_out_text = "[left out]";

}  // namespace hypermesh::cli
