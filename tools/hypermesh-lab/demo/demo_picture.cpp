#include "tools/hypermesh-lab/demo/demo_picture.hpp"

#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::lab {

namespace {

using json = nlohmann::ordered_json;

struct button {
  demo_action action;
  std::string_view label;
};
constexpr std::array<button, 5> buttons = {{{demo_action::kill, "Kill"},
                                            {demo_action::pause, "Pause"},
                                            {demo_action::cut_off, "Cut off"},
                                            {demo_action::lie, "Make Byzantine"},
                                            {demo_action::lose_disk, "Lose disk"}}};

std::string_view word_of(demo_action action) {
  for (const auto& each : demo_keys) {
    if (each.action == action) return each.word;
  }
  return "";
}

json button_json(const demo_picture& now, const demo_request& request, std::string_view label) {
  const auto decided = decide(request, now.facts);
  std::string why;
  if (!now.takes_orders) {
    why = "the demonstration follows its script; start it without --script";
  } else if (!decided) {
    why = fmt::format("{}; {}", decided.error().what, decided.error().remedy);
  }
  return {{"action", word_of(request.action)}, {"label", label}, {"possible", why.empty()}, {"why", why}};
}

json buttons_json(const demo_picture& now, std::uint32_t replica) {
  auto all = json::array();
  for (const auto& [action, label] : buttons) {
    // The button of a fault becomes the button of its end.
    if (now.facts.harm == action && now.facts.harmed == replica) {
      all.push_back(button_json(now, {demo_action::heal, replica}, remedy_of(action)));
    } else {
      all.push_back(button_json(now, {action, replica}, label));
    }
  }
  return all;
}

std::string styled_condition(const replica_picture& of, const cli::text_style& style) {
  auto text = of.is_primary ? style.bold("primary") : std::string{"backup"};
  if (of.kind == "ok") return text;
  return fmt::format("{}, {}", text, of.kind == "bad" ? style.bad(of.condition) : style.warning(of.condition));
}

std::string replica_table(const demo_picture& now, const cli::text_style& style) {
  using side = cli::text_table::side;
  cli::text_table table{{{"replica"},
                         {"role"},
                         {"view", side::right},
                         {"executed", side::right},
                         {"stable", side::right},
                         {"score", side::right},
                         {"convictions", side::right}}};
  for (const auto& each : now.replicas) {
    table.add({std::to_string(each.number), styled_condition(each, style), each.view ? std::to_string(*each.view) : "",
               each.view ? cli::grouped(each.executed) : "", each.view ? cli::grouped(each.stable) : "",
               each.score ? std::to_string(*each.score) : "?", each.score ? std::to_string(each.convictions) : "?"});
  }
  return table.text(style);
}

}  // namespace

std::string terminal_text(const demo_picture& now, std::string_view message, const cli::text_style& style) {
  auto text = style.bold("HyperMesh: four replicas, one of which may be faulty") + "\n";
  text += fmt::format("page with buttons: {}\n\n", now.control_page);
  text += fmt::format("{}\n\n{}\n", now.health, replica_table(now, style));
  text +=
      fmt::format("{}\n{} operations answered, {:.0f} a second\n\n", now.load, cli::grouped(now.answered), now.rate);
  constexpr std::size_t keys_in_line = 4;
  std::size_t count = 0;
  for (const auto& each : demo_keys)
    text += fmt::format("{} {:<14}{}", style.bold(std::string(1, each.key)), each.word,
                        ++count % keys_in_line == 0 ? "\n" : "");
  text += fmt::format("{}\n\n", message);
  for (auto each = now.notes.rbegin(); each != now.notes.rend(); ++each)
    text += "  " + *each + "\n";
  text += "\n";
  for (const auto& each : now.replicas) {
    if (!each.page.empty()) text += fmt::format("page of replica {}: {}\n", each.number, each.page);
  }
  return text;
}

std::string panel_json(const demo_picture& now) {
  auto replicas = json::array();
  for (const auto& each : now.replicas) {
    replicas.push_back({{"number", each.number},
                        {"role", each.is_primary ? "primary" : "backup"},
                        {"kind", each.kind},
                        {"condition", each.condition},
                        {"page", each.page},
                        {"buttons", buttons_json(now, each.number)}});
  }
  const bool is_split = now.facts.harm == demo_action::split;
  const auto split = is_split ? button_json(now, {demo_action::heal, {}}, remedy_of(demo_action::split))
                              : button_json(now, {demo_action::split, {}}, "Split in two halves");
  const json all = {
      {"replicas", replicas},
      {"group",
       {{"split", is_split}, {"buttons", json::array({split, button_json(now, {demo_action::quit, {}}, "Quit")})}}},
      {"load", now.load},
      {"answered", now.answered},
      {"rate", now.rate},
      {"notes", now.notes}};
  return all.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace hypermesh::lab
