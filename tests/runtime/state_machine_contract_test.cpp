#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "messages/limits.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tests/support/counting_machine.hpp"
#include "tools/hypermesh/traces/splitmix64.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

/// A minimal machine such as a host may bring: one number, and the operation "add N".
class host_machine final : public state_machine {
 public:
  [[nodiscard]] std::string_view name() const override { return "sum"; }
  operation_result apply(const operation_context&, byte_span operation) override {
    const std::string text{as_text(operation)};
    if (text == "read") return query(operation);
    if (text.size() != 5 || !text.starts_with("add ") || text[4] < '0' || text[4] > '9')
      return {operation_status::malformed, to_byte_vector("write add N or read")};
    sum_ += static_cast<std::uint64_t>(text[4] - '0');
    return {operation_status::applied, to_byte_vector(std::to_string(sum_))};
  }
  [[nodiscard]] operation_result query(byte_span operation) const override {
    if (as_text(operation) == "read") return {operation_status::applied, to_byte_vector(std::to_string(sum_))};
    return {operation_status::refused, to_byte_vector("only read")};
  }
  [[nodiscard]] state_snapshot snapshot() override {
    if (held_.bytes == nullptr || held_sum_ != sum_) {
      auto bytes = std::make_shared<const byte_vector>(to_byte_vector(std::to_string(sum_)));
      held_ = {bytes, state_chunk_digest(*bytes)};
      held_sum_ = sum_;
    }
    return {held_};
  }
  [[nodiscard]] or_reason<void> restore(const state_snapshot& snapshot) override {
    if (snapshot.size() != 1) return invalid("a sum is one chunk");
    const std::string text{as_text(*snapshot.front().bytes)};
    if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos)
      return invalid("a sum is a number");
    sum_ = std::stoull(text);
    return {};
  }
  [[nodiscard]] digest root() override { return state_root(snapshot()); }

 private:
  std::uint64_t sum_ = 0;
  std::uint64_t held_sum_ = 0;
  state_chunk held_;
};

struct contract_subject {
  std::string name;
  std::function<std::unique_ptr<state_machine>()> make;
  /// Draws an operation that the machine understands.
  std::function<byte_vector(splitmix64&)> draw;
  /// Draws an operation that only reads.
  std::function<byte_vector(splitmix64&)> draw_read;
};

byte_vector words_of(const std::string& machine, const std::string& text) {
  std::istringstream in{text};
  std::vector<std::string> words;
  for (std::string word; in >> word;)
    words.push_back(word);
  auto parsed = parse_operation(machine, words);
  REQUIRE_MESSAGE(parsed.has_value(), text);
  return *parsed;
}

/// The operations of the shipped machines, by name. K and N stand for small numbers.
struct vocabulary {
  std::vector<std::string> writes;
  std::vector<std::string> reads;
};

vocabulary redis_vocabulary() {
  return {{"set sK N",
           "set sK vN px N000",
           "append sK N",
           "incr sK",
           "incrbyfloat sK 0.N",
           "getdel sK",
           "del aK sK",
           "expire aK N",
           "rename aK aN",
           "copy aK bN replace",
           "lpush lK N K",
           "rpush lK N",
           "lpop lK",
           "linsert lK before N x",
           "lrem lK 0 N",
           "ltrim lK 0 N",
           "lmove lK lN left right",
           "sadd tK N K",
           "srem tK N",
           "spop tK",
           "smove tK tN N",
           "sunionstore aN tK tN",
           "hset hK fN K",
           "hincrby hK fN K",
           "hdel hK fN",
           "zadd zK N mN K mK",
           "zincrby zK 0.N mK",
           "zrem zK mN",
           "zpopmin zK",
           "zremrangebyrank zK 0 0",
           "zunionstore zK 2 zN zK",
           "persist aK",
           "setrange sK N x",
           "pexpire sK N00"},
          {"get sK",
           "getrange sK 0 N",
           "mget sK sN",
           "ttl aK",
           "exists aK sK",
           "type aK",
           "keys *",
           "scan 0 count N",
           "dbsize",
           "randomkey",
           "lrange lK 0 -1",
           "lpos lK N",
           "smembers tK",
           "srandmember tK",
           "sinter tK tN",
           "hgetall hK",
           "hscan hK 0",
           "zrange zK 0 -1 withscores",
           "zrangebyscore zK 1 N",
           "zrank zK mN",
           "hm.version sK",
           "get hK"}};
}

