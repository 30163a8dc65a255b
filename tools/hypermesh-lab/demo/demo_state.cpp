#include "tools/hypermesh-lab/demo/demo_state.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace hypermesh::lab {

namespace {

tl::unexpected<world_error> refused(std::string what, std::string remedy) {
  return tl::unexpected(world_error{std::move(what), std::move(remedy)});
}

std::string sentence_of(const demo_facts& now) {
  if (now.harm == demo_action::split) return "the network is split in two halves";
  return fmt::format("replica {} is faulty already, and {} replicas tolerate {} fault{}", now.harmed.value_or(0),
                     now.replicas, (now.replicas - 1) / 3, now.replicas < 7 ? "" : "s");
}

or_error<demo_request> decide_heal(const demo_request& wanted, const demo_facts& now) {
  if (!now.is_harmed()) return refused("no replica is faulty", "cause a fault first");
  if (wanted.replica && now.harmed && wanted.replica != now.harmed) {
    return refused(fmt::format("replica {} is not faulty, replica {} is", *wanted.replica, *now.harmed),
                   fmt::format("heal replica {}", *now.harmed));
  }
  if (now.harm == demo_action::lose_disk && !now.is_whole)
    return refused(fmt::format("replica {} is not readmitted yet", now.harmed.value_or(0)), "wait some seconds");
  return demo_request{demo_action::heal, now.harmed};
}

/// A replica that the action suits if nobody named one: backups, and not the one that lies later.
std::uint32_t choice_for(demo_action action, const demo_facts& now, std::uint32_t primary) {
  if (action == demo_action::kill) return primary;
  if (action == demo_action::lie) return now.liar;
  for (std::uint32_t number = 1; number < now.replicas; ++number) {
    if (number != primary && number != now.liar) return number;
  }
  return primary;
}

}  // namespace

std::optional<demo_action> action_named(std::string_view word) {
  const auto found = std::ranges::find(demo_keys, word, &demo_key::word);
  return found == demo_keys.end() ? std::nullopt : std::optional{found->action};
}

std::optional<demo_action> action_of(char key) {
  const auto found = std::ranges::find(demo_keys, key, &demo_key::key);
  return found == demo_keys.end() ? std::nullopt : std::optional{found->action};
}

or_error<demo_request> decide(const demo_request& wanted, const demo_facts& now) {
  if (wanted.action == demo_action::quit) return demo_request{demo_action::quit, {}};
  if (wanted.replica && *wanted.replica >= now.replicas) {
    return refused(fmt::format("there is no replica {}", *wanted.replica),
                   fmt::format("name a replica from 0 to {}", now.replicas - 1));
  }
  if (wanted.action == demo_action::heal) return decide_heal(wanted, now);
  if (now.is_harmed()) return refused(sentence_of(now), "heal it first");
  if (wanted.action == demo_action::split) return demo_request{demo_action::split, {}};
  if (wanted.action == demo_action::lie && now.has_lied)
    return refused("a replica has lied already, and its conviction stays", "start the demonstration again");
  // A replica that catches up would be a second fault. A fault that is healed takes some seconds.
  if (!now.is_whole) return refused("a replica is still catching up", "wait some seconds");
  if (!wanted.replica && !now.primary) return refused("too few replicas answered to know the primary", "try again");
  return demo_request{wanted.action, wanted.replica ? wanted.replica : choice_for(wanted.action, now, *now.primary)};
}

std::string_view remedy_of(demo_action harm) {
  switch (harm) {
    case demo_action::kill:
      return "Restart";
    case demo_action::pause:
      return "Resume";
    case demo_action::cut_off:
    case demo_action::split:
      return "Reconnect";
    case demo_action::lie:
      return "Replace by an honest one";
    case demo_action::lose_disk:
    case demo_action::heal:
    case demo_action::quit:
      break;
  }
  return "Heal";
}

}  // namespace hypermesh::lab
