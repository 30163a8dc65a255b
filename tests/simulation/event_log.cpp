#include "tests/simulation/event_log.hpp"

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "tests/support/message_line.hpp"

namespace hypermesh::testing {

namespace {

std::string frame_text(const frame_ptr& frame) {
  const auto decoded = decode(frame);
  if (!decoded) return fmt::format("undecodable: {}", to_string(decoded.error()));
  return to_line(*decoded);
}

/// Makes a line of an important observation. Other observations follow from the frames.
std::string text_of(const observation& what) {
  if (const auto* it = std::get_if<slot_committed>(&what)) {
    return fmt::format("commits n={} d={}", it->content.sequence.value, short_name(it->content.value));
  }
  if (const auto* it = std::get_if<batch_was_executed>(&what)) return fmt::format("executes n={}", it->sequence.value);
  if (const auto* it = std::get_if<watermarks_moved>(&what)) {
    return fmt::format("moves to h={} H={}", it->low.value, it->high.value);
  }
  if (const auto* it = std::get_if<checkpoint_became_stable>(&what)) {
    return fmt::format("has a stable checkpoint n={} d={}", it->sequence.value, short_name(it->root));
  }
  if (const auto* it = std::get_if<state_was_installed>(&what)) {
    return fmt::format("installs the state of n={} d={}", it->sequence.value, short_name(it->root));
  }
  if (const auto* it = std::get_if<divergence_found>(&what)) return fmt::format("diverges at n={}", it->sequence.value);
  if (const auto* it = std::get_if<view_was_entered>(&what)) return fmt::format("enters v={}", it->view.value);
  if (const auto* it = std::get_if<primary_suspected>(&what)) {
    return fmt::format("suspects the primary of v={}: {}", it->view.value, to_string(it->reason));
  }
  if (const auto* it = std::get_if<donor_replaced>(&what)) {
    return fmt::format("replaces the donor {}: {}", it->replica.value, to_string(it->reason));
  }
  if (const auto* it = std::get_if<probation_changed>(&what)) {
    if (it->floor == sequence_number{0}) return "lost its disk and says nothing";
    return fmt::format("lost its disk: votes above n={} and commits from v={}{}", it->floor.value, it->first_view.value,
                       it->over ? ", from now on" : "");
  }
  if (const auto* it = std::get_if<move_agreed>(&what)) {
    const auto& wanted = it->wanted;
    if (wanted.kind == message_kind::readmission) {
      return fmt::format("agrees at n={} to go to n={} for {}", it->sequence.value, it->through.value,
                         wanted.about.value);
    }
    return fmt::format("agrees at n={} to leave for v={} for {}: {}", it->sequence.value, wanted.to.value,
                       wanted.about.value, to_string(wanted.cause));
  }
  if (const auto* it = std::get_if<node_failed>(&what)) return "fails: " + it->error.what;
  if (const auto* it = std::get_if<frame_rejected>(&what)) {
    return fmt::format("refuses a frame of {}: {}", short_name(it->sender), to_string(it->reason));
  }
  return {};
}

}  // namespace

std::string short_name(endpoint machine) {
  return fmt::format("{}{}{}", machine.who.is_client() ? "c" : "", machine.who.number, machine.is_copy ? "b" : "");
}

void event_log::delivered(moment now, const frame_transit& transit) {
  ++frames_;
  const auto number_of = [](endpoint machine) {
    const auto kind = machine.who.is_client() ? 1U : (machine.is_copy ? 2U : 0U);
    return (std::uint64_t{machine.who.number} << 2U) | kind;
  };
  const auto since = static_cast<std::uint64_t>(now.time_since_epoch().count());
  hash_.add(since).add(number_of(transit.source())).add(number_of(transit.target()));
  hash_.add(digest_of("simulated frame", *transit.frame));
  keep({now, transit, {}});
}

void event_log::observed(moment now, endpoint machine, const observation& what) {
  auto text = text_of(what);
  if (!text.empty()) keep({now, std::nullopt, fmt::format("{} {}", short_name(machine), text)});
}

void event_log::noted(moment now, std::string text) { keep({now, std::nullopt, std::move(text)}); }

void event_log::keep(event happened) {
  if (trace_) trace_(line_of(happened));
  kept_.push_back(std::move(happened));
  if (kept_.size() > kept_max) kept_.pop_front();
}

std::string event_log::line_of(const event& happened) {
  const auto text = happened.transit
                        ? fmt::format("{} -> {} {}", short_name(happened.transit->source()),
                                      short_name(happened.transit->target()), frame_text(happened.transit->frame))
                        : happened.text;
  return fmt::format("{:>11.3f} ms  {}", static_cast<double>(happened.when.time_since_epoch().count()) / 1'000.0, text);
}

std::vector<std::string> event_log::last_lines() const {
  std::vector<std::string> lines;
  lines.reserve(kept_.size());
  for (const auto& each : kept_)
    lines.push_back(line_of(each));
  return lines;
}

}  // namespace hypermesh::testing