const std::map<std::string, vocabulary>& vocabularies() {
  static const std::map<std::string, vocabulary> all = {
      {"key-value",
       {{"put kK vN", "delete kK", "compare-and-swap kK vN vK", "create kK N", "increment kK N", "increment nK"},
        {"get kK", "get nK"}}},
      {"scheduler",
       {{"register-node hK 64000 262144 8 G2", "register-node hK 9000N 65536", "submit-task tK 4000 8192 1 N00",
         "submit-task tK 1000 1024", "place-task tK", "place-task tK", "release-task tK", "end-task tK",
         "submit-task tK N000 1024 lease=Ns key=kN place", "submit-task tK 1000 1024 1 N00 lease=2Ns place",
         "renew-lease tK Ns", "renew-lease tK", "expire-leases", "drain-node hK", "undrain-node hK", "remove-node hK",
         "remove-node hK evict"},
        {"node hK", "task tK", "summary", "capacity", "explain tK", "explain tK after=hK",
         "explain-demand N000 1024 1 N00", "events N limit=N", "events 0", "nodes limit=N", "nodes after=hK",
         "tasks after=tK limit=N", "placed-tasks limit=N", "placed-tasks after=N", "task tK seen=N00"}}},
      {"redis", redis_vocabulary()},
      {"null", {{"write N N00", "write 1N K", "write 0 0"}, {"read N", "read N00"}}},
  };
  return all;
}

byte_vector draw_words(const std::string& machine, const std::vector<std::string>& patterns, splitmix64& random) {
  auto text = patterns.at(random.below(patterns.size()));
  for (auto& letter : text) {
    if (letter == 'K' || letter == 'N') letter = static_cast<char>('1' + random.below(9));
  }
  return words_of(machine, text);
}

/// All machines of the product, the machine of the tests, and the machine of a host.
const std::vector<contract_subject>& contract_subjects() {
  static const auto all = [] {
    std::vector<contract_subject> made = {
        {"counting", [] { return std::make_unique<testing::counting_machine>(); },
         [](splitmix64& random) { return to_byte_vector("operation " + std::to_string(random.below(100))); },
         [](splitmix64&) { return to_byte_vector("count"); }},
        {"of a host", [] { return std::make_unique<host_machine>(); },
         [](splitmix64& random) { return to_byte_vector("add " + std::to_string(random.below(10))); },
         [](splitmix64&) { return to_byte_vector("read"); }},
    };
    std::istringstream names{state_machine_names()};
    for (std::string name; std::getline(names >> std::ws, name, ',');) {
      REQUIRE_MESSAGE(vocabularies().contains(name), "this suite does not know the words of machine " << name);
      made.push_back({name, [name] { return std::move(*make_state_machine(name)); },
                      [name](splitmix64& random) { return draw_words(name, vocabularies().at(name).writes, random); },
                      [name](splitmix64& random) { return draw_words(name, vocabularies().at(name).reads, random); }});
    }
    return made;
  }();
  return all;
}

template <class Check>
void for_each_machine(const Check& check) {
  REQUIRE(contract_subjects().size() >= 5);
  for (const auto& each : contract_subjects()) {
    CAPTURE(each.name);
    check(each);
  }
}

operation_context context_of(std::uint64_t number) {
  return {sequence_number{1 + number / 3},
          client_id{static_cast<std::uint32_t>(number % 4)},
          timestamp{number + 1},
          static_cast<std::uint32_t>(number % 3),
          {},
          std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{1'000'000 + 400 * number}}};
}

/// Applies operations `first` … `end` - 1 of the history of `seed`. Returns their results.
std::vector<operation_result> play(state_machine& machine, const contract_subject& subject, std::uint64_t seed,
                                   std::uint64_t first, std::uint64_t end) {
  std::vector<operation_result> results;
  for (auto number = first; number < end; ++number) {
    splitmix64 random{seed * 1'000'003 + number};
    results.push_back(machine.apply(context_of(number), subject.draw(random)));
  }
  return results;
}

