#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include "runtime/state_machines/printable.hpp"
#include "runtime/state_machines/scheduler_operations.hpp"

namespace hypermesh::machines::scheduler {

namespace {

/// The words of a command after the verb, separated into arguments and options.
struct command_words {
  std::vector<std::string> arguments;
  /// The value of each option NAME=VALUE. The value of a flag is empty.
  std::map<std::string, std::string, std::less<>> options;

  [[nodiscard]] std::string argument_or(std::size_t index, std::string_view otherwise) const {
    return index < arguments.size() ? arguments[index] : std::string{otherwise};
  }
  [[nodiscard]] std::string option_or(std::string_view name, std::string_view otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? std::string{otherwise} : found->second;
  }
};

/// Reads numbers and times of a command line. After the first wrong word, `flaw` names it.
class word_reader {
 public:
  /// The error uses the name that the usage text gives to the number.
  template <class Number>
  Number amount(std::string_view text, std::string_view what) {
    const auto value = parse_decimal<Number>(text);
    if (!value) note(fmt::format("{} \"{}\" is not an integer in range", what, text));
    return value.value_or(Number{});
  }

  std::chrono::milliseconds time(std::string_view text) {
    const auto unit_at = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto count = parse_decimal<std::uint32_t>(text.substr(0, unit_at));
    const auto unit = std::ranges::find(units, text.substr(unit_at), &time_unit::name);
    const bool is_time = count && *count > 0 && unit != units.end();
    const auto result = is_time ? unit->length * *count : std::chrono::milliseconds{0};
    if (is_time && result <= lease_max) return result;
    note(fmt::format("TIME \"{}\" is not a time up to 366 days; write for example 500ms, 30s, 10min or 2h", text));
    return {};
  }

  service_class service(std::string_view text) {
    const auto value = parse_service_class(text);
    if (!value) note(value.error());
    return value.value_or(service_class::best_effort);
  }

  void note(std::string_view flaw) {
    if (!flaw.empty() && flaw_.empty()) flaw_ = flaw;
  }
  [[nodiscard]] const std::string& flaw() const { return flaw_; }

