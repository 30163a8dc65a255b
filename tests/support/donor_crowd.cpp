#include "tests/support/donor_crowd.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "messages/limits.hpp"
#include "tests/support/effect_reader.hpp"

namespace hypermesh::testing {

namespace {

state_chunk chunk_of(const std::string& text) {
  auto bytes = to_byte_vector(text);
  const auto leaf = state_chunk_digest(bytes);
  return {std::make_shared<const byte_vector>(std::move(bytes)), leaf};
}

std::vector<digest> leaves_of(const state_snapshot& snapshot) {
  std::vector<digest> leaves;
  for (const auto& chunk : snapshot)
    leaves.push_back(chunk.leaf);
  return leaves;
}

}  // namespace

std::shared_ptr<const state_snapshot> named_state(std::size_t chunks, std::string_view name) {
  auto snapshot = std::make_shared<state_snapshot>();
  for (std::size_t index = 0; index < chunks; ++index)
    snapshot->push_back(chunk_of(std::string{name} + std::to_string(index)));
  return snapshot;
}

std::shared_ptr<const state_snapshot> changed_state(const state_snapshot& of, std::size_t every,
                                                    std::string_view name) {
  auto snapshot = std::make_shared<state_snapshot>(of);
  for (std::size_t index = 0; index < snapshot->size(); index += every)
    (*snapshot)[index] = chunk_of(std::string{name} + std::to_string(index));
  return snapshot;
}

// --- Donors ----------------------------------------------------------------------

honest_donor::honest_donor(sequence_number sequence, std::shared_ptr<const state_snapshot> snapshot)
    : sequence_(sequence),
      snapshot_(std::move(snapshot)),
      pages_(std::make_shared<const merkle_pages>(leaves_of(*snapshot_), limits::state_page_leaves)) {}

state_chunk_message honest_donor::operator()(const state_request& wanted) const {
  const auto parts = wanted.part == state_part::leaves ? pages_->page_count() : snapshot_->size();
  if (wanted.sequence != sequence_ || wanted.index >= parts) return {wanted, state_refusal::not_held};
  if (wanted.part == state_part::chunk) return {wanted, (*snapshot_)[wanted.index].bytes};
  leaf_page page{snapshot_->size(), {}, pages_->path(wanted.index)};
  const auto begin = wanted.index * limits::state_page_leaves;
  for (std::size_t index = 0; index < state_page_size(snapshot_->size(), wanted.index); ++index)
    page.leaves.push_back((*snapshot_)[begin + index].leaf);
  return {wanted, std::move(page)};
}

void donor_crowd::set(std::uint32_t number, answer says, std::uint64_t pace, std::uint64_t delay) {
  auto& changed = of(number);
  changed.says = std::move(says);
  changed.pace = pace;
  changed.delay = delay;
}

void donor_crowd::carry_out(transfer_effects effects) {
  for (const auto& each : effects.sends) {
    const auto wanted = std::get<state_request>(read_frame(each.frame));
    auto& asked = donors_[*each.to];
    asked.asked.push_back(wanted);
    asked.queue.push_back(wanted);
  }
  observations_.insert(observations_.end(), effects.observations.begin(), effects.observations.end());
  if (effects.install != nullptr) whole_ = effects.install;
}

void donor_crowd::pass_moment() {
  ++now_;
  for (auto& [id, each] : donors_) {
    each.busy_until.erase(each.busy_until.begin(), each.busy_until.lower_bound(now_));
    while (!each.queue.empty() && each.busy_until.size() < each.at_once) {
      const auto wanted = each.queue.front();
      each.queue.pop_front();
      auto said = each.says ? each.says(wanted) : std::nullopt;
      // A donor that does not answer spends no time, so it has no backlog when it begins to answer.
      if (!said) continue;
      const auto done_at = now_ - 1 + each.pace;
      each.busy_until.insert(done_at);
      network_.emplace(done_at + each.delay, arrival{id, std::move(*said)});
      ++each.answered;
    }
  }
  while (!network_.empty() && network_.begin()->first <= now_) {
    const auto due = std::move(network_.begin()->second);
    network_.erase(network_.begin());
    // The answer is encoded and decoded, so a test cannot send an answer that does not fit into a frame.
    const auto told = std::get<state_chunk_message>(read_frame(encode(due.content)));
    carry_out(fetcher_->on_chunk(due.from, told));
  }
  if (now_ % moments_per_tick != 0) return;
  if (on_tick_) on_tick_();
  carry_out(fetcher_->on_tick());
}

bool donor_crowd::run(std::uint64_t ticks_max) {
  const auto last = now_ + ticks_max * moments_per_tick;
  while (whole_ == nullptr && now_ < last)
    pass_moment();
  return whole_ != nullptr;
}

std::vector<donor_replaced> donor_crowd::replaced() const { return observed_in<donor_replaced>(observations_); }

std::size_t donor_crowd::questions() const { return questions(state_part::leaves) + questions(state_part::chunk); }

std::size_t donor_crowd::questions(state_part part) const {
  std::size_t count = 0;
  for (const auto& [id, each] : donors_)
    count += static_cast<std::size_t>(std::ranges::count(each.asked, part, &state_request::part));
  return count;
}

// --- World -----------------------------------------------------------------------

transfer_world::transfer_world(std::shared_ptr<const state_snapshot> state, std::uint32_t replicas)
    : factory(small_cluster(replicas)),
      snapshot(std::move(state)),
      certificate(certify(4, *snapshot)),
      fetcher(factory.cluster(), replica_id{replicas - 1}) {
  for (std::uint32_t number = 0; number < donors(); ++number)
    crowd.set(number, honest_donor{sequence_number{4}, snapshot});
}

std::shared_ptr<const checkpoint_certificate> transfer_world::certify(std::uint64_t sequence,
                                                                      const state_snapshot& state) const {
  return factory.certificate_of(sequence_number{sequence}, state_root(state));
}

bool transfer_world::arrived(const state_snapshot& state) const {
  const auto& whole = crowd.whole();
  return whole != nullptr && std::ranges::equal(*whole->snapshot, state, [](const auto& left, const auto& right) {
           return left.leaf == right.leaf && *left.bytes == *right.bytes;
         });
}

}  // namespace hypermesh::testing
