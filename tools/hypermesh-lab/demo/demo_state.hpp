#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/ports.hpp"

namespace hypermesh::lab {

/// What a viewer does to the cluster.
enum class demo_action : std::uint8_t { kill, pause, cut_off, split, lie, lose_disk, heal, quit };
inline constexpr auto demo_action_last = demo_action::quit;

/// A key of the terminal, and the same action on the page.
struct demo_key {
  char key;
  demo_action action;
  /// The name in requests of the page.
  std::string_view word;
  std::string_view about;
};
inline constexpr std::array<demo_key, 8> demo_keys = {
    {{'k', demo_action::kill, "kill", "kill the primary"},
     {'p', demo_action::pause, "pause", "pause a backup"},
     {'c', demo_action::cut_off, "cut-off", "cut a backup off from the others (partition)"},
     {'s', demo_action::split, "split", "split the network in two halves (partition)"},
     {'b', demo_action::lie, "lie", "make a replica Byzantine"},
     {'d', demo_action::lose_disk, "lose-disk", "destroy the disk of a backup"},
     {'h', demo_action::heal, "heal", "heal"},
     {'q', demo_action::quit, "quit", "stop everything and compare the states"}}};

/// The action of this name or key; nothing if there is none.
[[nodiscard]] std::optional<demo_action> action_named(std::string_view word);
[[nodiscard]] std::optional<demo_action> action_of(char key);

/// An action, and the replica that it concerns; without one, the demonstration chooses a suitable replica.
struct demo_request {
  demo_action action = demo_action::heal;
  std::optional<std::uint32_t> replica;

  friend bool operator==(const demo_request&, const demo_request&) = default;
};

/// The facts on which it depends which actions are possible.
struct demo_facts {
  std::uint32_t replicas = 4;
  /// Nothing if too few replicas answer.
  std::optional<std::uint32_t> primary;
  /// The replica that lies when no other one is named.
  std::uint32_t liar = 3;
  /// The last action that is not healed; `heal` if none.
  demo_action harm = demo_action::heal;
  /// The replica that it concerns; nothing if it is a split.
  std::optional<std::uint32_t> harmed;
  /// Whether a replica lied at some time.
  bool has_lied = false;
  /// Whether all replicas answer, none is on probation, and none lags behind.
  bool is_whole = true;

  [[nodiscard]] bool is_harmed() const { return harm != demo_action::heal; }
};

/// The request with its replica, if it is possible now. Otherwise says why not. Four replicas tolerate one fault, so a
/// second fault is refused until the first one is healed. Pure.
[[nodiscard]] or_error<demo_request> decide(const demo_request& wanted, const demo_facts& now);

/// The words on the button that ends the harm.
[[nodiscard]] std::string_view remedy_of(demo_action harm);

}  // namespace hypermesh::lab
