#include "actors/protocol/client/query_collector.hpp"

#include <algorithm>

#include "messages/codec.hpp"
#include "messages/require.hpp"

namespace hypermesh::protocol {

query_collector::query_collector(const cluster_parameters& cluster, client_id self, const client_settings& settings)
    : group_(cluster.group()),
      self_(self),
      settings_(settings),
      standings_(cluster.replicas),
      usual_(settings.doubtful_after / waits_factor) {}

/// How many equal answers a read needs.
std::uint32_t query_collector::needed(read_mode mode) const {
  // §5.1: a client "waits for 2f + 1 replies from different replicas with the same result". Any two quorums have a
  // correct replica in common, so one of these replicas had prepared every write that was finished before the read
  // began, and has executed it (`held_queries`). With f + 1 answers, all of them may come from the time before the
  // write (attack 35).
  return mode == read_mode::linearizable ? group_.quorum() : group_.weak_quorum();
}

duration query_collector::wait() const {
  const auto longest = std::max<duration>(waits_factor * settings_.retransmit_after, wait_min);
  return std::clamp<duration>(waits_factor * usual_, wait_min, longest);
}

/// All replicas, first those that are expected to answer at once. Each read begins with another replica.
std::vector<replica_id> query_collector::order_of_asking(moment now) {
  std::vector<replica_id> all;
  for (std::uint32_t step = 0; step < group_.replicas(); ++step)
    all.emplace_back((first_ + step) % group_.replicas());
  first_ = (first_ + 1) % group_.replicas();
  std::ranges::stable_partition(all, [&](replica_id each) {
    const auto& known = standings_.at(each.value);
    return known.is_linked && now >= known.rests_until;
  });
  return all;
}

query_effects query_collector::on_query(byte_vector operation, operation_token token, read_mode mode, moment now) {
  query_effects out;
  const auto when = next_;
  // Queries have separate numbers and do not use timestamps of the session, because they are not ordered.
  next_ = next_.next();
  const bool is_linearizable = mode == read_mode::linearizable;
  open_query asked;
  query content{{self_, when}, std::move(operation), is_linearizable};
  asked.frame = encode(content);
  asked.token = token;
  asked.mode = mode;
  asked.since = now;
  asked.deadline = now + settings_.deadline;
  asked.next_send = now + settings_.retransmit_after;
  if (is_linearizable) {
    asked.operation = std::move(content.operation);
    asked.asked = order_of_asking(now);
    asked.asked.resize(group_.quorum());
    for (const auto each : asked.asked)
      out.sends.push_back({each, asked.frame});
  } else {
    // f + 1 equal answers may come from any replicas, so all of them are asked at once (attack 35).
    out.sends.push_back({std::nullopt, asked.frame});
  }
  open_.emplace(when, std::move(asked));
  return out;
}

query_effects query_collector::on_reply(replica_id from, const query_reply& value, moment now) {
  query_effects out;
  const auto found = open_.find(value.id.when);
  if (value.id.client != self_ || found == open_.end() || !group_.contains(from)) return out;
  auto& answers = found->second.answers;
  operation_result result{static_cast<operation_status>(value.status), value.result};
  // Only the latest answer of each replica counts, because an earlier answer may come from an older state.
  std::erase_if(answers, [from](const auto& each) { return each.first == from; });
  answers.emplace_back(from, std::move(result));
  // An agreement needs the answer that has just arrived, because the others alone did not suffice.
  const auto& latest = answers.back().second;
  const auto matching = std::ranges::count_if(answers, [&](const auto& each) { return each.second == latest; });
  if (static_cast<std::uint32_t>(matching) >= needed(found->second.mode)) {
    const auto agreed = latest;
    accept(found, agreed, now, out);
  } else if (found->second.mode == read_mode::linearizable) {
    if (answers.size() >= group_.replicas()) {
      // All replicas have answered and too few of them agree, so waiting is useless.
      give_up(found->second, now, out);
      open_.erase(found);
    } else if (static_cast<std::size_t>(matching) < answers.size()) {
      // The replicas that were asked can no longer all agree, but with the others there may be a quorum.
      ask_others(found->second, out);
    }
  }
  return out;
}

void query_collector::ask_others(open_query& of, query_effects& out) const {
  for (std::uint32_t number = 0; number < group_.replicas(); ++number) {
    const replica_id each{number};
    if (std::ranges::find(of.asked, each) != of.asked.end()) continue;
    of.asked.push_back(each);
    out.sends.push_back({each, of.frame});
  }
}

void query_collector::accept(std::map<timestamp, open_query>::iterator place, const operation_result& agreed,
                             moment now, query_effects& out) {
  auto& asked = place->second;
  if (asked.mode == read_mode::linearizable) {
    const auto took = now - std::min(now, asked.since);
    // One eighth for each read, as TCP does for its round trips: a single slow read changes little.
    usual_ += (took - usual_) / 8;
    for (const auto& [replica, answer] : asked.answers) {
      // A replica whose answer differs from that of a quorum lies, or its state changed in between. It is not blamed,
      // only asked last for a while.
      if (!(answer == agreed)) standings_.at(replica.value).rests_until = now + rest;
    }
  }
  out.done.push_back({asked.token, agreed});
  open_.erase(place);
}

/// A replica that has not answered is asked last from now on. One that gave a different answer is not blamed here,
/// because concurrent writes cause different answers too.
void query_collector::rest_silent(const open_query& of, moment now) {
  for (const auto each : of.asked) {
    const bool answered = std::ranges::any_of(of.answers, [each](const auto& known) { return known.first == each; });
    if (!answered) standings_.at(each.value).rests_until = now + rest;
  }
}

/// §5.1: the client "retransmits the request as a regular read-write request". Here it does so once, and the read then
/// has a place in the order.
void query_collector::give_up(open_query& of, moment now, query_effects& out) {
  rest_silent(of, now);
  out.to_order.push_back({of.token, std::move(of.operation), of.since});
}

/// Whether a linearizable read is ordered now.
bool query_collector::is_given_up(const open_query& of, moment now) {
  if (of.mode != read_mode::linearizable) return false;
  const auto age = now - std::min(now, of.since);
  const bool disagree = of.answers.size() >= group_.quorum();
  // All replicas were asked, a quorum has answered and does not agree. The others may be faulty, so waiting for them
  // would delay every read that concurrent writes disturb.
  if (disagree && of.asked.size() >= group_.replicas() && age >= wait() / 2) return true;
  if (age < wait()) return false;
  // The cluster is slower than expected. The wait grows at once, so that the other reads that were sent together with
  // this one are not ordered too.
  if (!disagree) usual_ = std::min<duration>(2 * wait() / waits_factor, settings_.retransmit_after);
  return true;
}

/// Does what is due for a query that stays open.
void query_collector::give_time(open_query& of, moment now, query_effects& out) {
  if (of.mode == read_mode::linearizable) {
    if (of.asked.size() >= group_.replicas() || now - std::min(now, of.since) < wait() / 2) return;
    // With the answers of the others there may be a quorum without a silent replica. That costs the replicas far less
    // than ordering the read.
    rest_silent(of, now);
    return ask_others(of, out);
  }
  if (now < of.next_send) return;
  // Answers from different times may differ, so all replicas are asked again, and f + 1 new answers have to agree.
  of.answers.clear();
  of.next_send = now + settings_.retransmit_after;
  out.sends.push_back({std::nullopt, of.frame});
}

query_effects query_collector::on_tick(moment now) {
  query_effects out;
  for (auto place = open_.begin(); place != open_.end();) {
    auto& asked = place->second;
    if (now >= asked.deadline) {
      out.done.push_back({asked.token, client_error::timed_out});
      place = open_.erase(place);
    } else if (is_given_up(asked, now)) {
      give_up(asked, now, out);
      place = open_.erase(place);
    } else {
      give_time(asked, now, out);
      ++place;
    }
  }
  return out;
}

query_effects query_collector::on_link_up(replica_id replica) {
  query_effects out;
  standings_.at(replica.value).is_linked = true;
  // A committed read has asked all replicas.
  for (const auto& [when, each] : open_) {
    const bool is_asked = each.asked.empty() || std::ranges::find(each.asked, replica) != each.asked.end();
    if (is_asked) out.sends.push_back({replica, each.frame});
  }
  return out;
}

query_effects query_collector::on_stop() {
  query_effects out;
  for (const auto& [when, each] : open_)
    out.done.push_back({each.token, client_error::stopped});
  open_.clear();
  return out;
}

}  // namespace hypermesh::protocol