 private:
  struct time_unit {
    std::string_view name;
    std::chrono::milliseconds length;
  };
  static constexpr std::array<time_unit, 4> units = {{{"ms", std::chrono::milliseconds{1}},
                                                      {"s", std::chrono::seconds{1}},
                                                      {"min", std::chrono::minutes{1}},
                                                      {"h", std::chrono::hours{1}}}};
  std::string flaw_;
};

/// CPU_MILLI MEMORY_MIB [GPUS GPU_MILLI [MODELS]], from the argument `first` on.
demand read_demand(const command_words& words, std::size_t first, word_reader& in) {
  const auto models = words.argument_or(first + 4, "-");
  demand needs;
  needs.cpu_milli = in.amount<std::uint32_t>(words.arguments[first], "CPU_MILLI");
  needs.memory_mib = in.amount<std::uint32_t>(words.arguments[first + 1], "MEMORY_MIB");
  needs.gpus = in.amount<std::uint8_t>(words.argument_or(first + 2, "0"), "GPUS");
  needs.gpu_milli = in.amount<std::uint16_t>(words.argument_or(first + 3, "0"), "GPU_MILLI");
  needs.models = parse_models(models == "-" ? "" : models);
  in.note(flaw_of(needs));
  return needs;
}

std::uint64_t seen_in(const command_words& words, word_reader& in) {
  return in.amount<std::uint64_t>(words.option_or("seen", "0"), "seen=EVENT");
}

std::uint16_t limit_in(const command_words& words, word_reader& in) {
  const auto limit = in.amount<std::uint16_t>(words.option_or("limit", "100"), "limit=N");
  if (limit == 0 || limit > page_rows_max) in.note(fmt::format("limit is 1 to {}", page_rows_max));
  return limit;
}

operation make_register(const command_words& words, word_reader& in) {
  node_spec node;
  node.name = words.arguments[0];
  node.cpu_milli = in.amount<std::uint32_t>(words.arguments[1], "CPU_MILLI");
  node.memory_mib = in.amount<std::uint32_t>(words.arguments[2], "MEMORY_MIB");
  node.gpus = in.amount<std::uint8_t>(words.argument_or(3, "0"), "GPUS");
  node.gpu_model = words.argument_or(4, "");
  in.note(flaw_of(node));
  return register_node{node};
}

operation make_submit(const command_words& words, word_reader& in) {
  submit_task made;
  made.task = {words.arguments[0], read_demand(words, 1, in), in.service(words.argument_or(6, "BE"))};
  made.key = words.option_or("key", "");
  made.places = words.options.contains("place");
  if (words.options.contains("lease")) made.lease = in.time(words.option_or("lease", ""));
  in.note(flaw_of(made.task));
  in.note(flaw_of_key(made.key));
  return made;
}

template <class Named>
operation make_named(const command_words& words, word_reader&) {
  return Named{words.arguments[0]};
}

template <class Read>
operation make_named_read(const command_words& words, word_reader& in) {
  return Read{words.arguments[0], seen_in(words, in)};
}

template <class Read>
operation make_read(const command_words& words, word_reader& in) {
  return Read{seen_in(words, in)};
}

operation make_remove(const command_words& words, word_reader&) {
  return remove_node{words.arguments[0], words.options.contains("evict")};
}

operation make_renew(const command_words& words, word_reader& in) {
  const bool has_time = words.arguments.size() == 2;
  return renew_lease{words.arguments[0], has_time ? in.time(words.arguments[1]) : std::chrono::milliseconds{0}};
}

operation make_expire(const command_words&, word_reader&) { return expire_leases{}; }

operation make_explain(const command_words& words, word_reader& in) {
  return explain_task{words.arguments[0], words.option_or("after", ""), seen_in(words, in)};
}

operation make_explain_demand(const command_words& words, word_reader& in) {
  return explain_demand{read_demand(words, 0, in), words.option_or("after", ""), seen_in(words, in)};
}

template <class List>
operation make_list(const command_words& words, word_reader& in) {
  return List{words.option_or("after", ""), limit_in(words, in), seen_in(words, in)};
}

operation make_list_placed(const command_words& words, word_reader& in) {
  const auto after = in.amount<std::uint64_t>(words.option_or("after", "0"), "after=N");
  return list_placed{after, limit_in(words, in), seen_in(words, in)};
}

operation make_events(const command_words& words, word_reader& in) {
  const auto since = in.amount<std::uint64_t>(words.arguments[0], "SINCE");
  return query_events{since, limit_in(words, in), seen_in(words, in)};
}

/// One verb with the counts of its arguments and the options that it allows.
struct verb {
  std::string_view name;
  std::vector<std::size_t> counts;
  std::vector<std::string_view> options;
  operation (*make)(const command_words&, word_reader&);
  /// Whether the first argument is a name.
  bool has_name = true;
};

const std::vector<verb>& verbs() {
  static const std::vector<verb> all = {
      {"register-node", {3, 5}, {}, make_register},
      {"drain-node", {1}, {}, make_named<drain_node>},
      {"undrain-node", {1}, {}, make_named<undrain_node>},
      {"remove-node", {1}, {"evict"}, make_remove},
      {"submit-task", {3, 5, 6, 7}, {"key=", "lease=", "place"}, make_submit},
      {"place-task", {1}, {}, make_named<place_task>},
      {"release-task", {1}, {}, make_named<release_task>},
      {"end-task", {1}, {}, make_named<end_task>},
      {"renew-lease", {1, 2}, {}, make_renew},
      {"expire-leases", {0}, {}, make_expire, false},
      {"node", {1}, {"seen="}, make_named_read<query_node>},
      {"task", {1}, {"seen="}, make_named_read<query_task>},
      {"summary", {0}, {"seen="}, make_read<query_summary>, false},
      {"capacity", {0}, {"seen="}, make_read<query_capacity>, false},
      {"explain", {1}, {"after=", "seen="}, make_explain},
      {"explain-demand", {2, 4, 5}, {"after=", "seen="}, make_explain_demand, false},
      {"nodes", {0}, {"after=", "limit=", "seen="}, make_list<list_nodes>, false},
      {"tasks", {0}, {"after=", "limit=", "seen="}, make_list<list_tasks>, false},
      {"placed-tasks", {0}, {"after=", "limit=", "seen="}, make_list_placed, false},
      {"events", {1}, {"limit=", "seen="}, make_events, false},
  };
  return all;
}

/// Separates the options at the end of a command from its arguments. A name in front of them may look like an option.
command_words separate(std::span<const std::string> words, const verb& known) {
  auto end = words.size();
  command_words result;
  while (end > 1 + known.counts.front()) {
    const auto& word = words[end - 1];
    const auto equals = word.find('=');
    const auto name = equals == std::string::npos ? word : word.substr(0, equals + 1);
    if (std::ranges::find(known.options, name) == known.options.end()) break;
    const auto value = equals == std::string::npos ? std::string{} : word.substr(equals + 1);
    if (!result.options.emplace(name.substr(0, std::min(equals, name.size())), value).second) break;
    --end;
  }
  result.arguments.assign(words.begin() + 1, words.begin() + static_cast<std::ptrdiff_t>(end));
  return result;
}

}  // namespace

std::string_view usage() {
  return "register-node NAME CPU_MILLI MEMORY_MIB [GPUS MODEL]\n"
         "drain-node NAME      place no more tasks on a node; its tasks stay\n"
         "undrain-node NAME    let a drained node accept tasks again\n"
         "remove-node NAME [evict]\n"
         "                     remove a node without tasks; with evict, its tasks move or wait\n"
         "submit-task NAME CPU_MILLI MEMORY_MIB [GPUS GPU_MILLI [MODEL|MODEL… or - [BE, Burstable, LS or "
         "Guaranteed]]] [key=KEY] [lease=TIME] [place]\n"
         "                     key: a repetition gets the first result; lease: ends the placement; place: at once\n"
         "place-task NAME      place a task, or queue it if it fits no node\n"
         "release-task NAME    end a placed task\n"
         "end-task NAME        release a placed task, remove any other\n"
         "renew-lease NAME [TIME]\n"
         "                     let the lease of a placed task begin again\n"
         "expire-leases        release tasks whose leases are over, as every write does\n"
         "node NAME            read one node\n"
         "task NAME            read one task\n"
         "summary              read the totals\n"
         "capacity             read the free resources of each GPU model, and their fragmentation\n"
         "explain NAME [after=NODE]\n"
         "                     read why a task is not placed, from 1,024 nodes\n"
         "explain-demand CPU_MILLI MEMORY_MIB [GPUS GPU_MILLI [MODEL|MODEL…]] [after=NODE]\n"
         "nodes [after=NAME] [limit=N]\n"
         "tasks [after=NAME] [limit=N]\n"
         "placed-tasks [after=N] [limit=N]\n"
         "                     read the placed tasks in the order of their placement\n"
         "events SINCE [limit=N]\n"
         "                     read what happened after the event SINCE; 0 is the beginning\n"
         "A read with seen=EVENT is refused by a replica that has not reached this event.\n";
}

or_reason<byte_vector> parse_operation(std::span<const std::string> words) {
  const auto wrong = [](std::string_view what) { return invalid(fmt::format("{}; use one of:\n{}", what, usage())); };
  if (words.empty()) return wrong("no operation given");
  const auto known = std::ranges::find(verbs(), words[0], &verb::name);
  if (known == verbs().end()) return wrong(fmt::format("\"{}\" is not an operation", words[0]));
  const auto separated = words.size() > known->counts.front() ? separate(words, *known) : command_words{};
  const auto count = separated.arguments.size();
  if (words.size() <= known->counts.front() || std::ranges::find(known->counts, count) == known->counts.end()) {
    return wrong(fmt::format("\"{}\" with {} arguments is not an operation", words[0], words.size() - 1));
  }
  if (known->has_name && !is_name(separated.arguments[0])) return wrong("a name has 1 to 64 visible characters");
  word_reader in;
  const auto made = known->make(separated, in);
  if (!in.flaw().empty()) return wrong(in.flaw());
  return encode(made);
}

}  // namespace hypermesh::machines::scheduler
