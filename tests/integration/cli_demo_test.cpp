// The demonstration of the laboratory, with real processes.
#include <doctest/doctest.h>

#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"

namespace hypermesh::testing::cli_test {

namespace {

process_streams streams_in(const scratch_folder& folder) {
  fs::create_directory(folder / "temporary");
  return {"/dev/null", folder / "out", folder / "err", folder / "temporary", HYPERMESH_LAB};
}

bool nothing_is_left(const scratch_folder& folder) {
  return fs::is_empty(folder / "temporary") && processes_with((folder / "temporary").string()).empty();
}

/// The port of the first page that the demonstration prints; 0 if there is none yet.
std::uint16_t page_port(const std::string& text) {
  const std::string before = "page of replica 0: http://127.0.0.1:";
  const auto at = text.find(before);
  return at == std::string::npos ? std::uint16_t{0}
                                 : static_cast<std::uint16_t>(std::atoi(text.c_str() + at + before.size()));
}

}  // namespace

TEST_CASE("the script causes each fault once, convicts the liar, and all honest states are equal at the end") {
  const scratch_folder folder;
  process demo{{"demo", "--script", "--pause", "0s"}, streams_in(folder)};
  CHECK(demo.wait() == 0);
  const auto steps = text_of(folder / "err");
  INFO(steps);
  for (const auto* step :
       {"page of replica 0: http://127.0.0.1:", "a new primary leads", "is readmitted", "the liar is convicted"}) {
    CHECK(has(steps, step));
  }
  CHECK(has(text_of(folder / "out"), " 0 lost, 0 executed twice"));
  CHECK(has(text_of(folder / "out"), "are equal"));
  CHECK(nothing_is_left(folder));
}

TEST_CASE("an interrupted demonstration leaves nothing behind, and its page was there to see") {
  const scratch_folder folder;
  process demo{{"demo", "--script", "--pause", "30s"}, streams_in(folder)};
  CHECK(eventually([&] { return page_port(text_of(folder / "err")) != 0; }));
  const auto port = page_port(text_of(folder / "err"));
  CHECK(http_test::ask(port, "/").status == 200);
  CHECK(has(http_test::ask(port, "/api/v1/batches").body, "\"commits\":"));
  demo.send(SIGINT);
  CHECK(demo.wait() == 130);
  CHECK(nothing_is_left(folder));
}

}  // namespace hypermesh::testing::cli_test
