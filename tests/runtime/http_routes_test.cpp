#include "runtime/http/routes.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "runtime/events/event_maker.hpp"
#include "runtime/events/log_text.hpp"
#include "runtime/http/event_text.hpp"
#include "runtime/http/node_facts.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::http;
using storage_test::contains;
using storage_test::replace_content;
using storage_test::scratch_folder;

namespace {

const std::string secret = "0123456789abcdef0123";

http_response said(std::string text) {
  http_response out;
  out.body = std::move(text);
  return out;
}

router make_router(bool with_token) {
  std::optional<bearer_token> token;
  if (with_token) token = bearer_token::make(secret).value();
  return router{{{"/open", access::open, [](const auto&) { return said("open"); }},
                 {"/probe", access::open_unless_verbose, [](const auto&) { return said("probe"); }},
                 {"/closed", access::token, [](const auto&) { return said("closed"); }}},
                std::move(token)};
}

http_request get(std::string_view path, std::string_view authorization = {}) {
  return {.method = "GET", .path = path, .is_verbose = false, .host = "127.0.0.1:8400", .authorization = authorization};
}

}  // namespace

TEST_CASE("a route that needs the token is refused without it, and with any other one") {
  const auto tested = make_router(true);
  CHECK(tested.answer(get("/open")).body == "open");
  CHECK(tested.answer(get("/probe")).body == "probe");
  auto verbose = get("/probe");
  verbose.is_verbose = true;
  CHECK(tested.answer(verbose).status == 401);
  for (const auto& wrong :
       {std::string{}, std::string{"Bearer"}, std::string{"Bearer "}, "Basic " + secret, "Bearer " + secret + "4",
        "Bearer " + secret.substr(1), "Bearer  " + secret, "Bearer " + std::string(10'000, 'x'), secret}) {
    CAPTURE(wrong);
    const auto refused = tested.answer(get("/closed", wrong));
    CHECK(refused.status == 401);
    CHECK(refused.header_name == "WWW-Authenticate");
    CHECK(nlohmann::json::parse(refused.body).contains("fix"));
  }
  CHECK(tested.answer(get("/closed", "Bearer " + secret)).body == "closed");
  CHECK(tested.answer(get("/closed", "bEARER " + secret)).body == "closed");
}

TEST_CASE("without a token only requests that name this machine are answered") {
  const auto tested = make_router(false);
  auto asked = get("/closed");
  for (const auto* host :
       {"", "localhost", "LOCALHOST:8400", "127.0.0.1", "LocalHost", "127.1.2.3:1", "[::1]:8400", "[::1]"}) {
    CAPTURE(host);
    asked.host = host;
    CHECK(tested.answer(asked).status == 200);
  }
  for (const auto* host : {"evil.example", "127.0.0.1.evil.example", "10.0.0.1:8400", "[::2]", "[::1", "[::1]evil",
                           "localhost.evil.example", "\xff", ":"}) {
    CAPTURE(host);
    asked.host = host;
    CHECK(tested.answer(asked).status == 421);
  }
  // With a token, any name may reach the port.
  asked.host = "node.example";
  asked.authorization = "Bearer 0123456789abcdef0123";
  CHECK(make_router(true).answer(asked).status == 200);
}

TEST_CASE("other methods and paths are refused with an error that says what to do") {
  const auto tested = make_router(false);
  auto asked = get("/open");
  for (const auto* method : {"POST", "PUT", "DELETE", "get", "", "TRACE", "OPTIONS", "\xff"}) {
    asked.method = method;
    const auto refused = tested.answer(asked);
    CHECK(refused.status == 405);
    CHECK(refused.header_value == "GET, HEAD");
  }
  asked.method = "HEAD";
  CHECK(tested.answer(asked).status == 200);
  for (const auto* path : {"", "/", "/open/", "/open/../closed", "//open", "/OPEN", "/\xff\xfe"}) {
    const auto refused = tested.answer(get(path));
    CHECK(refused.status == 404);
    CHECK(contains(refused.body, "/open /probe /closed"));
  }
}

TEST_CASE("a token is long enough, printable, and in a file that only its owner reads") {
  CHECK_FALSE(bearer_token::make("too-short"));
  CHECK_FALSE(bearer_token::make(std::string(513, 'x')));
  CHECK_FALSE(bearer_token::make("0123456789abcdef 0123"));
  CHECK_FALSE(bearer_token::make("0123456789abcdef\x1b[31m"));
  const scratch_folder folder;
  const auto file = folder.path() / "token";
  CHECK_FALSE(bearer_token::read(file));
  replace_content(file, secret + "\r\n");
  ::chmod(file.c_str(), 0644);
  const auto open = bearer_token::read(file);
  REQUIRE_FALSE(open);
  CHECK(contains(open.error().remedy, "chmod 600"));
  ::chmod(file.c_str(), 0600);
  if (::geteuid() == 0) {
    // Another user could replace the token of this node.
    REQUIRE(::chown(file.c_str(), 12'345, 0) == 0);
    const auto foreign = bearer_token::read(file);
    REQUIRE_FALSE(foreign);
    CHECK(contains(foreign.error().what, "belongs to user 12345"));
    REQUIRE(::chown(file.c_str(), 0, 0) == 0);
  }
  const auto pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_FALSE(bearer_token::read(pipe));
  const auto read = bearer_token::read(file);
  REQUIRE(read);
  CHECK(read->is_shown_by("Bearer " + secret));
  replace_content(file, "short\n");
  const auto wrong = bearer_token::read(file);
  REQUIRE_FALSE(wrong);
  CHECK_FALSE(contains(wrong.error().what, "short\n"));
}

TEST_CASE("an address that other machines reach needs a token") {
  http_settings settings;
  for (const auto* host : {"", "0.0.0.0", "::", "10.0.0.5", "node.example"}) {
    CAPTURE(host);
    settings.listen.host = host;
    CHECK(is_exposed(settings));
    const auto token = token_of(settings);
    REQUIRE_FALSE(token);
    CHECK(contains(token.error().remedy, "token_file"));
  }
  for (const auto* host : {"127.0.0.1", "::1", "localhost"}) {
    settings.listen.host = host;
    CHECK_FALSE(token_of(settings).value());
  }
  const scratch_folder folder;
  settings.token_file = folder.path() / "token";
  settings.listen.host = "10.0.0.5";
  CHECK_FALSE(token_of(settings));
  replace_content(settings.token_file, secret + "\n");
  ::chmod(settings.token_file.c_str(), 0600);
  CHECK(token_of(settings).value());
}

TEST_CASE("the report of the health decides about a probe, and the machine of the node only adds reasons") {
  node_facts facts;
  health_report report;
  const auto answer = [&](std::chrono::milliseconds age = {}) { return answer_of(report, facts, age); };
  CHECK(answer().is_live);
  CHECK(answer().is_ready);
  CHECK_FALSE(answer().is_degraded());
  facts.host.disks[0] = metrics::disk_facts{9, 100};
  facts.reputations = std::vector<reputation>(4);
  facts.reputations->at(3).agreed.awaits_quarantine = true;
  facts.report = node_report{};
  facts.report->high_watermark = sequence_number{256};
  facts.report->stable_checkpoint = sequence_number{257};
  const auto degraded = answer();
  CHECK(degraded.is_ready);
  CHECK(degraded.attention == std::vector<std::string>{"lags", "data_disk_nearly_full", "replica_convicted"});
  CHECK(contains(probe_text(degraded, true, true), "- lags\n- data_disk_nearly_full\n- replica_convicted\n"));
  CHECK(probe_text(degraded, true, false) == "ok\n");
  report.ready = false;
  report.reasons = {{replica_id{1}, replica_condition::on_probation, 512}};
  CHECK(answer().is_live);
  CHECK_FALSE(answer().is_ready);
  const auto text = probe_text(answer(), false, true);
  CHECK(contains(text, "not ok\nnot ready; "));
  CHECK(contains(text, "- on_probation: replica 1 on probation until sequence 512\n"));
  report = {};
  // A sampler that hangs means that an actor or a disk hangs.
  CHECK(answer(sample_age_max).is_live);
  CHECK_FALSE(answer(sample_age_max + std::chrono::milliseconds{1}).is_live);
  CHECK(answer(std::chrono::hours{1}).attention[0] == "no_answer");
}

TEST_CASE("the status is JSON even if a text is not UTF-8") {
  node_facts facts;
  facts.works = tl::unexpected(world_error{"bad \xff bytes", "fix \x1b it"});
  health_report report;
  report.live = false;
  report.reasons = {{replica_id{2}, replica_condition::failed, 0, "bad \xff bytes"}};
  const auto answer = answer_of(report, facts, {});
  const auto told = nlohmann::json::parse(status_json(replica_id{2}, facts, answer, std::chrono::milliseconds{5}));
  CHECK(told["replica"] == 2);
  CHECK(told["health"]["live"] == false);
  CHECK(told["health"]["reasons"][0]["condition"] == "failed");
  CHECK(told["node"].is_null());
  CHECK(told["failure"]["fix"] == "fix \x1b it");
}

TEST_CASE("an event about the health changes with a reason, and not with its number") {
  health_report report;
  const auto data = [&] { return runtime::json_of_fields(event_of(answer_of(report, {}, {}))); };
  const auto well = data();
  report.reasons = {{replica_id{3}, replica_condition::silent, 2'500}};
  const auto silent = data();
  CHECK(silent != well);
  CHECK(contains(silent, R"("reasons":["replica_3_silent"])"));
  report.reasons[0].number = 3'500;
  CHECK(data() == silent);
}

TEST_CASE("an event is one line of JSON with the name and the fields of the table") {
  using runtime::operator_event_kind;
  const auto stable = runtime::event_of(operator_event_kind::checkpoint_lag_ended, {{"stable", std::uint64_t{3}}});
  const auto told = streamed(stable);
  REQUIRE(told);
  CHECK(told->name == "checkpoint_lag_ended");
  CHECK(told->data == R"({"stable":3})");
  const auto failed = streamed(runtime::event_of(operator_event_kind::node_failed,
                                                 {{"error", std::string{"two\nlines"}}, {"fix", std::string{"\xff"}}}));
  REQUIRE(failed);
  CHECK(failed->data.find('\n') == std::string::npos);
  CHECK(nlohmann::json::parse(failed->data)["error"] == "two\\nlines");
  auto now = answer_of({}, {}, {});
  CHECK(event_of(now).level == runtime::event_level::info);
  now.is_ready = false;
  now.attention = {"data_disk_nearly_full"};
  CHECK(event_of(now).level == runtime::event_level::warn);
  CHECK(contains(streamed(event_of(now))->data, R"("attention":["data_disk_nearly_full"])"));
}

TEST_CASE("events that strangers or clients cause are not streamed, those of replicas are") {
  runtime::link_events links;
  links::link_event link;
  link.remote = principal::of(client_id{1});
  CHECK_FALSE(streamed(*links.of(link)));
  link.remote = principal::of(replica_id{1});
  CHECK(streamed(*links.of(link))->name == "link_up");
  link.happened = links::link_event::what::refused;
  CHECK_FALSE(streamed(*links.of(link)));
}
