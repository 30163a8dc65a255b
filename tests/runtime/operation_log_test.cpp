#include "runtime/feed/operation_log.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/request_factory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::feed;

namespace {

/// The batch of `sequence`: one request with these operations, each answered with itself in brackets.
batch_was_executed executed(std::uint64_t sequence, const std::vector<std::string>& operations) {
  static const request_factory factory{small_cluster(4)};
  batch_was_executed done;
  done.sequence = sequence_number{sequence};
  done.ordered_time = wall_time{std::chrono::seconds{sequence}};
  auto requests = std::make_shared<std::vector<executed_request>>();
  std::vector<request> content;
  if (!operations.empty()) {
    content.push_back(factory.request_of(client_id{1}, timestamp{sequence}, operations));
    requests->push_back({content.back().id, true});
    request_outcome outcome;
    for (const auto& each : operations)
      outcome.append(0, as_byte_span("<" + each + ">"));
    done.outcomes.push_back(std::make_shared<const request_outcome>(std::move(outcome)));
  }
  done.requests = requests;
  done.body = request_factory::batch_of(std::move(content));
  return done;
}

/// A page as text: "3:a=<a>" for an operation of sequence 3, "gap 1-2" for a gap.
std::vector<std::string> texts(const operation_page& page) {
  std::vector<std::string> all;
  for (const auto& item : page.items) {
    if (const auto* gap = std::get_if<operation_gap>(&item)) {
      all.push_back("gap " + std::to_string(gap->first.value) + "-" + std::to_string(gap->last.value));
      continue;
    }
    const auto& done = std::get<committed_operation>(item);
    // `executed` gives each batch its sequence in seconds as ordered time.
    CHECK(done.at.ordered_time == wall_time{std::chrono::seconds{done.at.sequence.value}});
    all.push_back(std::to_string(done.at.sequence.value) + ":" + std::string{as_text(done.operation)} + "=" +
                  std::string{as_text(done.result.payload)});
  }
  return all;
}

constexpr operation_position start{sequence_number{1}, 0};

}  // namespace

TEST_CASE("a reader gets the operations in their order and finds nothing at the end") {
  operation_log log;
  log.on_executed(executed(1, {"a", "b"}));
  log.on_executed(executed(2, {}));
  log.on_executed(executed(3, {"c"}));
  const auto page = log.read(start);
  CHECK(texts(page) == std::vector<std::string>{"1:a=<a>", "1:b=<b>", "3:c=<c>"});
  CHECK(page.next == operation_position{sequence_number{4}, 0});
  CHECK(log.read(page.next).items.empty());
  CHECK(log.end() == page.next);
  const auto& second = std::get<committed_operation>(page.items[1]);
  CHECK(second.at.client == client_id{1});
  CHECK(second.at.when == timestamp{1});
  CHECK(second.at.index == 1);
}

TEST_CASE("pages of any size give each operation once") {
  operation_log log;
  log.on_executed(executed(1, {"a", "b", "c"}));
  log.on_executed(executed(2, {"d", "e"}));
  const auto whole = texts(log.read(start));
  for (const auto limits : {page_limits{1, 1'000}, page_limits{2, 1'000}, page_limits{64, 1}, page_limits{64, 9}}) {
    std::vector<std::string> all;
    auto from = start;
    for (int pages = 0; pages < 10; ++pages) {
      const auto page = log.read(from, limits);
      CHECK(page.items.size() <= limits.items_max);
      const auto more = texts(page);
      all.insert(all.end(), more.begin(), more.end());
      from = page.next;
    }
    CHECK(all == whole);
  }
}

TEST_CASE("a page begins at any operation, also after requests that changed nothing") {
  operation_log log;
  auto done = executed(1, {"a", "b"});
  // The batch has three requests: "a" and "b", a repeated one, and "c" and "d".
  const auto repeated = executed(1, {"x"});
  const auto last = executed(1, {"c", "d"});
  auto requests = *done.requests;
  requests.push_back({repeated.body->requests.front().id, false});
  requests.push_back(last.requests->front());
  done.requests = std::make_shared<const std::vector<executed_request>>(requests);
  done.outcomes.push_back(repeated.outcomes.front());
  done.outcomes.push_back(last.outcomes.front());
  done.body = request_factory::batch_of(
      {done.body->requests.front(), repeated.body->requests.front(), last.body->requests.front()});
  log.on_executed(done);
  const std::vector<std::string> whole{"1:a=<a>", "1:b=<b>", "1:c=<c>", "1:d=<d>"};
  for (std::uint32_t offset = 0; offset <= whole.size() + 1; ++offset) {
    const auto begin = whole.begin() + std::min<std::ptrdiff_t>(offset, std::ssize(whole));
    CHECK(texts(log.read({sequence_number{1}, offset})) == std::vector<std::string>{begin, whole.end()});
  }
  const auto page = log.read({sequence_number{1}, 3});
  CHECK(std::get<committed_operation>(page.items.front()).at.index == 1);
}