/// A copy of a snapshot that shares no memory with it, like a snapshot that came over the network.
state_snapshot transferred(const state_snapshot& snapshot) {
  state_snapshot made;
  for (const auto& chunk : snapshot)
    made.push_back({std::make_shared<const byte_vector>(*chunk.bytes), chunk.leaf});
  return made;
}

std::set<const void*> addresses_of(const state_snapshot& snapshot) {
  std::set<const void*> all;
  for (const auto& chunk : snapshot)
    all.insert(chunk.bytes.get());
  return all;
}

constexpr std::uint64_t length = 200;

}  // namespace

TEST_CASE("equal operations in equal order give equal results, roots and snapshots") {
  for_each_machine([](const contract_subject& each) {
    const auto one = each.make();
    const auto other = each.make();
    CHECK(one->name() == other->name());
    CHECK(one->root() == other->root());
    for (std::uint64_t number = 0; number < length; number += 10) {
      CHECK(play(*one, each, 1, number, number + 10) == play(*other, each, 1, number, number + 10));
      // Taking a snapshot in between does not change the results.
      if (number % 20 == 0) (void)one->snapshot();
    }
    CHECK(one->root() == other->root());
    CHECK(one->root() == state_root(one->snapshot()));
    const auto third = each.make();
    (void)play(*third, each, 2, 0, length);
    CHECK(third->root() != one->root());
  });
}

TEST_CASE("each chunk matches its leaf and is within the limit") {
  for_each_machine([](const contract_subject& each) {
    const auto machine = each.make();
    (void)play(*machine, each, 1, 0, length);
    const auto snapshot = machine->snapshot();
    CHECK_FALSE(snapshot.empty());
    for (const auto& chunk : snapshot) {
      REQUIRE(chunk.bytes != nullptr);
      CHECK(chunk.leaf == state_chunk_digest(*chunk.bytes));
      CHECK(chunk.bytes->size() <= limits::state_chunk_bytes_max);
    }
  });
}

TEST_CASE("a restored machine is in the same state and behaves like the original") {
  for_each_machine([](const contract_subject& each) {
    const auto original = each.make();
    (void)play(*original, each, 3, 0, length);
    const auto snapshot = original->snapshot();
    const auto fresh = each.make();
    const auto used = each.make();
    (void)play(*used, each, 4, 0, length / 2);
    for (auto* const machine : {fresh.get(), used.get()}) {
      CHECK(machine->restore(transferred(snapshot)).has_value());
      CHECK(machine->root() == state_root(snapshot));
    }
    const auto expected = play(*original, each, 3, length, 2 * length);
    for (auto* const machine : {fresh.get(), used.get()}) {
      CHECK(play(*machine, each, 3, length, 2 * length) == expected);
      CHECK(machine->root() == original->root());
    }
  });
}

TEST_CASE("successive snapshots share the unchanged chunks, and an old one stays as it was") {
  for_each_machine([](const contract_subject& each) {
    const auto machine = each.make();
    (void)play(*machine, each, 5, 0, length);
    const auto first = machine->snapshot();
    const auto root = state_root(first);
    const auto copy = transferred(first);
    CHECK(addresses_of(machine->snapshot()) == addresses_of(first));
    (void)play(*machine, each, 5, length, length + 1);
    const auto second = machine->snapshot();
    const auto before = addresses_of(first);
    const auto shared =
        std::ranges::count_if(second, [&](const auto& chunk) { return before.contains(chunk.bytes.get()); });
    const auto equal = std::ranges::count_if(second, [&](const auto& chunk) {
      return std::ranges::find(first, chunk.leaf, &state_chunk::leaf) != first.end();
    });
    CHECK(shared == equal);
    (void)play(*machine, each, 5, length + 1, 2 * length);
    (void)machine->snapshot();
    CHECK(state_root(first) == root);
    for (std::size_t index = 0; index < first.size(); ++index)
      CHECK(*first[index].bytes == *copy[index].bytes);
  });
}

