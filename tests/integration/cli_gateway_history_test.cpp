// What clients of two gateways saw while replicas failed is linearizable.
#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <thread>

#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/integration/cli_process.hpp"
#include "tests/integration/gateway_process.hpp"
#include "tests/integration/resp_test_client.hpp"
#include "tests/simulation/linearizability.hpp"

namespace hypermesh::testing::cli_test {

namespace {

namespace store = machines::key_value;

moment present() {
  return moment{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

/// A command of Redis and the operation of the key-value store that does the same, because the checker knows that
/// store.
struct drawn_command {
  std::vector<std::string> words;
  byte_vector operation;
};

drawn_command draw(std::mt19937& random, std::uint32_t client, std::uint64_t number) {
  constexpr unsigned keys = 3;
  const auto key = "k" + std::to_string(random() % keys);
  const auto bytes = as_byte_span(key);
  switch (random() % 5) {
    case 0: {
      // No two commands set the same value.
      const auto value = std::to_string(1'000'000'000ULL * (client + 1) + 1'000 * number);
      return {{"SET", key, value}, store::encode(store::put{bytes, as_byte_span(value)})};
    }
    case 1:
      return {{"DEL", key}, store::encode(store::remove{bytes})};
    case 2:
      return {{"INCR", key}, store::encode(store::increment{bytes, 1})};
    default:
      return {{"GET", key}, store::encode(store::get{bytes})};
  }
}

/// The result of the store for this reply; nothing if the reply is an error that leaves the fate open.
std::optional<operation_result> result_of(const drawn_command& command, const std::string& reply) {
  operation_result result{operation_status::applied, {}};
  if (command.words.front() == "SET" && reply == "+OK") return result;
  if (command.words.front() == "DEL" && reply.starts_with(":")) {
    result.payload = {std::byte{reply == ":1"}};
    return result;
  }
  if (command.words.front() == "INCR" && reply.starts_with(":")) {
    result.payload = to_byte_vector(reply.substr(1));
    return result;
  }
  if (command.words.front() == "GET" && reply.starts_with("$")) {
    result.payload = {std::byte{reply != "$-1"}};
    if (reply == "$-1") return result;
    const auto value = to_byte_vector(reply.substr(1));
    result.payload.insert(result.payload.end(), value.begin(), value.end());
    return result;
  }
  return std::nullopt;
}

/// What all clients saw. A client that loses its connection goes on at the next gateway.
class recorded_history {
 public:
  explicit recorded_history(std::vector<std::uint16_t> ports) : ports_(std::move(ports)) {}

  void run_client(std::uint32_t number, unsigned seed, const std::atomic<bool>& goes_on) {
    std::mt19937 random{seed + number};
    std::uint64_t drawn = 0;
    std::uint64_t pipelines = 0;
    for (std::size_t gateway = number; goes_on; ++gateway) {
      resp_test_client client{ports_[gateway % ports_.size()]};
      while (goes_on && client.is_open() && run_pipeline(client, number, ++pipelines, drawn, random)) {
      }
    }
  }

  [[nodiscard]] const std::vector<client_operation>& operations() const { return operations_; }
  [[nodiscard]] std::size_t answered() const { return answered_; }
  [[nodiscard]] std::size_t unanswered() const { return unanswered_; }
  /// The last reply that no command should get.
  [[nodiscard]] const std::string& unexpected() const { return unexpected_; }

 private:
  /// Returns whether the connection goes on.
  bool run_pipeline(resp_test_client& client, std::uint32_t number, std::uint64_t pipeline, std::uint64_t& drawn,
                    std::mt19937& random) {
    std::vector<drawn_command> commands;
    for (auto left = 1 + random() % 4; left > 0; --left)
      commands.push_back(draw(random, number, ++drawn));
    const auto invoked = present();
    bool is_open = true;
    for (const auto& each : commands)
      is_open = is_open && client.send(each.words);
    for (std::size_t index = 0; index < commands.size(); ++index) {
      const auto reply = is_open ? client.receive() : std::nullopt;
      is_open = reply.has_value();
      // A command that was not sent did not happen.
      if (reply && reply->starts_with("-TRYAGAIN")) continue;
      const auto result = reply ? result_of(commands[index], *reply) : std::nullopt;
      if (reply && !result && !reply->starts_with("-TIMEOUT")) note_unexpected(*reply);
      note({client_id{number}, invoked, result ? std::optional{present()} : std::nullopt, commands[index].operation,
            result.value_or(operation_result{}), bundle_place{client_id{number}, timestamp{pipeline}, index}});
    }
    return is_open;
  }

  void note_unexpected(const std::string& reply) {
    const std::scoped_lock lock{guard_};
    unexpected_ = reply;
  }

  void note(client_operation operation) {
    const std::scoped_lock lock{guard_};
    ++(operation.returned ? answered_ : unanswered_);
    operations_.push_back(std::move(operation));
  }

  std::vector<std::uint16_t> ports_;
  std::mutex guard_;
  std::vector<client_operation> operations_;
  std::string unexpected_;
  std::atomic<std::size_t> answered_ = 0;
  std::atomic<std::size_t> unanswered_ = 0;
};

}  // namespace

TEST_CASE("the history at two gateways is linearizable while the primary is killed and a backup lies") {
  const unsigned seed = std::random_device{}();
  CAPTURE(seed);
  running_cluster cluster{"redis"};
  REQUIRE(cluster.is_ready());
  cluster.corrupt(3, "wrong-replies");
  REQUIRE(cluster.is_ready());
  running_gateway first{cluster, 0, {"--timeout", "3s"}};
  const running_gateway second{cluster, 1, {"--timeout", "3s"}};
  recorded_history history{{first.port(), second.port()}};
  std::atomic<bool> goes_on{true};
  std::vector<std::thread> clients;
  constexpr std::uint32_t client_count = 6;
  for (std::uint32_t number = 0; number < client_count; ++number)
    clients.emplace_back([&, number] { history.run_client(number, seed, goes_on); });
  const auto answers_more = [&](std::size_t more) {
    const auto until = history.answered() + more;
    return eventually([&] { return history.answered() >= until; });
  };
  CHECK(answers_more(300));
  // Two of the three others agree on each result, and outvote the third.
  cluster.replica(0).send(SIGKILL);
  CHECK(answers_more(300));
  CHECK(cluster.replica(0).wait().has_value());
  cluster.start(0);
  CHECK(answers_more(300));
  goes_on = false;
  for (auto& each : clients)
    each.join();
  const auto verdict = check_linearizability(history.operations());
  CHECK(history.unexpected() == "");
  CHECK(verdict.undecided == 0);
  CHECK_MESSAGE(!verdict.violation, verdict.violation.value_or(""));
  MESSAGE("operations: ", verdict.operations, ", without a result: ", history.unanswered());
  first.running().send(SIGTERM);
  CHECK(first.running().wait() == 0);
  // The backup did lie.
  CHECK(has(first.err(), "replica 3 returned"));
}

}  // namespace hypermesh::testing::cli_test