TEST_CASE("evidence in a batch does not stay in memory for subscribers who cannot read it") {
  const request_factory factory{small_cluster(4)};
  auto shown = std::make_shared<const evidence>();
  const std::weak_ptr<const evidence> kept = shown;
  auto done = executed(1, {"a"});
  done.body = request_factory::batch_of(done.body->requests, {system_request{case_name{7}, std::move(shown), {}}});
  operation_log log;
  log.on_executed(done);
  done.body = nullptr;
  CHECK(kept.expired());
  CHECK(texts(log.read(start)) == std::vector<std::string>{"1:a=<a>"});
}

TEST_CASE("the bound counts what a batch takes decoded, not only its bytes") {
  // 1,000 requests of one byte each have some 100 bytes of frame and twice as much beside it.
  constexpr std::size_t requests = 1'000;
  operation_log log{2 * requests * sizeof(request)};
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence) {
    batch_was_executed done = executed(sequence, {"a"});
    const auto one = done.body->requests.front();
    done.body = request_factory::batch_of(std::vector<request>(requests, one));
    done.requests = std::make_shared<const std::vector<executed_request>>(requests, done.requests->front());
    done.outcomes.assign(requests, done.outcomes.front());
    log.on_executed(done);
  }
  const auto page = log.read(start, {1, 1});
  REQUIRE(page.items.size() == 1);
  const auto* gap = std::get_if<operation_gap>(&page.items.front());
  REQUIRE(gap != nullptr);
  CHECK(gap->last == sequence_number{3});
}

TEST_CASE("a reader that is too slow gets a gap with its bounds") {
  operation_log log{1'500};
  for (std::uint64_t sequence = 1; sequence <= 20; ++sequence)
    log.on_executed(executed(sequence, {"x"}));
  const auto page = log.read(start);
  REQUIRE(page.items.size() > 1);
  const auto* gap = std::get_if<operation_gap>(&page.items.front());
  REQUIRE(gap != nullptr);
  CHECK(gap->first == sequence_number{1});
  CHECK(gap->last.value < 20);
  const auto& next = std::get<committed_operation>(page.items[1]);
  CHECK(next.at.sequence == gap->last.next());
  // The bound is kept: at 256 bytes and more for each batch, only few remain.
  CHECK(page.items.size() <= 6);
  CHECK(page.next.sequence == sequence_number{21});
}

TEST_CASE("sequences that this node did not execute are a gap") {
  operation_log log;
  log.on_passed(sequence_number{5});
  CHECK(texts(log.read(start)) == std::vector<std::string>{"gap 1-5"});
  log.on_executed(executed(6, {"a"}));
  log.on_passed(sequence_number{9});
  log.on_executed(executed(10, {"b"}));
  CHECK(texts(log.read(start)) == std::vector<std::string>{"gap 1-5", "6:a=<a>", "gap 7-9", "10:b=<b>"});
  CHECK(texts(log.read({sequence_number{8}, 0})) == std::vector<std::string>{"gap 8-9", "10:b=<b>"});
}

TEST_CASE("batches that are executed again after a repair are not repeated") {
  operation_log log;
  for (std::uint64_t sequence = 1; sequence <= 4; ++sequence)
    log.on_executed(executed(sequence, {"first"}));
  log.on_passed(sequence_number{2});
  log.on_executed(executed(3, {"second"}));
  log.on_executed(executed(4, {"second"}));
  log.on_executed(executed(5, {"third"}));
  CHECK(texts(log.read({sequence_number{3}, 0})) ==
        std::vector<std::string>{"3:first=<first>", "4:first=<first>", "5:third=<third>"});
}

TEST_CASE("requests that changed nothing are no operations") {
  operation_log log;
  auto repeated = executed(1, {"a"});
  auto requests = *repeated.requests;
  requests.front().first_time = false;
  repeated.requests = std::make_shared<const std::vector<executed_request>>(requests);
  log.on_executed(repeated);
  auto refused = executed(2, {"b"});
  refused.outcomes.front() = nullptr;
  log.on_executed(refused);
  const auto page = log.read(start);
  CHECK(page.items.empty());
  CHECK(page.next.sequence == sequence_number{3});
}

TEST_CASE("a place in the future has nothing yet") {
  operation_log log;
  log.on_executed(executed(1, {"a"}));
  const operation_position future{sequence_number{100}, 3};
  CHECK(log.read(future).items.empty());
  CHECK(log.read(future).next == future);
}
