#include "tests/style/style_rules.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "tests/style/function_sizes.hpp"
#include "tests/style/source_text.hpp"

namespace hypermesh::style {

namespace {

bool is_cpp(std::string_view path) { return path.ends_with(".cpp") || path.ends_with(".hpp"); }

bool is_under(std::string_view path, std::string_view folder) { return path.starts_with(folder); }

std::string_view folder_of(std::string_view path) { return path.substr(0, path.rfind('/') + 1); }

std::string_view file_name_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// --- Includes ----------------------------------------------------------------

/// The layers from the bottom. A file may include its own layer and the layers before it.
constexpr std::array<std::string_view, 6> layers = {"schemas/", "messages/", "actors/protocol/",
                                                    "actors/",  "runtime/",  "tools/"};

std::optional<std::size_t> layer_of(std::string_view path) {
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    if (is_under(path, layers[layer])) return layer;
  }
  return std::nullopt;
}

/// The public headers stand in `public_folder` and are included by their path from there. Every file may include them.
constexpr std::string_view public_folder = "runtime/include/";
constexpr std::string_view public_prefix = "hypermesh/";
/// The public headers for hosts that are actor systems.
constexpr std::string_view actor_hosts_prefix = "hypermesh/caf/";

/// The reason why a public header must not include `target`; empty when it may. Hosts get no other header of ours, and
/// hosts without actors get no header of a library except tl::expected.
std::string objection_to_public_include(std::string_view path, const include_line& include) {
  const std::string_view target = include.path;
  if (include.quoted) return "public headers include the standard library and each other, in angle brackets";
  const bool is_for_actor_hosts = is_under(path, std::string(public_folder) + std::string(actor_hosts_prefix));
  if (is_under(target, actor_hosts_prefix)) return is_for_actor_hosts ? "" : "hosts without actors include no CAF";
  if (is_under(target, public_prefix) || target == "tl/expected.hpp") return {};
  if (is_for_actor_hosts && is_under(target, "caf/")) return {};
  const bool is_standard = target.find('/') == std::string_view::npos && target.find('.') == std::string_view::npos;
  return is_standard ? "" : "public headers include the standard library, tl::expected and each other";
}

/// The header is abstract and free of CAF, so the protocol may include it although it is in actors/.
constexpr std::string_view ports_header = "actors/ports.hpp";

bool is_actor_header(std::string_view path) { return folder_of(path) == "actors/" && path.ends_with(".hpp"); }

/// Whether an actor's header may include this file of our own folders. The phase clock belongs to no actor.
bool is_open_to_actor_headers(std::string_view path) {
  return path == "actors/interfaces.hpp" || path == "actors/node_messages.hpp" || path == "actors/phase_clock.hpp" ||
         path == "actors/agenda.hpp" || path == ports_header || is_under(path, "actors/protocol/") ||
         is_under(path, "messages/");
}

/// The folders of the product's command line from the bottom. A file may include its own folder and the folders before
/// it.
constexpr std::array<std::string_view, 11> tool_folders = {
    "tools/hypermesh/terminal/", "tools/hypermesh/local_cluster/", "tools/hypermesh/client/",
    "tools/hypermesh/traces/",   "tools/hypermesh/load/",          "tools/hypermesh/runs/",
    "tools/hypermesh/bench/",    "tools/hypermesh/live/",          "tools/hypermesh/bundle/",
    "tools/hypermesh/gateway/",  "tools/hypermesh/commands/"};
/// The laboratory links the folders before this folder.
constexpr std::string_view first_folder_closed_to_lab = "tools/hypermesh/runs/";

/// The index of a file's folder in `tool_folders`; `main.cpp` comes after all of them.
std::size_t tool_folder_of(std::string_view path) {
  const auto found = std::find(tool_folders.begin(), tool_folders.end(), folder_of(path));
  return static_cast<std::size_t>(found - tool_folders.begin());
}

/// The reason why a file of `tools/` must not include `target`; empty when it may.
std::string objection_to_tool_include(std::string_view path, std::string_view target) {
  if (!is_under(target, "tools/hypermesh/")) return {};
  if (is_under(path, "tools/hypermesh-lab/")) {
    const bool is_open = tool_folder_of(target) < tool_folder_of(first_folder_closed_to_lab);
    return is_open ? "" : "the laboratory has the terminal and the load of the product, and none of its commands";
  }
  if (!is_under(path, "tools/hypermesh/") || tool_folder_of(target) <= tool_folder_of(path)) return {};
  return "includes point one way: terminal <- local_cluster <- client <- traces <- load <- runs <- bench <- live <- "
         "bundle <- commands";
}

/// The reason why `path` must not include `target`; empty when it may.
std::string objection_to_include(std::string_view path, const include_line& include) {
  const std::string_view target = include.path;
  if (is_under(path, public_folder)) return objection_to_public_include(path, include);
  if (is_under(target, public_folder)) return "include public headers as hosts do: <hypermesh/…>";
  const auto target_layer = layer_of(target);
  const bool target_in_tests = is_under(target, "tests/");
  if (include.quoted && !target_layer && !target_in_tests) {
    return "quotes are for our own headers, by their path from the top of the repository";
  }
  const bool brings_caf = is_under(target, "caf/") || is_under(target, actor_hosts_prefix);
  if ((path == ports_header || is_under(path, "actors/protocol/")) && brings_caf) {
    return "the protocol and its ports are free of CAF";
  }
  if (is_under(path, "tests/")) return {};
  if (target_in_tests) {
    // Examples are built with the installed headers, and the component `testing` installs these.
    if (is_under(path, "tools/examples/")) return {};
    return is_under(path, "tools/hypermesh-lab/") ? "" : "only tests and tools/hypermesh-lab include tests";
  }
  if (!target_layer) return {};
  if (is_under(target, "schemas/")) {
    // The codec's sources share one header of conversions. No other file may include it.
    const bool allowed =
        folder_of(path) == "messages/" && (path.ends_with(".cpp") || path == "messages/wire_values.hpp");
    return allowed ? "" : "generated headers appear in messages/*.cpp only";
  }
  if (is_under(target, "tools/hypermesh-lab/") && !is_under(path, "tools/hypermesh-lab/")) {
    return "the product contains nothing of the laboratory";
  }
  if (is_under(path, "actors/protocol/") && target == ports_header) return {};
  const auto own_layer = layer_of(path);
  if (own_layer && *target_layer > *own_layer) {
    return "includes point one way: schemas <- messages <- actors/protocol <- actors <- runtime <- tools";
  }
  if (auto objection = objection_to_tool_include(path, target); !objection.empty()) return objection;
  if (is_actor_header(path) && !is_open_to_actor_headers(target)) {
    return "actors know each other by typed handle: actors/interfaces.hpp, not another actor's header";
  }
  return {};
}

// --- Tokens ------------------------------------------------------------------

bool anywhere(std::string_view) { return true; }
bool in_protocol(std::string_view path) { return is_under(path, "actors/protocol/"); }
bool in_product(std::string_view path) { return !is_under(path, "tools/") && !is_under(path, "tests/"); }
bool where_nothing_sleeps(std::string_view path) {
  return !is_under(path, "tools/") && !is_under(path, "tests/integration/");
}
bool outside_of_verification(std::string_view path) { return path != "messages/verify.hpp"; }

bool outside_of_expected(std::string_view path) {
  return path != "messages/expected.hpp" && path != "runtime/include/hypermesh/expected.hpp";
}

struct banned_token {
  std::string_view token;
  bool (*applies_to)(std::string_view path);
  std::string_view reason;
  /// The rule also applies to comments.
  bool in_comments = false;
};

constexpr std::string_view no_actors = "the protocol knows no actors: return an effect";
constexpr std::string_view no_clock = "the protocol reads no clock: time comes with the event";
constexpr std::string_view no_randomness = "the protocol is deterministic: randomness comes through a port";
constexpr std::string_view no_world = "the protocol has no threads and no I/O: return an effect";
constexpr std::string_view no_hash_order =
    "the order of a hash table differs between replicas: use an ordered container";
constexpr std::string_view no_marks = "finish it, or put it into an issue";
constexpr std::string_view no_output = "only tools and tests print: use the log";
constexpr std::string_view one_failure_form =
    "one form for a value or its error: or_error, or_rejection or or_reason of hypermesh/expected.hpp";
constexpr std::string_view no_sleep = "wait for an event or use the actor system's clock";

constexpr banned_token banned_tokens[] = {
    {"caf::", in_protocol, no_actors},
    {"<caf/", in_protocol, no_actors},
    {"steady_clock", in_protocol, no_clock},
    {"system_clock", in_protocol, no_clock},
    {"high_resolution_clock", in_protocol, no_clock},
    {"clock::now", in_protocol, no_clock},
    {"random_device", in_protocol, no_randomness},
    {"mt19937", in_protocol, no_randomness},
    {"mt19937_64", in_protocol, no_randomness},
    {"rand(", in_protocol, no_randomness},
    {"<random>", in_protocol, no_randomness},
    {"<thread>", in_protocol, no_world},
    {"<mutex>", in_protocol, no_world},
    {"<atomic>", in_protocol, no_world},
    {"<fstream>", in_protocol, no_world},
    {"<iostream>", in_protocol, no_world},
    {"unordered_map", in_protocol, no_hash_order},
    {"unordered_set", in_protocol, no_hash_order},
    {"TODO", anywhere, no_marks, true},
    {"FIXME", anywhere, no_marks, true},
    {"XXX", anywhere, no_marks, true},
    {"HACK", anywhere, no_marks, true},
    {"using namespace std;", anywhere, "write std:: where it is needed"},
    {"std::cout", in_product, no_output},
    {"std::cerr", in_product, no_output},
    {"sleep_for", where_nothing_sleeps, no_sleep},
    {"sleep_until", where_nothing_sleeps, no_sleep},
    {"caf::infinite", anywhere, "every request has a deadline"},
    {"std::optional<world_error>", anywhere, one_failure_form},
    {", world_error>", outside_of_expected, one_failure_form},
    {", rejection>", outside_of_expected, one_failure_form},
    {"get_if<world_error>", anywhere, one_failure_form},
    {"get<world_error>", anywhere, one_failure_form},
    {"holds_alternative<world_error>", anywhere, one_failure_form},
    {"get_if<rejection>", anywhere, one_failure_form},
    {"get<rejection>", anywhere, one_failure_form},
    {"holds_alternative<rejection>", anywhere, one_failure_form},
    {"<tl/expected.hpp>", outside_of_expected, one_failure_form},
    {"flatbuffers::Verifier", outside_of_verification, "buffers are verified in one place: messages/verify.hpp"},
};

/// The position of `token` at or after `from`. Where the token begins or ends with a word character, the word must end
/// there.
std::size_t find_token(std::string_view text, std::string_view token, std::size_t from) {
  for (auto at = text.find(token, from); at != std::string_view::npos; at = text.find(token, at + 1)) {
    const auto end = at + token.size();
    const bool joined_before = at > 0 && is_identifier_char(token.front()) && is_identifier_char(text[at - 1]);
    const bool joined_after = end < text.size() && is_identifier_char(token.back()) && is_identifier_char(text[end]);
    if (!joined_before && !joined_after) return at;
  }
  return std::string_view::npos;
}

void find_banned(const source_file& file, const source_text& source, const banned_token& banned, violations& found) {
  const std::string_view view = banned.in_comments ? source.words : source.code;
  for (auto at = find_token(view, banned.token, 0); at != std::string_view::npos;
       at = find_token(view, banned.token, at + 1)) {
    found.push_back({file.path, line_of(view, at), std::string(banned.token) + ": " + std::string(banned.reason)});
  }
}

// --- Layout and names --------------------------------------------------------

constexpr std::array<std::string_view, 6> top_folders = {"actors", "messages", "schemas", "runtime", "tests", "tools"};
constexpr std::array<std::string_view, 5> top_files = {"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE",
                                                       "README.md"};

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_snake_case(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
}

bool has_foreign_extension(std::string_view path) {
  constexpr std::array<std::string_view, 6> extensions = {".h", ".hh", ".hxx", ".cc", ".cxx", ".c++"};
  return std::any_of(extensions.begin(), extensions.end(), [&](auto end) { return path.ends_with(end); });
}

/// The first folder in `path` whose name is not snake_case. Folders with the name of a binary are allowed.
std::string bad_folder_in(std::string_view path) {
  auto rest = folder_of(path);
  while (!rest.empty()) {
    const auto name = rest.substr(0, rest.find('/'));
    if (!is_snake_case(name) && name != "hypermesh-lab") return std::string(name);
    rest.remove_prefix(name.size() + 1);
  }
  return {};
}

}  // namespace

