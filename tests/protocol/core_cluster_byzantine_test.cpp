#include <doctest/doctest.h>

#include <string>

#include "messages/codec.hpp"
#include "tests/support/core_cluster.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;

namespace {

using frames = std::vector<frame_ptr>;

void submit_round(core_cluster& cluster, std::uint32_t each, std::string_view name) {
  for (std::uint32_t number = 0; number < each; ++number) {
    for (std::uint32_t client = 0; client < 4; ++client) {
      cluster.submit(client_id{client}, std::string{name} + std::to_string(number));
    }
  }
}

std::optional<message> read(const frame_ptr& frame) {
  auto decoded = decode(frame);
  if (decoded) return std::move(decoded.value());
  return std::nullopt;
}

/// A replica that signs arbitrary messages, and changes bytes of the messages that it relays.
class liar {
 public:
  liar(const request_factory& factory, replica_id self, std::uint64_t seed)
      : factory_(&factory), self_(self), random_(seed) {}

  frames operator()(principal, const frame_ptr& frame) {
    seen_.push_back(frame);
    frames told;
    switch (random_.below(7)) {
      case 0:
        told = {frame, seen_[random_.below(seen_.size())]};
        break;
      case 1:
        told = {damaged(frame)};
        break;
      case 2:
        told = {frame, any_vote(message_kind::prepare)};
        break;
      case 3:
        told = {any_vote(message_kind::commit), frame};
        break;
      case 4:
        told = {frame, any_vote(message_kind::checkpoint)};
        break;
      case 5:
        told = {any_status(), as_another_kind(frame)};
        break;
      default:
        break;
    }
    return told;
  }

 private:
  frame_ptr any_vote(message_kind kind) {
    const auto period = factory_->cluster().checkpoint_period;
    const bool stable = kind == message_kind::checkpoint;
    const auto sequence = stable ? period * (1 + random_.below(8)) : 1 + random_.below(40);
    auto content = factory_->content_of(self_, view_number{stable ? 0 : random_.below(2)}, sequence_number{sequence},
                                        named_digest(std::to_string(random_.below(3))));
    // Sometimes the message is in the name of another replica.
    const auto named = random_.below(4) == 0 ? replica_id{static_cast<std::uint32_t>(random_.below(4))} : self_;
    content.replica = named;
    return encode_vote(kind, factory_->signed_by(factory_->keys_of(self_), kind, content));
  }

  frame_ptr any_status() {
    const sequence_number low{random_.below(30)};
    const auto value = factory_->status_of(self_, view_number{0}, low, low.plus(random_.below(20)),
                                           std::vector<slot_progress>(random_.below(9)));
    return seal(message_kind::status, status_buffer(value), value.by);
  }

  frame_ptr damaged(const frame_ptr& frame) {
    auto bytes = *frame;
    bytes[random_.below(bytes.size())] ^= static_cast<std::byte>(1U << random_.below(8));
    return std::make_shared<const byte_vector>(std::move(bytes));
  }

  frame_ptr as_another_kind(const frame_ptr& frame) {
    auto bytes = *frame;
    bytes.back() = static_cast<std::byte>(1 + random_.below(message_kind_last));
    return std::make_shared<const byte_vector>(std::move(bytes));
  }

  const request_factory* factory_;
  replica_id self_;
  sample_source random_;
  frames seen_;
};

/// Sends each half of the backups a different batch for the same sequence number.
class equivocator {
 public:
  explicit equivocator(const request_factory& factory) : factory_(&factory) {}

  frames operator()(principal to, const frame_ptr& frame) const {
    const auto value = read(frame);
    const auto* proposal = value ? std::get_if<pre_prepare>(&*value) : nullptr;
    if (proposal == nullptr || to.number % 2 == 0) return {frame};
    const auto& content = proposal->header.content;
    const auto other = factory_->batch_number(1'000 + content.sequence.value);
    return {factory_->pre_prepare_of(content.view, content.sequence, other).raw};
  }

 private:
  const request_factory* factory_;
};

}  // namespace

TEST_CASE("a backup that lies in every message it can sign stops no progress and splits no group") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.faults = {seed % 6, seed % 6, 1 + seed % 5};
    options.batching.requests_per_batch_max = 2;
    core_cluster cluster{options};
    const replica_id faulty{static_cast<std::uint32_t>(1 + seed % 3)};
    cluster.corrupt(faulty, liar{cluster.factory(), faulty, seed});
    submit_round(cluster, 12, "op");
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.checker().requests_executed() == 48);
  }
}

