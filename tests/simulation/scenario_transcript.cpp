#include "tests/simulation/scenario_transcript.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "tests/simulation/event_log.hpp"

namespace hypermesh::testing {

namespace {

template <class Things, class Name>
std::string joined(const Things& things, Name name) {
  std::string text;
  for (const auto& each : things)
    text += (text.empty() ? "" : ",") + name(each);
  return text;
}

}  // namespace

std::string digest_names::of(const digest& value) {
  if (value == null_request_digest()) return "null";
  auto& name = names_[value];
  if (name.empty()) name = fmt::format("d{}", next_++);
  return name;
}

std::optional<digest> digest_names::find(const std::string& name) const {
  const auto found = std::ranges::find_if(names_, [&](const auto& each) { return each.second == name; });
  return found == names_.end() ? std::nullopt : std::optional{found->first};
}

void scenario_transcript::delivered(const frame_transit& transit) {
  const auto decoded = decode(transit.frame);
  std::string text;
  if (!decoded) {
    text = fmt::format("bytes that do not decode: {}", to_string(decoded.error()));
  } else {
    const auto& value = *decoded;
    // Digests get their names in the order in which they appear, even in lines that are not printed.
    text = to_line(value, [this](const digest& each) { return names_.of(each); });
    if (!shown_.empty() && !shown_.contains(std::string{to_string(kind_of(value))})) return;
  }
  if (muted_) return;
  const auto same = std::ranges::find_if(entries_, [&](const entry& each) {
    return each.text == text && each.from.contains(transit.from) && !each.to.contains(transit.to);
  });
  if (same != entries_.end()) {
    same->to.insert(transit.to);
  } else {
    entries_.push_back({std::move(text), {transit.from}, {transit.to}, {}});
  }
}

void scenario_transcript::observed(replica_id replica, const observation& what) {
  if (const auto* it = std::get_if<slot_committed>(&what)) {
    said_of(replica, fmt::format("committed n={} d={}", it->content.sequence.value, names_.of(it->content.value)));
  } else if (const auto* executed = std::get_if<batch_was_executed>(&what)) {
    for (const auto& each : *executed->requests) {
      if (each.first_time) continue;
      said_of(replica, fmt::format("n={} repeats c={} t={}, not executed again", executed->sequence.value,
                                   each.id.client.value, each.id.when.value));
    }
  } else if (const auto* moved = std::get_if<watermarks_moved>(&what)) {
    said_of(replica, fmt::format("log cut, h={} H={}", moved->low.value, moved->high.value));
  } else if (const auto* stable = std::get_if<checkpoint_became_stable>(&what)) {
    said_of(replica, fmt::format("stable n={} d={}", stable->sequence.value, names_.of(stable->root)));
  } else if (const auto* installed = std::get_if<state_was_installed>(&what)) {
    said_of(replica, fmt::format("installed n={} d={}", installed->sequence.value, names_.of(installed->root)));
  } else if (const auto* diverged = std::get_if<divergence_found>(&what)) {
    said_of(replica, fmt::format("diverged n={}", diverged->sequence.value));
  } else if (const auto* replaced = std::get_if<donor_replaced>(&what)) {
    said_of(replica, fmt::format("donor {} replaced: {}", replaced->replica.value, to_string(replaced->reason)));
  } else if (const auto* failed = std::get_if<node_failed>(&what)) {
    said_of(replica, "failed: " + failed->error.what);
  } else if (const auto* refused = std::get_if<frame_rejected>(&what)) {
    said_of(replica, fmt::format("rejected {} of {}", to_string(refused->reason), short_name(refused->sender)));
  }
}

void scenario_transcript::said(std::string line) {
  if (!muted_) entries_.push_back({std::move(line), {}, {}, {}});
}

void scenario_transcript::said_of(replica_id replica, const std::string& line) {
  if (muted_) return;
  const auto same = std::ranges::find_if(entries_, [&](const entry& each) {
    return each.text == line && each.from.empty() && !each.at.contains(replica);
  });
  if (same != entries_.end()) {
    same->at.insert(replica);
  } else {
    entries_.push_back({line, {}, {}, {replica}});
  }
}

/// Merges messages that differ only in their sender into one line.
void scenario_transcript::merge_senders() {
  std::vector<entry> merged;
  for (auto& each : entries_) {
    const auto same = std::ranges::find_if(merged, [&](const entry& other) {
      return !each.from.empty() && other.text == each.text && other.to == each.to &&
             !other.from.contains(*each.from.begin());
    });
    if (same != merged.end()) {
      same->from.insert(each.from.begin(), each.from.end());
    } else {
      merged.push_back(std::move(each));
    }
  }
  entries_ = std::move(merged);
}

std::string scenario_transcript::receivers(const entry& told) const {
  std::set<principal> others;
  for (std::uint32_t number = 0; number < replicas_; ++number)
    others.insert(principal::of(replica_id{number}));
  for (const auto& each : told.from)
    others.erase(each);
  if (told.to == others && told.to.size() > 1) return "*";
  return joined(told.to, [](principal who) { return short_name(who); });
}

std::string scenario_transcript::line_of(const entry& told) const {
  if (!told.from.empty()) {
    return fmt::format("{} -> {} {}", joined(told.from, [](principal who) { return short_name(who); }), receivers(told),
                       told.text);
  }
  if (told.at.empty()) return told.text;
  return fmt::format("{} at {}", told.text, joined(told.at, [](replica_id id) { return fmt::to_string(id.value); }));
}

std::string scenario_transcript::take() {
  merge_senders();
  std::string text;
  for (const auto& each : entries_)
    text += line_of(each) + "\n";
  entries_.clear();
  return text;
}

}  // namespace hypermesh::testing
