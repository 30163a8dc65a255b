#include "tools/hypermesh-lab/guard_costs.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <set>

#include "actors/protocol/admission/inbound_pipeline.hpp"
#include "messages/codec.hpp"

namespace hypermesh::lab {

namespace {

/// The number of passes. The median time of each frame is used, because most passes are not disturbed by other work of
/// the processor.
constexpr std::size_t passes = 5;

/// Accepts every signature, so that the other costs can be measured.
class trusting_authenticator final : public authenticator {
 public:
  explicit trusting_authenticator(principal self) : self_(self) {}

  [[nodiscard]] principal self() const override { return self_; }
  [[nodiscard]] signature sign(byte_span) const override { return {}; }
  [[nodiscard]] bool verify(principal, byte_span, const signature&) const override { return true; }

 private:
  principal self_;
};

double now_us() {
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The time in microseconds that reading the clock adds to a measurement.
double clock_cost_us() {
  constexpr int count = 20'000;
  std::vector<double> costs;
  for (int index = 0; index < count; ++index) {
    const auto begin = now_us();
    costs.push_back(now_us() - begin);
  }
  std::ranges::nth_element(costs, costs.begin() + count / 2);
  return costs[count / 2];
}

/// Estimates the position of the replica from the frames that it received. The replica did not receive its own votes,
/// so each quorum counts its own vote as present.
class position_guess {
 public:
  explicit position_guess(const cluster_parameters& cluster) : cluster_(cluster) {
    at_.high = sequence_number{cluster.watermark_window};
  }

  /// Returns whether the position changed.
  bool on_passed(const message& value) {
    if (const auto* it = std::get_if<new_view>(&value)) return enter(it->view);
    if (const auto* it = std::get_if<pre_prepare>(&value)) return enter(it->header.content.view);
    if (const auto* it = std::get_if<commit>(&value)) return count_commit(it->vote.content);
    const auto* it = std::get_if<checkpoint>(&value);
    return it != nullptr && count_checkpoint(it->vote.content);
  }

  [[nodiscard]] const replica_position& at() const { return at_; }

 private:
  bool enter(view_number view) {
    if (view <= at_.view) return false;
    at_.view = view;
    at_.decided = at_.stable;
    return true;
  }

  [[nodiscard]] bool is_quorum(const std::set<replica_id>& others) const {
    return others.size() + 1 >= cluster_.group().quorum();
  }

  bool count_commit(const statement& content) {
    if (content.view != at_.view) return false;
    commits_[content.sequence].insert(content.replica);
    bool moved = false;
    while (is_quorum(commits_[at_.decided.next()])) {
      at_.decided = at_.decided.next();
      moved = true;
    }
    return moved;
  }

  bool count_checkpoint(const statement& content) {
    auto& votes = checkpoints_[content.sequence];
    votes.insert(content.replica);
    if (content.sequence <= at_.stable || !is_quorum(votes)) return false;
    at_.stable = content.sequence;
    at_.decided = std::max(at_.decided, at_.stable);
    at_.high = at_.stable.plus(cluster_.watermark_window);
    std::erase_if(commits_, [this](const auto& each) { return each.first <= at_.stable; });
    std::erase_if(checkpoints_, [this](const auto& each) { return each.first < at_.stable; });
    return true;
  }

  cluster_parameters cluster_;
  replica_position at_;
  std::map<sequence_number, std::set<replica_id>> commits_;
  std::map<sequence_number, std::set<replica_id>> checkpoints_;
};

/// The time that each frame took, in microseconds.
std::vector<double> pass_through(const guard_trace& trace, const std::shared_ptr<const authenticator>& keys) {
  inbound_pipeline of_replicas{trace.cluster, *keys};
  inbound_pipeline of_clients{trace.cluster, *keys};
  position_guess position{trace.cluster};
  std::vector<double> times;
  times.reserve(trace.frames.size());
  for (const auto& each : trace.frames) {
    auto& way = each.sender.is_client() ? of_clients : of_replicas;
    const auto begin = now_us();
    const auto examined = way.examine(each.sender, each.frame, each.when);
    times.push_back(now_us() - begin);
    (void)way.take_findings();
    if (!examined || !position.on_passed(*examined->value)) continue;
    for (auto* both : {&of_replicas, &of_clients})
      both->on_position(position.at());
  }
  return times;
}

std::vector<double> decode_all(const guard_trace& trace) {
  std::vector<double> times;
  times.reserve(trace.frames.size());
  for (const auto& each : trace.frames) {
    const auto begin = now_us();
    const auto decoded = decode(each.frame);
    times.push_back(now_us() - begin);
  }
  return times;
}

/// The median of several passes for each frame.
std::vector<double> middle_of(const std::function<std::vector<double>()>& pass) {
  std::array<std::vector<double>, passes> all;
  for (auto& each : all)
    each = pass();
  std::vector<double> times;
  for (std::size_t index = 0; index < all.front().size(); ++index) {
    std::array<double, passes> of_frame{};
    for (std::size_t number = 0; number < passes; ++number)
      of_frame[number] = all[number][index];
    std::ranges::sort(of_frame);
    times.push_back(of_frame[passes / 2]);
  }
  return times;
}

}  // namespace

void kind_costs::add(const kind_costs& other) {
  frames += other.frames;
  bytes += other.bytes;
  decoding_us += other.decoding_us;
  checks_us += other.checks_us;
  signatures_us += other.signatures_us;
}

guard_costs measure_guard_costs(const guard_trace& trace) {
  const auto trusting = std::make_shared<const trusting_authenticator>(principal::of(trace.self));
  const auto decoding = middle_of([&] { return decode_all(trace); });
  const auto checking = middle_of([&] { return pass_through(trace, trusting); });
  const auto verifying = middle_of([&] { return pass_through(trace, trace.keys); });
  const auto clock_us = clock_cost_us();
  guard_costs costs;
  for (std::size_t index = 0; index < trace.frames.size(); ++index) {
    const auto& frame = trace.frames[index];
    const auto last = std::to_integer<std::uint8_t>(frame.frame->empty() ? std::byte{0} : frame.frame->back());
    const kind_costs cost{1, frame.frame->size(), std::max(0.0, decoding[index] - clock_us),
                          std::max(0.0, checking[index] - clock_us), verifying[index] - checking[index]};
    costs.kinds[static_cast<message_kind>(last)].add(cost);
    if (trace.is_under_load(frame)) costs.under_load.add(cost);
  }
  return costs;
}

}  // namespace hypermesh::lab
