#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/integration/link_test_nodes.hpp"
#include "tests/support/simulated_network.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using namespace hypermesh::testing::link_test;

namespace {

/// The contract of a link: replica 1 sends to replica 0 over a `peer_actor`.
class contract_link {
 public:
  virtual ~contract_link() = default;

  virtual void send(const frame_ptr& frame) = 0;
  /// `cut` makes the other side unreachable, and the function below makes it reachable again.
  virtual void cut() = 0;
  virtual void restore() = 0;
  /// The frames that the other side has received, once `holds` is true of them or can no longer become true.
  using contents = std::vector<std::string>;
  [[nodiscard]] virtual contents received(const std::function<bool(const contents&)>& holds) = 0;
};

/// A link of the product that uses a socket.
class socket_link final : public contract_link {
 public:
  socket_link() : other_(std::make_unique<replica_node>(0)), port_(other_->links.port), self_(1, {port_}) {
    REQUIRE(eventually([this] { return self_.box->links_up() == 1; }));
  }

  void send(const frame_ptr& frame) override { self_.send(0, frame); }
  void cut() override {
    remember();
    other_.reset();
    REQUIRE(eventually([this] { return self_.box->links_up() == 0; }));
  }
  void restore() override {
    other_ = std::make_unique<replica_node>(0, ports{}, quick_limits(), port_);
    REQUIRE(eventually([this] { return self_.box->links_up() == 1; }));
  }
  contents received(const std::function<bool(const contents&)>& holds) override {
    (void)eventually([&] { return holds(all()); });
    return all();
  }

 private:
  [[nodiscard]] contents all() const {
    auto texts = before_;
    if (other_ == nullptr) return texts;
    for (const auto& [sender, text] : other_->box->frames()) {
      CHECK(sender == principal::of(replica_id{1}));
      texts.push_back(text);
    }
    return texts;
  }
  void remember() { before_ = all(); }

  std::unique_ptr<replica_node> other_;
  std::uint16_t port_;
  replica_node self_;
  contents before_;
};

/// A link of the simulator.
class simulated_link final : public contract_link {
 public:
  simulated_link() { restore(); }

  void send(const frame_ptr& frame) override {
    caf::anon_send(network_.link(principal::of(replica_id{1}), principal::of(replica_id{0})), outgoing_frame{frame});
  }
  void cut() override {
    deliver();
    network_.attach(principal::of(replica_id{0}), nullptr);
  }
  void restore() override {
    deliver();
    network_.attach(principal::of(replica_id{0}), [this](const incoming_frame& in) {
      CHECK(in.sender == principal::of(replica_id{1}));
      texts_.emplace_back(as_text(*in.frame));
    });
  }
  contents received(const std::function<bool(const contents&)>&) override {
    deliver();
    return texts_;
  }

 private:
  void deliver() {
    scheduler_.run_all();
    while (const auto next = network_.next_arrival()) {
      if (*next > scheduler_.now()) scheduler_.advance_to(*next);
      network_.deliver_next();
      scheduler_.run_all();
    }
  }

  testing::virtual_scheduler scheduler_;
  splitmix64 chance_{1};
  testing::simulated_network network_{scheduler_, chance_};
  contents texts_;
};

template <class Check>
void for_each_link(const Check& check) {
  SUBCASE("socket") { check(*std::make_unique<socket_link>()); }
  SUBCASE("simulated") { check(*std::make_unique<simulated_link>()); }
}

/// Makes for example "17:…", so that each frame has a different number and length.
std::string text_of(std::size_t number) { return std::to_string(number) + ":" + std::string(number * 37 % 5'000, 'x'); }

std::size_t number_of(const std::string& text) { return std::stoul(text.substr(0, text.find(':'))); }

}  // namespace

TEST_CASE("the frames of one sender arrive complete and in their order, over every kind of link") {
  for_each_link([](contract_link& link) {
    constexpr std::size_t count = 300;
    for (std::size_t number = 0; number < count; ++number)
      link.send(frame_of(text_of(number)));
    const auto texts = link.received([](const auto& all) { return all.size() == count; });
    REQUIRE(texts.size() == count);
    for (std::size_t number = 0; number < count; ++number)
      CHECK(texts[number] == text_of(number));
  });
}

TEST_CASE("a frame to an absent peer is dropped and the sender continues, over every kind of link") {
  for_each_link([](contract_link& link) {
    link.send(frame_of(text_of(0)));
    REQUIRE(link.received([](const auto& all) { return !all.empty(); }).size() == 1);
    link.cut();
    for (std::size_t number = 1; number <= 1'000; ++number)
      link.send(frame_of(text_of(number)));
    link.restore();
    link.send(frame_of(text_of(1'001)));
    const auto arrived = [](const auto& all) { return !all.empty() && number_of(all.back()) == 1'001; };
    const auto texts = link.received(arrived);
    REQUIRE(arrived(texts));
    // Frames arrive in order and at most once, and some are lost.
    for (std::size_t index = 1; index < texts.size(); ++index)
      CHECK(number_of(texts[index - 1]) < number_of(texts[index]));
    CHECK(texts.size() < 1'002);
    for (const auto& text : texts)
      CHECK(text == text_of(number_of(text)));
  });
}
