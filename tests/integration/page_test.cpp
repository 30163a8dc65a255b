// The page of a node as a browser gets it, without a browser.
#include <doctest/doctest.h>

#include <regex>

#include "runtime/http/node_endpoint.hpp"
#include "runtime/http/page_files.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/http_test_client.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::testing::http_test {

namespace {

using namespace hypermesh::http;
using cli_test::eventually;
using cli_test::has;
using cli_test::scratch_folder;

constexpr std::size_t page_bytes_max = std::size_t{300} * 1024;

struct page_bench {
  scratch_folder folder;
  std::shared_ptr<const node_tap> tap = std::make_shared<const node_tap>(replica_id{0}, small_cluster(4), 2, 0, 1);
  std::unique_ptr<node_endpoint> endpoint;

  explicit page_bench(bool has_token) {
    http_settings settings;
    settings.enabled = true;
    settings.listen = {"127.0.0.1", 0};
    if (has_token) {
      settings.token_file = folder.path() / "token";
      const int opened = open(settings.token_file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
      REQUIRE(opened >= 0);
      CHECK(::write(opened, "0123456789abcdef0123\n", 21) == 21);
      close(opened);
    }
    node_questions questions;
    questions.report = [] { return std::optional<node_report>{node_report{}}; };
    questions.reputations = [] { return std::optional{std::vector<reputation>(4)}; };
    questions.works = [] { return or_error<void>{}; };
    questions.health = [] { return health::health_report{}; };
    auto started = node_endpoint::start(settings, replica_id{0}, tap, nullptr, std::move(questions));
    REQUIRE_MESSAGE(started, (started ? "" : started.error().what));
    endpoint = std::move(*started);
  }
  [[nodiscard]] http_answer_text get(const std::string& path, const std::string& headers = "",
                                     const std::string& method = "GET") const {
    return ask(endpoint->port(), path, headers, method);
  }
};

std::string header_in(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

TEST_CASE("each file of the page is served whole, with its type, tag and content-security-policy, and is small") {
  const page_bench bench{true};
  std::size_t bytes = 0;
  for (const auto& file : page_files()) {
    CAPTURE(file.path);
    const auto got = bench.get(std::string{file.path});
    CHECK(got.status == 200);
    CHECK(got.body == file.content);
    CHECK(header_in(got.head, "Content-Type") == file.content_type);
    CHECK(header_in(got.head, "ETag") == file.etag);
    CHECK(header_in(got.head, "Cache-Control") == "no-cache");
    CHECK(header_in(got.head, "X-Content-Type-Options") == "nosniff");
    const auto policy = header_in(got.head, "Content-Security-Policy");
    for (const auto* part : {"default-src 'none'", "script-src 'self';", "style-src 'self';", "connect-src 'self';",
                             "frame-ancestors 'none'", "require-trusted-types-for 'script'"}) {
      CHECK(has(policy, part));
    }
    CHECK_FALSE(has(policy, "unsafe"));
    bytes += got.body.size();
  }
  CHECK(bytes > 20'000);
  CHECK(bytes <= page_bytes_max);
  CHECK(bench.get("/").body.starts_with("<!doctype html>"));
}

TEST_CASE("a browser that has a file gets no second copy, and another tag gets the file") {
  const page_bench bench{false};
  const auto first = bench.get("/page/main.js");
  const auto tag = header_in(first.head, "ETag");
  REQUIRE_FALSE(tag.empty());
  const auto again = bench.get("/page/main.js", "If-None-Match: " + tag + "\r\n");
  CHECK(again.status == 304);
  CHECK(again.body.empty());
  CHECK(bench.get("/page/main.js", "If-None-Match: \"other\"\r\n").status == 200);
  CHECK(bench.get("/", "", "HEAD").status == 200);
  CHECK(bench.get("/page/../main.js").status == 404);
  CHECK(bench.get("/page/").status == 404);
}

TEST_CASE("no file of the page has an inline script, an inline style, markup from text, or a foreign address") {
  const std::regex forbidden{R"(innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\son\w+=)"
                             R"(|javascript:|<style|\sstyle=|@import|url\()"};
  const std::regex address{R"((https?:)?//[a-z0-9.-]+\.[a-z]+)", std::regex::icase};
  for (const auto& file : page_files()) {
    CAPTURE(file.path);
    const std::string text{file.content};
    std::smatch found;
    const bool is_forbidden = std::regex_search(text, found, forbidden);
    CHECK_MESSAGE(!is_forbidden, found.str());
    // The names of the SVG namespace are the only addresses. No browser asks for them.
    for (auto each = std::sregex_iterator(text.begin(), text.end(), address); each != std::sregex_iterator{}; ++each)
      CHECK(each->str() == "http://www.w3.org");
    // A script tag has a source and no content.
    if (!file.content_type.starts_with("text/html")) continue;
    const std::regex script{R"(<script([^>]*)>([^<]*))"};
    for (auto each = std::sregex_iterator(text.begin(), text.end(), script); each != std::sregex_iterator{}; ++each) {
      CHECK(has((*each)[1].str(), "src=\"/page/"));
      CHECK((*each)[2].str().empty());
    }
  }
}

TEST_CASE("the files are open, and the data of the page needs the token") {
  const page_bench bench{true};
  const std::string token = "Authorization: Bearer 0123456789abcdef0123\r\n";
  CHECK(bench.get("/").status == 200);
  for (const auto* path : {"/api/v1/live", "/api/v1/history", "/api/v1/batches", "/api/v1/evidence"}) {
    CAPTURE(path);
    CHECK(bench.get(path).status == 401);
    CHECK(bench.get(path, token, "HEAD").status == 200);
    CHECK(bench.get(path, token, "POST").status == 405);
  }
}

TEST_CASE("an open page gets a snapshot each second and the events, and one page too many is refused") {
  const page_bench bench{false};
  const http_connection page{bench.endpoint->port()};
  REQUIRE(page.send("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  std::string got;
  const auto reads = [&](const std::string& wanted) {
    return eventually([&] {
      got += page.receive();
      return has(got, wanted);
    });
  };
  CHECK(reads("event: snapshot\ndata: {\"replica\":0,"));
  CHECK(has(got, "\"health\":{\"sentence\":"));
  bench.tap->publish(runtime::event_of(runtime::operator_event_kind::health_changed, {}));
  CHECK(reads("event: tape\ndata: {\"time_ms\":"));
  const auto refused = bench.get("/api/v1/live");
  CHECK(refused.status == 503);
  CHECK(has(refused.body, "pages_max"));
  CHECK(has(bench.get("/api/v1/history").body, "health_changed"));
}

}  // namespace hypermesh::testing::http_test