TEST_CASE("a query changes nothing, answers like the ordered read, and refuses to write") {
  for_each_machine([](const contract_subject& each) {
    const auto machine = each.make();
    (void)play(*machine, each, 6, 0, length);
    const auto root = machine->root();
    splitmix64 random{7};
    for (int round = 0; round < 50; ++round) {
      const auto read = each.draw_read(random);
      const auto answer = machine->query(read);
      CHECK(answer == machine->query(read));
      CHECK(machine->query(each.draw(random)).status != operation_status::applied);
      CHECK(machine->root() == root);
      // The counting machine also counts reads. For all other machines, both ways give the same answer at one time.
      if (each.name != "counting") CHECK(machine->apply(context_of(length), read) == machine->query(read));
    }
    if (each.name != "counting") CHECK(machine->root() == root);
  });
}

TEST_CASE("no bytes of a client make a machine throw, and an invalid operation changes nothing") {
  for_each_machine([](const contract_subject& each) {
    const auto one = each.make();
    const auto other = each.make();
    (void)play(*one, each, 8, 0, length);
    (void)play(*other, each, 8, 0, length);
    splitmix64 random{9};
    std::vector<byte_vector> hostile = {{},
                                        byte_vector(1),
                                        byte_vector(limits::operation_bytes_max),
                                        byte_vector(limits::operation_bytes_max, std::byte{0xff})};
    for (int round = 0; round < 500; ++round) {
      byte_vector bytes(random.below(200));
      for (auto& byte : bytes)
        byte = static_cast<std::byte>(random.next());
      hostile.push_back(std::move(bytes));
      // Valid operations with a changed byte, truncated, or with additional bytes at the end.
      auto bent = round % 2 == 0 ? each.draw(random) : each.draw_read(random);
      bent.at(random.below(bent.size())) ^= static_cast<std::byte>(1U << random.below(8));
      hostile.push_back(bent);
      bent.resize(random.below(bent.size() + 20));
      hostile.push_back(std::move(bent));
    }
    for (const auto& operation : hostile) {
      const auto before = one->root();
      CHECK_NOTHROW((void)one->query(operation));
      CHECK(one->root() == before);
      operation_result result;
      CHECK_NOTHROW(result = one->apply(context_of(length), operation));
      if (result.status == operation_status::malformed) CHECK(one->root() == before);
      CHECK(result.payload.size() <= limits::result_bytes_max);
      CHECK(other->apply(context_of(length), operation) == result);
    }
    CHECK(one->root() == other->root());
  });
}

TEST_CASE("a snapshot of something else is refused and changes nothing") {
  for_each_machine([](const contract_subject& each) {
    const auto machine = each.make();
    (void)play(*machine, each, 10, 0, length);
    const auto root = machine->root();
    const auto good = machine->snapshot();
    splitmix64 random{11};
    std::vector<state_snapshot> bad = {{}};
    for (int round = 0; round < 100; ++round) {
      auto bent = good;
      auto& chunk = bent.at(random.below(bent.size()));
      auto bytes = *chunk.bytes;
      if (round % 3 == 0) {
        bytes.resize(random.below(bytes.size() + 1));
      } else if (bytes.empty() || round % 3 == 1) {
        bytes.assign(random.below(100), static_cast<std::byte>(random.next()));
      } else {
        bytes.at(random.below(bytes.size())) = static_cast<std::byte>(random.next());
      }
      chunk.leaf = state_chunk_digest(bytes);
      chunk.bytes = std::make_shared<const byte_vector>(std::move(bytes));
      bad.push_back(std::move(bent));
    }
    for (const auto& snapshot : bad) {
      or_reason<void> restored;
      CHECK_NOTHROW(restored = machine->restore(snapshot));
      if (!restored) {
        CHECK(machine->root() == root);
        CHECK_FALSE(restored.error().empty());
      } else {
        // If the machine accepts the snapshot, it is another valid state of this machine, and the machine has its root.
        CHECK(machine->root() == state_root(snapshot));
        CHECK(machine->restore(good).has_value());
      }
    }
    CHECK(machine->root() == root);
  });
}
