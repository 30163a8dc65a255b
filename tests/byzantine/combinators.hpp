#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "tests/byzantine/adversary.hpp"

namespace hypermesh::testing {

/// Runs two strategies at once: the second strategy sees the frames that the first one passes, with its changes.
class both_of final : public adversary {
 public:
  both_of(std::unique_ptr<adversary> first, std::unique_ptr<adversary> second);

  fate on_send(passing_frame& out, adversary_hands& hands) override;
  fate on_receive(passing_frame& in, adversary_hands& hands) override;
  void on_tick(adversary_hands& hands) override;

 private:
  std::unique_ptr<adversary> first_;
  std::unique_ptr<adversary> second_;
};

/// Runs several strategies one after the other, each for `turn`, and then begins again with the first strategy.
class in_turns final : public adversary {
 public:
  in_turns(duration turn, std::vector<std::unique_ptr<adversary>> all);

  fate on_send(passing_frame& out, adversary_hands& hands) override;
  fate on_receive(passing_frame& in, adversary_hands& hands) override;
  void on_tick(adversary_hands& hands) override;

 private:
  [[nodiscard]] adversary& present(const adversary_hands& hands) const;

  duration turn_;
  std::vector<std::unique_ptr<adversary>> all_;
};

/// Passes every frame until a call starts the strategy. Any thread may make this call.
class when_told final : public adversary {
 public:
  when_told(std::shared_ptr<const std::atomic<bool>> told, std::unique_ptr<adversary> strategy);

  fate on_send(passing_frame& out, adversary_hands& hands) override;
  fate on_receive(passing_frame& in, adversary_hands& hands) override;
  void on_tick(adversary_hands& hands) override;

 private:
  std::shared_ptr<const std::atomic<bool>> told_;
  std::unique_ptr<adversary> strategy_;
};

}  // namespace hypermesh::testing