violations check_includes(const source_tree& tree) {
  violations found;
  for (const auto& file : tree) {
    if (!is_cpp(file.path)) continue;
    for (const auto& include : read_source(file.text).includes) {
      const auto reason = objection_to_include(file.path, include);
      if (!reason.empty()) found.push_back({file.path, include.line, include.path + ": " + reason});
    }
  }
  return found;
}

violations check_tokens(const source_tree& tree) {
  violations found;
  for (const auto& file : tree) {
    if (!is_cpp(file.path) && !file.path.ends_with(".fbs")) continue;
    const auto source = read_source(file.text);
    for (const auto& banned : banned_tokens) {
      if (banned.applies_to(file.path)) find_banned(file, source, banned, found);
    }
  }
  return found;
}

violations check_sizes(const source_tree& tree) {
  violations found;
  for (const auto& file : tree) {
    if (!is_cpp(file.path)) continue;
    const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
    if (lines > file_lines_max) {
      found.push_back(
          {file.path, 0,
           std::to_string(lines) + " lines: split the file by concern, at most " + std::to_string(file_lines_max)});
    }
    for (const auto& function : measure_functions(read_source(file.text).statements)) {
      if (function.lines <= function_lines_max) continue;
      found.push_back({file.path, function.line,
                       std::to_string(function.lines) + " lines in \"" + function.name + "\": at most " +
                           std::to_string(function_lines_max)});
    }
  }
  return found;
}

