#include "tools/hypermesh-lab/gateway_history.hpp"

#include <thread>

#include "runtime/state_machines/key_value_operations.hpp"

namespace hypermesh::lab {

namespace {

namespace store = machines::key_value;

/// The time before a client that found no gateway tries the next one.
constexpr std::chrono::milliseconds pause_after_failure{20};

moment present() {
  return moment{std::chrono::duration_cast<duration>(std::chrono::steady_clock::now().time_since_epoch())};
}

}  // namespace

/// A command of Redis, and the operation of the key-value store that does the same, because the checker knows that
/// store.
gateway_history::drawn_command gateway_history::draw(std::mt19937_64& random, std::uint32_t client,
                                                     std::uint64_t number) {
  constexpr unsigned keys = 3;
  constexpr std::chrono::seconds lifetime{2};
  const auto epoch = present().time_since_epoch() / lifetime;
  const auto key = fmt::format("k{}-{}", random() % keys, epoch);
  const auto bytes = as_byte_span(key);
  switch (random() % 5) {
    case 0: {
      // No two commands set the same value.
      const auto value = std::to_string(1'000'000'000'000ULL * (client + 1) + 1'000 * number);
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

/// The result of the store for this reply; nothing if the reply is an error that leaves the outcome open.
std::optional<operation_result> gateway_history::result_of(const drawn_command& command, const std::string& reply) {
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

void gateway_history::run_client(std::uint32_t number, std::uint64_t seed, const std::atomic<bool>& goes_on) {
  std::mt19937_64 random{seed + number};
  std::uint64_t drawn = 0;
  std::uint64_t pipelines = 0;
  for (std::size_t gateway = number; goes_on; ++gateway) {
    resp_client client{ports_[gateway % ports_.size()]};
    while (goes_on && client.is_open() && run_pipeline(client, number, ++pipelines, drawn, random)) {
    }
    if (goes_on && !client.is_open()) std::this_thread::sleep_for(pause_after_failure);
  }
}

/// Returns whether the connection goes on.
bool gateway_history::run_pipeline(resp_client& client, std::uint32_t number, std::uint64_t pipeline,
                                   std::uint64_t& drawn, std::mt19937_64& random) {
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
    if (reply && reply->starts_with("-TRYAGAIN")) {
      ++refused_;
      continue;
    }
    const auto result = reply ? result_of(commands[index], *reply) : std::nullopt;
    if (reply && !result && !reply->starts_with("-TIMEOUT")) note_unexpected(*reply);
    note({client_id{number}, invoked, result ? std::optional{present()} : std::nullopt, commands[index].operation,
          result.value_or(operation_result{}), testing::bundle_place{client_id{number}, timestamp{pipeline}, index}});
  }
  return is_open;
}

std::string gateway_history::unexpected() const {
  const std::scoped_lock lock{guard_};
  return unexpected_;
}

void gateway_history::note_unexpected(const std::string& reply) {
  const std::scoped_lock lock{guard_};
  unexpected_ = reply;
}

void gateway_history::note(testing::client_operation operation) {
  const std::scoped_lock lock{guard_};
  ++(operation.returned ? answered_ : unanswered_);
  operations_.push_back(std::move(operation));
}

}  // namespace hypermesh::lab
