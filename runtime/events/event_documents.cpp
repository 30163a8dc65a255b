#include "runtime/events/event_documents.hpp"

#include <fmt/format.h>

#include "runtime/base/wrapped_text.hpp"
#include "runtime/events/event_limiter.hpp"
#include "runtime/events/event_maker.hpp"

namespace hypermesh::runtime {

namespace {

using base::wrapped_text;

constexpr std::string_view reference_head = R"(# Events

Every event that a node can log. The log on stderr, `/api/v1/events` and the events of hosts have the
same names. This file is generated from `events/event_table.cpp` and `events/event_maker.cpp`:

```
hypermesh events print-reference > runtime/EVENTS.md
```

One event is one line (`[log]` of [CONFIGURATION.md](CONFIGURATION.md), `--log-format`,
`--log-level`):

```
2026-11-27T18:03:57.042Z warn replica-1 link_down: the link to replica-3 (10.0.0.9:7400) is lost: …
{"time":"2026-11-27T18:03:57.042Z","level":"warn","node":"replica-1","event":"link_down","text":"…",…}
```

Times are UTC. In JSON the fields of the event follow `text`. Text of peers is escaped, and a text
that is too long ends with `...`. No event contains a key, a token, or the content of an operation.
)";

std::string limits_text() {
  return wrapped_text(
      fmt::format("Of each kind, and of each member that the event is about, {} events pass at once, and then one in "
                  "{} s. The next one that passes says how many were left out: `left_out` and `left_out_s` in JSON. If "
                  "none follows for {} s, `events_left_out` says it.",
                  event_limiter::burst, std::chrono::duration_cast<std::chrono::seconds>(event_limiter::period).count(),
                  std::chrono::duration_cast<std::chrono::seconds>(event_limiter::silence).count()),
      "\n", "");
}

std::string fields_text(const event_row& row) {
  std::string text;
  for (const auto field : row.fields) {
    if (!field.empty()) text += fmt::format("{}`{}`", text.empty() ? "" : ", ", field);
  }
  return text;
}

/// "log, HTTP, hosts", by what gets the event.
std::string reach_text(const event_row& row) {
  std::string text = "log";
  if (row.is_streamed) text += ", HTTP";
  if (row.for_hosts) text += ", hosts";
  return text;
}

std::string group_text(event_group group) {
  auto text = fmt::format("\n## {}\n\n| event | level | seen in | fields |\n|---|---|---|---|\n", title_of(group));
  std::string sentences;
  for (const auto& row : event_table()) {
    if (row.group != group) continue;
    text += fmt::format("| `{}` | {} | {} | {} |\n", row.name, to_string(row.level), reach_text(row), fields_text(row));
    sentences += wrapped_text(fmt::format("`{}`: \"{}\". {}", row.name, row.sentence, row.about), "- ", "  ");
  }
  return text + "\n" + sentences;
}

std::string fields_reference() {
  std::string text = "\n## Fields\n\n";
  for (const auto& row : field_table())
    text += wrapped_text(fmt::format("`{}`: {}", row.name, row.about), "- ", "  ");
  return text;
}

std::string observations_reference() {
  std::string text =
      "\n## Observations\n\nThe cores of a node report observations (`actors/protocol/base/observations.hpp`). What "
      "becomes\nof each:\n\n";
  for (const auto& row : observation_table()) {
    std::string events;
    for (const auto kind : row.kinds)
      events += fmt::format("{}`{}`", events.empty() ? "" : ", ", to_string(kind));
    const auto outcome = events.empty() ? std::string{"no event."} : events + ".";
    text += wrapped_text(fmt::format("`{}`: {}{}{}", row.name, outcome, row.reason.empty() ? "" : " ", row.reason),
                         "- ", "  ");
  }
  return text;
}

}  // namespace

std::string events_reference_text() {
  auto text = std::string{reference_head} + limits_text();
  for (unsigned number = 0; number <= static_cast<unsigned>(event_group_last); ++number)
    text += group_text(static_cast<event_group>(number));
  return text + fields_reference() + observations_reference();
}

}  // namespace hypermesh::runtime