TEST_CASE("an equivocating primary never gets two values executed at one sequence") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.cluster = small_cluster(seed % 2 == 0 ? 4 : 7);
    options.faults = {seed % 10, seed % 5, 1 + seed % 5};
    core_cluster cluster{options};
    cluster.corrupt(replica_id{0}, equivocator{cluster.factory()});
    submit_round(cluster, 6, "op");
    cluster.run(1'000);
    INFO(cluster.describe());
    CHECK_FALSE(cluster.violation());
  }
}

TEST_CASE("a primary that equivocates together with a lying backup splits no group") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.cluster = small_cluster(7);
    options.faults.delay_max = 1 + seed % 5;
    core_cluster cluster{options};
    cluster.corrupt(replica_id{0}, equivocator{cluster.factory()});
    cluster.corrupt(replica_id{3}, liar{cluster.factory(), replica_id{3}, seed});
    submit_round(cluster, 6, "op");
    cluster.run(1'000);
    INFO(cluster.describe());
    CHECK_FALSE(cluster.violation());
  }
}

TEST_CASE("a donor that corrupts every chunk delays a laggard and installs nothing false (attack 24)") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.faults.delay_max = 1 + seed % 5;
    options.batching.requests_per_batch_max = 1;
    core_cluster cluster{options};
    cluster.corrupt(replica_id{1}, [](principal, const frame_ptr& frame) -> frames {
      if (kind_of(byte_span{*frame}) != message_kind::state_chunk) return {frame};
      auto given = std::get<state_chunk_message>(*read(frame));
      if (auto* page = std::get_if<leaf_page>(&given.content)) page->leaves.front().bytes[0] ^= std::byte{1};
      if (const auto* chunk = std::get_if<std::shared_ptr<const byte_vector>>(&given.content)) {
        auto bytes = **chunk;
        bytes.push_back(std::byte{1});
        given.content = std::make_shared<const byte_vector>(std::move(bytes));
      }
      return {encode(given)};
    });
    cluster.isolate(replica_id{3});
    submit_round(cluster, 8, "while away");
    cluster.run(1'000);
    cluster.heal();
    const bool settled = cluster.settle(30'000);
    INFO(cluster.describe());
    REQUIRE(settled);
    CHECK(cluster.node(3).installs() >= 1);
    CHECK(cluster.node(3).root() == cluster.node(0).root());
  }
}

TEST_CASE("a VIEW-CHANGE with a bad certificate before good ones hides none of them (attack 12)") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    core_cluster_options options;
    options.seed = seed;
    options.cluster = small_cluster(7);
    options.faults.delay_max = 1 + seed % 5;
    core_cluster cluster{options};
    cluster.corrupt(replica_id{3}, [&](principal, const frame_ptr& frame) -> frames {
      if (kind_of(byte_span{*frame}) != message_kind::view_change) return {frame};
      auto change = std::get<view_change>(*read(frame));
      const auto at = change.stable_sequence.next();
      auto bad = cluster.factory().prepared_of(view_number{0}, at, named_digest("never proposed"));
      bad.prepares.pop_back();
      auto& all = change.prepared;
      if (!all.empty() && all.front().pre_prepare.content.sequence == at) all.erase(all.begin());
      all.insert(all.begin(), bad);
      return {frame_of(cluster.factory().signed_again(std::move(change)))};
    });
    submit_round(cluster, 6, "op");
    cluster.run(seed);
    cluster.isolate(replica_id{0});
    submit_round(cluster, 2, "without");
    cluster.run(3'000);
    CHECK(cluster.node(1).replica().view() > view_number{0});
    cluster.heal();
    const bool settled = cluster.settle(60'000);
    INFO(cluster.describe());
    CHECK(settled);
  }
}
