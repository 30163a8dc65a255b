#include "runtime/http/event_stream.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "runtime/http/connection_watch.hpp"

using namespace hypermesh;
using namespace hypermesh::http;
using std::chrono_literals::operator""s;
using outcome = event_subscription::outcome;

namespace {

/// Reads from a subscription as the HTTP library does.
struct reader {
  std::shared_ptr<event_subscription> from;
  int slept = 0;
  int woken = 0;

  std::pair<outcome, std::string> read(std::size_t size = 4'096) {
    std::string bytes(size, '\0');
    std::size_t count = 0;
    const auto what = from->read(
        bytes.data(), size, count, [this] { ++slept; }, [this] { ++woken; });
    bytes.resize(count);
    return {what, bytes};
  }
};

}  // namespace

TEST_CASE("an event reaches every client once, in order, in pieces of any size") {
  event_stream stream{2};
  reader first{stream.subscribe()};
  reader second{stream.subscribe()};
  CHECK(first.read().second == "retry: 3000\n\n");
  stream.publish("one", "{}");
  stream.publish("two", R"({"n":2})");
  CHECK(first.read().second == "event: one\ndata: {}\n\nevent: two\ndata: {\"n\":2}\n\n");
  std::string pieces;
  while (true) {
    const auto [what, bytes] = second.read(7);
    if (what == outcome::empty) break;
    pieces += bytes;
  }
  CHECK(pieces.ends_with("{\"n\":2}\n\n"));
  CHECK(second.slept == 1);
}

TEST_CASE("a sleeping client is woken once by the next event, and by the end") {
  event_stream stream{1};
  reader client{stream.subscribe()};
  (void)client.read();
  CHECK(client.read().first == outcome::empty);
  stream.publish("one", "{}");
  stream.publish("two", "{}");
  CHECK(client.woken == 1);
  (void)client.read();
  CHECK(client.read().first == outcome::empty);
  stream.stop();
  CHECK(client.woken == 2);
  CHECK(client.read().first == outcome::over);
  CHECK(stream.subscribe() == nullptr);
}

TEST_CASE("a client that does not read is dropped, and its memory is released") {
  event_stream stream{2};
  reader slow{stream.subscribe()};
  reader quick{stream.subscribe()};
  const std::string data(1'000, 'x');
  for (int number = 0; number < 1'000; ++number) {
    stream.publish("event", data);
    CHECK(slow.from->bytes_waiting() <= event_subscription::bytes_max);
    (void)quick.read(1 << 20U);
  }
  CHECK(slow.from->is_over());
  CHECK(slow.from->bytes_waiting() == 0);
  CHECK(slow.read().first == outcome::over);
  CHECK(stream.dropped() == 1);
  CHECK_FALSE(quick.from->is_over());
}

TEST_CASE("there are at most as many clients as allowed, and a closed one makes room") {
  event_stream stream{2};
  const auto first = stream.subscribe();
  const auto second = stream.subscribe();
  CHECK(stream.subscribe() == nullptr);
  stream.unsubscribe(first);
  stream.unsubscribe(first);
  CHECK(stream.clients() == 1);
  CHECK(stream.subscribe() != nullptr);
}

TEST_CASE("no event is lost between the look at an empty queue and the sleep") {
  event_stream stream{1};
  const auto client = stream.subscribe();
  constexpr int events = 20'000;
  std::atomic<bool> wakes = false;
  std::thread publisher{[&] {
    for (int number = 0; number < events; ++number) {
      stream.publish("e", "{}");
      // Waits for the reader from time to time, so that the queue never overflows.
      while (client->bytes_waiting() > event_subscription::bytes_max / 2)
        std::this_thread::yield();
    }
  }};
  int seen = 0;
  std::string text(4'096, '\0');
  while (seen < events) {
    std::size_t count = 0;
    const auto what = client->read(
        text.data(), text.size(), count, [&] { wakes = false; }, [&] { wakes = true; });
    REQUIRE(what != outcome::over);
    for (std::size_t at = 0; at < count; ++at) {
      if (text[at] == 'v') ++seen;  // Of "event:".
    }
    if (what == outcome::empty) {
      while (!wakes && seen < events)
        std::this_thread::yield();
    }
  }
  publisher.join();
  CHECK(seen == events);
}

TEST_CASE("a connection is late once its time has passed, and a stream only when it is over") {
  connection_watch watch{10s};
  const connection_watch::clock::time_point start{};
  const int a = 0;
  const int b = 0;
  watch.note_opened(&a, 11, start);
  watch.note_opened(&b, 12, start);
  const auto events = std::make_shared<event_subscription>();
  watch.note_stream(&b, events);
  std::vector<int> cut;
  const auto note = [&cut](int descriptor) { cut.push_back(descriptor); };
  const auto nobody_left = [](int) { return false; };
  watch.cut_useless(start + 10s, nobody_left, note);
  CHECK(cut.empty());
  watch.cut_useless(start + 11s, nobody_left, note);
  watch.cut_useless(start + 12s, nobody_left, note);
  CHECK(cut == std::vector<int>{11});
  events->end();
  watch.cut_useless(start + 13s, nobody_left, note);
  CHECK(cut == std::vector<int>{11, 12});
  CHECK(watch.late() == 2);
  CHECK_FALSE(watch.note_closed(&a));
  CHECK_FALSE(watch.note_closed(&b));
  CHECK(watch.open() == 0);
}

TEST_CASE("a connection is cut once its client has left, unless its request is whole") {
  connection_watch watch{10s};
  const connection_watch::clock::time_point start{};
  const int left = 0;
  const int asked = 0;
  const int stays = 0;
  watch.note_opened(&left, 11, start);
  watch.note_opened(&asked, 12, start);
  watch.note_opened(&stays, 13, start);
  watch.note_request(&asked);
  std::vector<int> cut;
  for (int round = 0; round < 2; ++round) {
    watch.cut_useless(
        start + 1s, [](int descriptor) { return descriptor != 13; },
        [&cut](int descriptor) { cut.push_back(descriptor); });
  }
  CHECK(cut == std::vector<int>{11});
  CHECK(watch.late() == 0);
  CHECK_FALSE(watch.note_closed(&left));
  CHECK(watch.note_closed(&asked));
  CHECK_FALSE(watch.note_closed(&asked));
}

TEST_CASE("pages and programs have limits of their own and get only what is for them") {
  event_stream stream{1, 1};
  reader program{stream.subscribe()};
  reader page{stream.subscribe(audience::page)};
  CHECK(stream.subscribe(audience::page) == nullptr);
  CHECK(stream.subscribe() == nullptr);
  CHECK(stream.clients() == 1);
  CHECK(stream.clients(audience::page) == 1);
  stream.publish("link_up", "{}");
  stream.publish("snapshot", "{}", audience::page);
  stream.keep_alive();
  CHECK(program.read().second == "retry: 3000\n\nevent: link_up\ndata: {}\n\n: keep-alive\n\n");
  CHECK(page.read().second == "retry: 3000\n\nevent: snapshot\ndata: {}\n\n: keep-alive\n\n");
  stream.unsubscribe(page.from);
  CHECK(stream.clients(audience::page) == 0);
  CHECK(stream.subscribe(audience::page) != nullptr);
}
