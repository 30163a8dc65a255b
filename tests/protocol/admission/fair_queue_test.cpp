#include "actors/protocol/admission/fair_queue.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

principal who(std::uint32_t number) { return principal::of(replica_id{number}); }

struct queue_world {
  fair_queue<std::string> queue;

  void push(std::uint32_t sender, const std::string& name, std::size_t bytes = 200) {
    queue.push(who(sender), name, bytes);
  }
  /// The names of the next `count` messages, separated by blanks.
  std::string next(std::size_t count) {
    std::string names;
    for (std::size_t index = 0; index < count; ++index)
      names += (index == 0 ? "" : " ") + queue.pop().value_or("-");
    return names;
  }
};

}  // namespace

TEST_CASE_FIXTURE(queue_world, "the messages of one sender stay in their order") {
  CHECK(next(1) == "-");
  push(1, "a");
  push(1, "b", 100'000);
  push(1, "c");
  CHECK_FALSE(queue.empty());
  CHECK(next(4) == "a b c -");
  CHECK(queue.empty());
}

TEST_CASE_FIXTURE(queue_world, "a sender of many messages delays only itself (attack 33)") {
  for (int count = 0; count < 40'000; ++count)
    push(3, "flood");
  push(1, "one");
  push(2, "two");
  std::size_t before_one = 0;
  std::size_t before_two = 0;
  for (std::string got = *queue.pop(); got != "one"; got = *queue.pop())
    ++before_one;
  for (std::string got = *queue.pop(); got != "two"; got = *queue.pop())
    ++before_two;
  CHECK(before_one <= queue.quantum_bytes / 200);
  CHECK(before_two == 0);
}

TEST_CASE_FIXTURE(queue_world, "a sender of large messages waits for as many bytes of the other senders") {
  push(3, "large", 41'000);
  push(3, "late");
  // Each message has two hundred bytes in all.
  for (int count = 0; count < 1'000; ++count)
    push(1, "small", 200 - queue.item_bytes);
  std::size_t before = 0;
  for (std::string got = *queue.pop(); got != "large"; got = *queue.pop())
    ++before;
  CHECK(before >= 41'000 / 200 - 20);
  CHECK(before <= 41'000 / 200 + 40);
  // The sender has saved no credit for the next time.
  CHECK(next(1) == "late");
  push(3, "again", 41'000);
  CHECK(next(2) != "again again");
}

TEST_CASE_FIXTURE(queue_world, "every message comes out once, whatever the sizes and senders") {
  std::size_t pushed = 0;
  for (std::size_t round = 0; round < 5'000; ++round) {
    const auto sender = static_cast<std::uint32_t>(round * round % 7);
    queue.push(who(sender), std::to_string(sender) + ":" + std::to_string(round), round * 7'919 % 20'000);
    ++pushed;
    if (round % 3 == 0) pushed -= queue.pop().has_value() ? 1 : 0;
  }
  std::map<char, std::size_t> last;
  while (auto next = queue.pop()) {
    const auto round = std::stoul(next->substr(2));
    CHECK(round >= last[next->front()]);
    last[next->front()] = round;
    --pushed;
  }
  CHECK(pushed == 0);
  CHECK(queue.empty());
}
