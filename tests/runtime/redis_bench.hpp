#pragma once

#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/state_machines/redis/redis_machine.hpp"

namespace hypermesh::testing {

/// A machine "redis" with a clock that the test moves.
struct redis_bench {
  machines::redis::redis_machine machine{256};
  std::uint64_t time_ms = 1'000'000;
  std::uint64_t count = 0;

  static std::vector<std::string> words_of(const std::string& text) {
    std::istringstream in{text};
    std::vector<std::string> words;
    for (std::string word; in >> word;)
      words.push_back(word);
    return words;
  }

  operation_result apply(const machines::redis::operation& value) {
    operation_context context{sequence_number{++count}, client_id{0}, timestamp{count}};
    context.ordered_time = std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{time_ms}};
    return machine.apply(context, encode(value));
  }

  /// The results of one request with these operations.
  std::vector<operation_result> apply_together(const std::vector<machines::redis::operation>& values) {
    std::vector<operation_result> results;
    operation_context context{sequence_number{++count}, client_id{0}, timestamp{count}};
    context.ordered_time = std::chrono::sys_time<std::chrono::milliseconds>{std::chrono::milliseconds{time_ms}};
    for (const auto& each : values) {
      results.push_back(machine.apply(context, encode(each)));
      ++context.index;
    }
    return results;
  }

  /// The reply with a space for each end of a line: `*2 $1 a :3`.
  static std::string shown(const operation_result& result) {
    if (result.status != operation_status::applied) return "not applied: " + std::string{as_text(result.payload)};
    std::string text{as_text(result.payload)};
    for (auto at = text.find("\r\n"); at != std::string::npos; at = text.find("\r\n", at))
      text.replace(at, 2, " ");
    if (!text.empty()) text.pop_back();
    return text;
  }

  std::string run_words(std::vector<std::string> words) {
    return shown(apply(machines::redis::command{std::move(words)}));
  }
  std::string run(const std::string& text) { return run_words(words_of(text)); }

  std::string query(const std::string& text) const {
    return shown(machine.query(encode(machines::redis::command{words_of(text)})));
  }

  std::string transact(const std::vector<std::string>& commands,
                       std::vector<machines::redis::watched_key> watched = {}) {
    machines::redis::transaction value{std::move(watched), {}};
    for (const auto& each : commands)
      value.commands.push_back({words_of(each)});
    return shown(apply(value));
  }

  std::uint64_t version(const std::string& key) { return std::stoull(run("hm.version " + key).substr(1)); }
};

}  // namespace hypermesh::testing
