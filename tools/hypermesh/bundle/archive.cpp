#include "tools/hypermesh/bundle/archive.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include <fmt/format.h>
#include <zlib.h>

#include "messages/require.hpp"

namespace hypermesh::cli {

namespace {

constexpr std::size_t block_bytes = 512;

/// The places in the header of a file.
constexpr std::size_t mode_at = 100;
constexpr std::size_t user_at = 108;
constexpr std::size_t group_at = 116;
constexpr std::size_t size_at = 124;
constexpr std::size_t time_at = 136;
constexpr std::size_t checksum_at = 148;
constexpr std::size_t type_at = 156;
constexpr std::size_t magic_at = 257;
/// Eleven octal digits.
constexpr std::uint64_t number_max = (std::uint64_t{1} << 33U) - 1;

bool is_plain(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
         letter == '.' || letter == '_' || letter == '-';
}

std::string header_of(const archive_entry& entry, std::uint64_t time_s) {
  std::string header(block_bytes, '\0');
  const auto put = [&header](std::size_t at, std::string_view text) { header.replace(at, text.size(), text); };
  put(0, entry.name);
  put(mode_at, "0000600");
  put(user_at, "0000000");
  put(group_at, "0000000");
  put(size_at, fmt::format("{:011o}", entry.content.size()));
  put(time_at, fmt::format("{:011o}", std::min(time_s, number_max)));
  put(type_at, "0");
  put(magic_at, std::string_view{"ustar\00000", 8});
  // The sum counts its own field as spaces.
  put(checksum_at, "        ");
  std::uint32_t sum = 0;
  for (const auto each : header)
    sum += static_cast<unsigned char>(each);
  put(checksum_at, fmt::format("{:06o}", sum));
  header[checksum_at + 6] = '\0';
  return header;
}

}  // namespace

std::string archive_name_of(std::string_view text) {
  constexpr std::size_t bytes_max = 24;
  if (const auto slash = text.rfind('/'); slash != std::string_view::npos) text.remove_prefix(slash + 1);
  std::string name{text.substr(0, bytes_max)};
  std::ranges::replace_if(
      name, [](char letter) { return !is_plain(letter); }, '_');
  return name.empty() || name.front() == '.' ? "_" + name : name;
}

std::string tar_of(const std::vector<archive_entry>& entries, std::uint64_t time_s) {
  std::string out;
  for (const auto& each : entries) {
    require(!each.name.empty() && each.name.size() < archive_name_bytes_max, "a name fits into its field");
    require(std::ranges::all_of(each.name, [](char letter) { return is_plain(letter) || letter == '/'; }) &&
                each.name.front() != '/',
            "a name is a plain relative path");
    require(each.content.size() <= number_max, "a size fits into its field");
    out += header_of(each, time_s);
    out += each.content;
    out.append((block_bytes - each.content.size() % block_bytes) % block_bytes, '\0');
  }
  return out.append(2 * block_bytes, '\0');
}

or_reason<std::string> gzip_of(std::string_view bytes) {
  constexpr int gzip_window_bits = 15 + 16;
  constexpr int memory_level = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return invalid("there is no memory for the compression");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  // zlib does not write through this pointer; its type is from the time before const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const auto done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) return invalid("the compression failed");
  return out;
}

}  // namespace hypermesh::cli