violations check_layout(const source_tree& tree) {
  violations found;
  std::set<std::string_view> folders;
  std::set<std::string_view> paths;
  for (const auto& file : tree) {
    const std::string_view path = file.path;
    paths.insert(path);
    const auto slash = path.find('/');
    if (slash != std::string_view::npos) {
      folders.insert(path.substr(0, slash));
    } else if (!contains(top_files, path) && !path.starts_with('.')) {
      found.push_back({file.path, 0, "does not belong at the top level: move it into a folder"});
    }
  }
  for (const auto folder : folders) {
    if (!contains(top_folders, folder)) {
      found.push_back({std::string(folder), 0, "is no folder of the design: move its files"});
    } else if (!paths.contains(std::string(folder) + "/README.md")) {
      found.push_back({std::string(folder), 0, "has no README.md: what lives here, what may not, how to add one more"});
    }
  }
  return found;
}

violations check_names(const source_tree& tree) {
  violations found;
  std::set<std::string> reported;
  for (const auto& file : tree) {
    if (has_foreign_extension(file.path)) found.push_back({file.path, 0, "C++ files end in .cpp or .hpp"});
    if (!is_cpp(file.path) && !file.path.ends_with(".fbs")) continue;
    const auto name = file_name_of(file.path);
    if (!is_snake_case(name.substr(0, name.rfind('.')))) found.push_back({file.path, 0, "file names are snake_case"});
    const auto folder = bad_folder_in(file.path);
    if (!folder.empty() && reported.insert(folder).second) {
      found.push_back({file.path, 0, "folder names are snake_case: " + folder});
    }
  }
  return found;
}

}  // namespace hypermesh::style
