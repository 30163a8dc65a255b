#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "tools/hypermesh/gateway/gateway_core.hpp"

namespace hypermesh::testing {

/// A gateway without sockets and without a cluster: the test plays both.
struct gateway_bench {
  explicit gateway_bench(gateway_settings settings = {})
      : core(std::move(settings), {"0.1.0", "bench", "id", 4, 0, 6379, 1}, now) {}

  moment now{};
  gateway_core core;
  /// Operations that were submitted and have no result, in their order.
  std::deque<gateway_submission> sent;

  connection_number connect() { return core.on_accepted("127.0.0.1:1", now).value(); }

  void note() {
    for (auto& each : core.take_effects().submissions)
      sent.push_back(std::move(each));
  }

  void say(connection_number who, std::string_view bytes) {
    core.on_bytes(who, bytes, now);
    note();
  }

  /// What the client can read now.
  std::string hear(connection_number who) {
    const std::string text{core.output(who)};
    core.on_written(who, text.size(), now);
    note();
    return text;
  }

  /// The first command that waits for its result, as its words with spaces; of a transaction, all words.
  [[nodiscard]] std::string first_sent() const { return words_of(sent.front()); }
  [[nodiscard]] static std::string words_of(const gateway_submission& submission) {
    const auto operation = machines::redis::decode(submission.operation).value();
    std::string text;
    const auto add = [&text](const machines::redis::command& command) {
      for (const auto& word : command.words)
        text += (text.empty() ? "" : " ") + word;
    };
    if (const auto* one = std::get_if<machines::redis::command>(&operation)) {
      add(*one);
      return text;
    }
    const auto& several = std::get<machines::redis::transaction>(operation);
    text = "watching";
    for (const auto& each : several.watched)
      text += " " + each.key + "=" + std::to_string(each.version);
    for (const auto& each : several.commands)
      add(each);
    return text;
  }

  /// The cluster answers the oldest operation.
  void answer(std::string_view payload, operation_status status = operation_status::applied) {
    finish(operation_result{status, to_byte_vector(payload)});
  }
  /// The cluster does not execute the operation, because its reply has no room.
  void refuse() { answer(machines::redis::no_room_for_reply, operation_status::refused); }
  void refuse_at(std::size_t place) { answer_at(place, machines::redis::no_room_for_reply, operation_status::refused); }
  /// The gateway learns that these commands have small replies.
  void expect_small_replies(connection_number who, const std::vector<std::string>& commands) {
    for (const auto& each : commands) {
      say(who, each + "\r\n");
      answer("_\r\n");
      (void)hear(who);
    }
  }
  void fail(client_error error) { finish(error); }
  void finish(const submit_outcome& outcome) {
    const auto token = sent.front().token;
    sent.pop_front();
    core.on_outcome(token, outcome, now);
    note();
  }
  /// The cluster answers the operation with this place among those that wait.
  void answer_at(std::size_t place, std::string_view payload, operation_status status = operation_status::applied) {
    const auto token = sent.at(place).token;
    sent.erase(sent.begin() + static_cast<std::ptrdiff_t>(place));
    core.on_outcome(token, operation_result{status, to_byte_vector(payload)}, now);
    note();
  }
};

}  // namespace hypermesh::testing
