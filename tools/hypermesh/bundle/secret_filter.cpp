#include "tools/hypermesh/bundle/secret_filter.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>

#include "runtime/base/durable_file.hpp"
#include "runtime/base/keys.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::size_t seed_digits = 64;
/// The longest secret file that is read: a certificate key or a token is shorter.
constexpr std::uintmax_t secret_file_bytes_max = 64 * 1024;

bool is_hex(char letter) { return std::isxdigit(static_cast<unsigned char>(letter)) != 0; }

char lower(char letter) { return static_cast<char>(std::tolower(static_cast<unsigned char>(letter))); }

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](char each) { return lower(each); });
  return out;
}

std::string upper(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(),
                         [](char each) { return static_cast<char>(std::toupper(static_cast<unsigned char>(each))); });
  return out;
}

std::string trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  const auto begin = text.find_first_not_of(blanks);
  if (begin == std::string_view::npos) return {};
  return std::string{text.substr(begin, text.find_last_not_of(blanks) + 1 - begin)};
}

std::string hex_of(std::string_view bytes) {
  return to_hex(byte_span{reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
}

std::string base64_of(std::string_view bytes, int variant) {
  std::string out(sodium_base64_encoded_len(bytes.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                    variant);
  out.resize(out.size() - 1);
  return out;
}

/// The text as it is inside of a string of JSON or TOML.
std::string escaped(std::string_view text) {
  std::string out;
  for (const auto letter : text) {
    if (letter == '"' || letter == '\\') out += '\\';
    out += letter;
  }
  return out;
}

/// The bytes of hexadecimal digits; nothing if the text has other characters.
std::optional<std::string> bytes_of_hex(std::string_view digits) {
  if (digits.size() % 2 != 0 || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
  std::string out(digits.size() / 2, '\0');
  std::size_t size = 0;
  if (sodium_hex2bin(reinterpret_cast<unsigned char*>(out.data()), out.size(), digits.data(), digits.size(), nullptr,
                     &size, nullptr) != 0) {
    return std::nullopt;
  }
  return out;
}

/// Lines that are in every file of a format.
bool is_title(std::string_view line) {
  return line.starts_with("-----") || line == "ed25519" || line.starts_with("hypermesh secret key");
}

void replace_all(std::string& text, const std::string& what) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + left_out_text.size()))
    text.replace(at, what.size(), left_out_text);
}

/// The position behind the end of the line.
std::size_t next_line(std::string_view text, std::size_t at) {
  const auto end = text.find('\n', at);
  return end == std::string_view::npos ? text.size() : end + 1;
}

/// Removes PEM blocks of private keys. A block without an end reaches to the end of the text.
void remove_pem_blocks(std::string& text) {
  constexpr std::string_view mark = "PRIVATE KEY-----";
  for (auto at = text.find("-----BEGIN "); at != std::string::npos; at = text.find("-----BEGIN ", at + 1)) {
    const auto line_end = next_line(text, at);
    if (text.substr(at, line_end - at).find(mark) == std::string::npos) continue;
    const auto last = text.find("-----END ", at);
    const auto end = last == std::string::npos ? text.size() : next_line(text, last);
    text.replace(at, end - at, std::string{left_out_text} + "\n");
  }
}

/// The words that make the name of a value secret. A path or a count with such a name is left out too.
constexpr std::array<std::string_view, 8> secret_words = {"secret", "token",   "passw",       "seed",
                                                          "bearer", "api_key", "private_key", "credential"};

/// Whether a text before ':' or '=' names a secret.
bool names_secret(std::string_view before) {
  constexpr std::size_t name_bytes_max = 64;
  const auto name = lower(before.substr(before.size() - std::min(before.size(), name_bytes_max)));
  // The name is the last word before the sign: in "a token_file = x" it is "token_file".
  const auto end = name.find_last_not_of(" \t\"'");
  if (end == std::string::npos) return false;
  const auto begin = name.find_last_of(" \t\"',;&?{[(", end);
  const auto start = begin == std::string::npos ? 0 : begin + 1;
  const auto word = name.substr(start, end + 1 - start);
  return std::ranges::any_of(secret_words, [&word](auto each) { return word.find(each) != std::string::npos; });
}

/// Whether a text begins with an error text of the system, as in "secret.key: No such file or directory". No secret
/// does.
bool is_error_text(std::string_view text) {
  constexpr int last_error = 133;
  for (int error = 1; error <= last_error; ++error) {
    const std::string_view words{std::strerror(error)};
    if (words.find(' ') != std::string_view::npos && text.starts_with(words)) return true;
  }
  return false;
}

/// Where the value that begins at `at` ends: at its quote, or at the next blank or comma.
std::size_t value_end(std::string_view line, std::size_t at) {
  // Another rule has removed the value already.
  if (line.substr(at).starts_with(left_out_text)) return at + left_out_text.size();
  if (at < line.size() && (line[at] == '"' || line[at] == '\'')) {
    const auto quote = line.find(line[at], at + 1);
    return quote == std::string_view::npos ? line.size() : quote + 1;
  }
  return std::min(line.find_first_of(" \t,;&}", at), line.size());
}

/// Removes the values of secret names from one line.
std::string clean_line(std::string_view line) {
  std::string out;
  std::size_t at = 0;
  while (at < line.size()) {
    const auto sign = line.find_first_of(":=", at);
    const auto bearer = lower(line.substr(at)).find("bearer ");
    if (bearer != std::string::npos && (sign == std::string_view::npos || at + bearer < sign)) {
      const auto value = at + bearer + 7;
      out += std::string{line.substr(at, value - at)} + std::string{left_out_text};
      at = value_end(line, value);
      continue;
    }
    if (sign == std::string_view::npos) break;
    const bool is_secret = names_secret(line.substr(0, sign));
    auto value = line.find_first_not_of(" \t", sign + 1);
    if (value == std::string_view::npos) value = line.size();
    out += line.substr(at, value - at);
    at = value;
    if (!is_secret || value == line.size() || is_error_text(line.substr(value))) continue;
    const bool is_quoted = line[value] == '"' || line[value] == '\'';
    const auto quote = is_quoted ? std::string(1, line[value]) : std::string{};
    out += quote + std::string{left_out_text} + quote;
    at = value_end(line, value);
  }
  return out + std::string{line.substr(std::min(at, line.size()))};
}

}  // namespace

