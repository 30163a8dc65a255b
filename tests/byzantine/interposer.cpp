#include "tests/byzantine/interposer.hpp"

#include "messages/require.hpp"

namespace hypermesh::testing {

interposer::interposer(adversary_hands hands, std::unique_ptr<adversary> strategy)
    : hands_(std::move(hands)), strategy_(std::move(strategy)) {
  require(strategy_ != nullptr, "an interposer plays a strategy");
}

frame_ptr interposer::on_send(principal to, const frame_ptr& frame) {
  passing_frame out{to, frame};
  if (out.value != nullptr) hands_.memory().on_sent(*out.value, frame);
  return strategy_->on_send(out, hands_) == fate::passes ? out.frame : nullptr;
}

frame_ptr interposer::on_receive(principal from, const frame_ptr& frame) {
  passing_frame in{from, frame};
  if (in.value != nullptr) hands_.memory().on_received(*in.value);
  return strategy_->on_receive(in, hands_) == fate::passes ? in.frame : nullptr;
}

}  // namespace hypermesh::testing
