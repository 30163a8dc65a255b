#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/links/dialing.hpp"
#include "runtime/links/inbound_window.hpp"

using namespace hypermesh::links;

TEST_CASE("a window is exceeded by delivered frames and reopens when half of them are handled") {
  int reopened = 0;
  const auto window = std::make_shared<inbound_window>(10'000, [&reopened] { ++reopened; });
  std::vector<std::shared_ptr<void>> credit;
  while (!window->exceeded())
    credit.push_back(window->take(1'000));
  CHECK(window->outstanding_bytes() == credit.size() * (1'000 + inbound_window::frame_overhead_bytes));
  CHECK(window->must_halt());
  while (window->outstanding_bytes() > 5'000) {
    CHECK(reopened == 0);
    credit.pop_back();
  }
  CHECK(reopened == 1);
  credit.clear();
  CHECK(reopened == 1);
  CHECK(window->outstanding_bytes() == 0);
}

TEST_CASE("empty frames count too, so that many of them exceed the window") {
  const auto window = std::make_shared<inbound_window>(10'000, [] {});
  std::vector<std::shared_ptr<void>> credit;
  for (int count = 0; count < 50; ++count)
    credit.push_back(window->take(1));
  CHECK(window->exceeded());
}

TEST_CASE("credit that returns before the pause leaves the link reading") {
  int reopened = 0;
  const auto window = std::make_shared<inbound_window>(1'000, [&reopened] { ++reopened; });
  auto credit = window->take(2'000);
  REQUIRE(window->exceeded());
  credit.reset();
  CHECK_FALSE(window->must_halt());
  CHECK(reopened == 0);
}

TEST_CASE("credit may outlive its window's owner") {
  std::shared_ptr<void> credit;
  {
    const auto window = std::make_shared<inbound_window>(1'000, [] {});
    credit = window->take(10);
  }
  credit.reset();
  CHECK(credit == nullptr);
}

TEST_CASE("no wake-up is lost when credit returns from another thread during the pause") {
  std::atomic<int> wake_ups{0};
  const auto window = std::make_shared<inbound_window>(1'000, [&wake_ups] { ++wake_ups; });
  std::atomic<std::shared_ptr<void>*> handed_over{nullptr};
  std::atomic<bool> done{false};
  std::thread releaser{[&] {
    while (!done.load()) {
      if (auto* const credit = handed_over.exchange(nullptr)) {
        delete credit;
      } else {
        std::this_thread::yield();
      }
    }
  }};
  int halts = 0;
  for (int round = 0; round < 5'000; ++round) {
    handed_over.store(new std::shared_ptr<void>{window->take(2'000)});
    if (window->exceeded() && window->must_halt()) {
      ++halts;
      // If a wake-up were lost, this loop and the test would never end.
      while (wake_ups.load() < halts)
        std::this_thread::yield();
    }
    while (handed_over.load() != nullptr)
      std::this_thread::yield();
    while (window->outstanding_bytes() != 0)
      std::this_thread::yield();
  }
  done.store(true);
  releaser.join();
  CHECK(wake_ups.load() == halts);
}

TEST_CASE("the delay before the next dial doubles up to its bound and is randomised") {
  using std::chrono::milliseconds;
  redial_backoff backoff{milliseconds{50}, milliseconds{400}};
  CHECK(backoff.next(0) == milliseconds{50});
  CHECK(backoff.next(0) == milliseconds{100});
  CHECK(backoff.next(7) == milliseconds{207});
  CHECK(backoff.next(0) == milliseconds{400});
  for (std::uint32_t random = 0; random < 1'000; ++random) {
    const auto delay = backoff.next(random);
    CHECK((delay >= milliseconds{400} && delay <= milliseconds{600}));
  }
  backoff.reset();
  CHECK(backoff.next(0) == milliseconds{50});
}

TEST_CASE("numeric addresses are distinguished from names") {
  CHECK(parse_address("127.0.0.1", 80).has_value());
  CHECK(parse_address("::1", 80).has_value());
  CHECK_FALSE(parse_address("replica.example", 80).has_value());
}
