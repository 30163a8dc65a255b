#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/hypermesh-lab/demo/demo_state.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::lab {

/// One replica, as a viewer sees it.
struct replica_picture {
  std::uint32_t number = 0;
  bool is_primary = false;
  /// "ok" takes part, "doubt" may return by itself, "bad" does not take part.
  std::string_view kind = "ok";
  /// A word for its condition, for example "paused".
  std::string condition;
  /// Nothing if the replica does not answer.
  std::optional<std::uint64_t> view;
  std::uint64_t executed = 0;
  std::uint64_t stable = 0;
  /// The agreed reputation; nothing while the replicas do not agree on it.
  std::optional<std::uint64_t> score;
  std::uint64_t convictions = 0;
  /// The address of its page; empty if it has none.
  std::string page;
};

/// The demonstration at one moment, for the terminal and for the control panel of the page. Pure.
struct demo_picture {
  /// The page with buttons; empty in the JSON, because a page knows its address.
  std::string control_page;
  std::string health;
  std::vector<replica_picture> replicas;
  std::string load;
  std::uint64_t answered = 0;
  double rate = 0;
  /// What happened, the newest last.
  std::deque<std::string> notes;
  demo_facts facts;
  /// Whether a viewer may cause faults; otherwise the script does.
  bool takes_orders = true;
};

/// The page of the terminal. `message` is the reply to the last key. The lines that a small terminal cuts off are the
/// last ones: the older notes, and the addresses of the replicas' pages.
[[nodiscard]] std::string terminal_text(const demo_picture& now, std::string_view message,
                                        const cli::text_style& style);

/// The same for the control panel, with the possible actions of each replica.
[[nodiscard]] std::string panel_json(const demo_picture& now);

}  // namespace hypermesh::lab