void secret_filter::add_forms(std::string_view secret) {
  if (secret.size() < secret_bytes_min) return;
  forms_.emplace(secret);
  forms_.insert(escaped(secret));
  forms_.insert(hex_of(secret));
  forms_.insert(upper(hex_of(secret)));
  for (const auto variant : {sodium_base64_VARIANT_ORIGINAL_NO_PADDING, sodium_base64_VARIANT_URLSAFE_NO_PADDING})
    forms_.insert(base64_of(secret, variant));
}

void secret_filter::add_content(std::string_view content) {
  initialise_crypto();
  while (!content.empty()) {
    const auto end = std::min(content.find('\n'), content.size());
    const auto line = trimmed(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
    if (line.size() < secret_bytes_min || is_title(line)) continue;
    add_forms(line);
    if (const auto bytes = bytes_of_hex(line)) {
      forms_.insert(lower(line));
      forms_.insert(upper(line));
      add_forms(*bytes);
    }
  }
}

bool secret_filter::add_file(const std::filesystem::path& file) {
  const auto content = read_small_file(file, secret_file_bytes_max);
  if (!content) return false;
  add_content(*content);
  return true;
}

void secret_filter::add_members(const std::vector<public_key>& members) {
  initialise_crypto();
  members_.insert(members_.end(), members.begin(), members.end());
  std::ranges::sort(members_);
}

bool secret_filter::is_member_seed(std::string_view digits) const {
  const auto seed = bytes_of_hex(digits);
  if (!seed) return false;
  const auto key = secret_key::from_seed(byte_span{reinterpret_cast<const std::byte*>(seed->data()), seed->size()});
  return std::ranges::binary_search(members_, key.public_half());
}

std::string secret_filter::clean(std::string_view text) const {
  std::string out{text};
  for (const auto& each : forms_)
    replace_all(out, each);
  remove_pem_blocks(out);
  if (!members_.empty()) {
    std::size_t run = 0;
    for (std::size_t at = 0; at <= out.size(); ++at) {
      if (at < out.size() && is_hex(out[at])) {
        ++run;
        continue;
      }
      if (run == seed_digits && is_member_seed(std::string_view{out}.substr(at - run, run))) {
        out.replace(at - run, run, left_out_text);
        at = at - run + left_out_text.size();
      }
      run = 0;
    }
  }
  std::string lines;
  for (std::size_t at = 0; at < out.size();) {
    const auto end = next_line(out, at);
    const bool has_break = out[end - 1] == '\n';
    lines += clean_line(std::string_view{out}.substr(at, end - at - (has_break ? 1 : 0)));
    if (has_break) lines += '\n';
    at = end;
  }
  return lines;
}

bool secret_filter::has_secret(std::string_view text) const {
  return std::ranges::any_of(forms_, [text](const auto& each) { return text.find(each) != std::string_view::npos; });
}

}  // namespace hypermesh::cli
