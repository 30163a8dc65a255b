#include "tools/hypermesh/bundle/archive.hpp"

#include <doctest/doctest.h>

#include <string>

#include "tools/hypermesh/bundle/http_fetch.hpp"

namespace hypermesh::testing {

using namespace cli;

TEST_CASE("an archive has a header of 512 bytes for each file, and ends with two empty blocks") {
  const auto tar = tar_of({{"a/b.txt", "hello"}, {"c", ""}}, 1);
  CHECK(tar.size() == 512 + 512 + 512 + 1'024);
  CHECK(tar.substr(0, 8) == std::string{"a/b.txt\0", 8});
  CHECK(tar.substr(124, 11) == "00000000005");
  CHECK(tar.substr(257, 5) == "ustar");
  CHECK(tar.substr(512, 5) == "hello");
  CHECK(tar.substr(tar.size() - 1'024) == std::string(1'024, '\0'));
  // The checksum counts its own eight bytes as spaces.
  unsigned sum = 8 * ' ';
  for (std::size_t at = 0; at < 512; ++at)
    sum += at >= 148 && at < 156 ? 0U : static_cast<unsigned char>(tar[at]);
  CHECK(std::stoul(tar.substr(148, 6), nullptr, 8) == sum);
}

TEST_CASE("a foreign name becomes a plain name in the archive") {
  CHECK(archive_name_of("/var/log/node 2.log") == "node_2.log");
  CHECK(archive_name_of("../../etc/passwd") == "passwd");
  CHECK(archive_name_of("..") == "_..");
  CHECK(archive_name_of("a/") == "_");
  CHECK(archive_name_of("") == "_");
  CHECK(archive_name_of(std::string(500, 'x')).size() == 24);
  CHECK(archive_name_of("\x1b[31m\xff") == "__31m_");
}

TEST_CASE("compressed bytes are smaller and begin as gzip does") {
  const auto packed = gzip_of(std::string(100'000, 'a'));
  REQUIRE(packed);
  CHECK(packed->size() < 1'000);
  CHECK(packed->substr(0, 2) == "\x1f\x8b");
  CHECK(gzip_of("").has_value());
}

TEST_CASE("only a whole answer with status 200 has a body") {
  CHECK(body_of("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody") == "body");
  CHECK_FALSE(body_of("HTTP/1.1 401 Unauthorized\r\n\r\nbody"));
  CHECK_FALSE(body_of("HTTP/1.1 200 OK\r\nA: b\r\n"));
  CHECK_FALSE(body_of("SSH-2.0\r\n\r\n"));
  CHECK_FALSE(body_of(""));
  CHECK_FALSE(body_of("HTTP/1.\r\n\r\n"));
}

}  // namespace hypermesh::testing
