#include "tests/byzantine/combinators.hpp"

#include <algorithm>

#include "messages/require.hpp"

namespace hypermesh::testing {

both_of::both_of(std::unique_ptr<adversary> first, std::unique_ptr<adversary> second)
    : first_(std::move(first)), second_(std::move(second)) {
  require(first_ != nullptr && second_ != nullptr, "two strategies play at once");
}

fate both_of::on_send(passing_frame& out, adversary_hands& hands) {
  return first_->on_send(out, hands) == fate::stopped ? fate::stopped : second_->on_send(out, hands);
}

fate both_of::on_receive(passing_frame& in, adversary_hands& hands) {
  return first_->on_receive(in, hands) == fate::stopped ? fate::stopped : second_->on_receive(in, hands);
}

void both_of::on_tick(adversary_hands& hands) {
  first_->on_tick(hands);
  second_->on_tick(hands);
}

in_turns::in_turns(duration turn, std::vector<std::unique_ptr<adversary>> all) : turn_(turn), all_(std::move(all)) {
  require(turn_ > 0us && !all_.empty(), "a turn has a length and somebody whose turn it is");
  require(std::ranges::none_of(all_, [](const auto& each) { return each == nullptr; }), "every turn is somebody's");
}

adversary& in_turns::present(const adversary_hands& hands) const {
  const auto turns = static_cast<std::size_t>(hands.now().time_since_epoch() / turn_);
  return *all_[turns % all_.size()];
}

fate in_turns::on_send(passing_frame& out, adversary_hands& hands) { return present(hands).on_send(out, hands); }

fate in_turns::on_receive(passing_frame& in, adversary_hands& hands) { return present(hands).on_receive(in, hands); }

void in_turns::on_tick(adversary_hands& hands) { present(hands).on_tick(hands); }

when_told::when_told(std::shared_ptr<const std::atomic<bool>> told, std::unique_ptr<adversary> strategy)
    : told_(std::move(told)), strategy_(std::move(strategy)) {
  require(told_ != nullptr && strategy_ != nullptr, "somebody can tell it, and there is something to begin");
}

fate when_told::on_send(passing_frame& out, adversary_hands& hands) {
  return *told_ ? strategy_->on_send(out, hands) : fate::passes;
}

fate when_told::on_receive(passing_frame& in, adversary_hands& hands) {
  return *told_ ? strategy_->on_receive(in, hands) : fate::passes;
}

void when_told::on_tick(adversary_hands& hands) {
  if (*told_) strategy_->on_tick(hands);
}

}  // namespace hypermesh::testing
