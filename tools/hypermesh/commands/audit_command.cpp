#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/audit/audit_verifier.hpp"
#include "runtime/audit/member_verifier.hpp"
#include "runtime/base/nearest_word.hpp"
#include "runtime/node_config.hpp"
#include "tools/hypermesh/commands/audit_text.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

constexpr auto show_examples =
    "Examples:\n"
    "  hypermesh audit show --config mycluster/replica-0/node.toml\n"
    "  hypermesh audit show mycluster/replica-0/audit --since 1000 --kind view_entered --kind suspicion\n"
    "  hypermesh audit show mycluster/replica-0/audit -o json | jq 'select(.kind == \"committed\")'\n"
    "\n"
    "Reads the trail and checks its chain, but not its signatures. 'hypermesh audit verify' checks both.";

constexpr auto verify_examples =
    "Examples:\n"
    "  hypermesh audit verify --config mycluster/replica-0/node.toml\n"
    "  hypermesh audit verify evidence/audit --genesis mycluster/genesis.toml\n"
    "  hypermesh audit verify evidence/audit --genesis mycluster/genesis.toml --chain-only -o json\n"
    "\n"
    "Needs only the genesis file. Exit codes: 0 the trail is unchanged since its replica wrote it; 1 it was\n"
    "changed, and a message names the first place of the change; 2 wrong usage.";

constexpr auto export_examples =
    "Examples:\n"
    "  hypermesh audit export mycluster/replica-0/audit > trail.jsonl\n"
    "\n"
    "Prints all entries of the trail, one JSON object on each line, in the order of the chain.";

struct trail_options {
  std::string directory;
  std::string config;
  std::string genesis;
  std::uint64_t since = 0;
  std::vector<std::string> kinds;
  bool chain_only = false;
  output_options output;
};

/// The trail and the cluster that the options select.
struct chosen_trail {
  audit_folder folder;
  std::optional<genesis> cluster;
};

or_error<chosen_trail> find_trail(const trail_options& options) {
  chosen_trail out{{options.directory}, std::nullopt};
  if (!options.config.empty()) {
    auto read = read_node_config(options.config);
    if (!read) return failure_of(read);
    auto& config = *read;
    if (options.directory.empty()) out.folder = {config.audit.directory};
    out.cluster = std::move(config.cluster);
  }
  if (!options.genesis.empty()) {
    auto read = read_genesis(options.genesis);
    if (!read) return failure_of(read);
    out.cluster = std::move(read).value();
  }
  if (out.folder.root.empty()) {
    return tl::unexpected(world_error{"no audit trail given",
                                      "name the directory of the trail, or the replica's node.toml with --config"});
  }
  return out;
}

std::string place_text(const trail_spot& spot) {
  if (spot.segment == 0) return quoted(spot.file);
  return fmt::format("{}, byte {}, entry {}", quoted(spot.file), spot.offset, spot.index);
}

exit_code report_bad(const bad_place& bad) {
  return report_error({fmt::format("{}: {}", place_text(bad.spot), bad.what),
                       "keep the files unchanged; the entries before this place are valid"},
                      exit_code::failed);
}

// --- show and export -----------------------------------------------------------

void print_line(const audit_entry& entry, const audit_event& event) {
  print_report(fmt::format("{:>10}  {}  {:<17}  {}\n", entry.index, utc_text(entry.time_us), to_string(entry.kind),
                           text_of(event)));
}

/// Stops a walk if its output cannot be written.
or_reason<void> end_without_output() {
  return check_output().map_error([](const world_error& error) { return error.what; });
}

exit_code walk(const audit_folder& folder, const trail_visitor& visitor) {
  const auto walked = walk_trail(folder, visitor);
  if (!walked) return report_error(walked.error(), exit_code::failed);
  // The walk stopped because of the output and not because of the trail.
  if (!check_output()) return exit_code::failed;
  const auto& way = *walked;
  if (way.bad) return report_bad(*way.bad);
  if (way.unfinished_bytes > 0 && !is_being_written(folder)) {
    say(fmt::format("{}: the last {} bytes are not a complete entry", place_text(way.end_spot), way.unfinished_bytes));
  }
  return exit_code::ok;
}

std::vector<std::string> audit_kind_names() {
  std::vector<std::string> names;
  for (auto number = 0U; number <= static_cast<unsigned>(audit_kind_last); ++number) {
    // The numbers have gaps.
    const auto name = to_string(static_cast<audit_kind>(number));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

exit_code run_show(const trail_options& options) {
  const auto found = find_trail(options);
  if (!found) return report_error(found.error(), exit_code::usage);
  std::vector<audit_kind> wanted;
  for (const auto& each : options.kinds) {
    const auto kind = audit_kind_of(each);
    if (!kind) {
      return report_error(
          {fmt::format("unknown kind of entry '{}'{}", shortened_word(each), did_you_mean(each, audit_kind_names())),
           fmt::format("use one of: {}", fmt::join(audit_kind_names(), ", "))},
          exit_code::usage);
    }
    wanted.push_back(*kind);
  }
  if (!options.output.is_json()) {
    const auto titles = fmt::format("{:>10}  {:<27}  {:<17}  {}", "entry", "time", "kind", "what");
    print_report(text_style::of(STDOUT_FILENO).dim(titles) + "\n");
  }
  const trail_visitor visitor{[](const segment_header&, byte_span) { return or_reason<void>{}; },
                              [&](const trail_spot& spot, const audit_entry& entry, const audit_event& event,
                                  const chain_position&) -> or_reason<void> {
                                const bool is_wanted = entry.index >= options.since &&
                                                       (wanted.empty() || std::ranges::count(wanted, entry.kind) > 0);
                                if (!is_wanted) return {};
                                if (options.output.is_json()) {
                                  print_json(json_of(entry, event, spot.segment, spot.offset));
                                } else {
                                  print_line(entry, event);
                                }
                                return end_without_output();
                              }};
  return walk(found->folder, visitor);
}

exit_code run_export(const trail_options& options) {
  const auto found = find_trail(options);
  if (!found) return report_error(found.error(), exit_code::usage);
  const auto& folder = found->folder;
  const trail_visitor visitor{[](const segment_header& header, byte_span bytes) -> or_reason<void> {
                                const json line = {{"record", "segment"},
                                                   {"segment", header.segment},
                                                   {"cluster", to_hex(header.owner.context.cluster.view())},
                                                   {"epoch", header.owner.context.epoch.value},
                                                   {"replica", header.owner.self.value},
                                                   {"first_index", header.start.next_index},
                                                   {"previous_hash", to_hex(header.start.hash.view())},
                                                   {"header", to_hex(bytes.first(segment_header_bytes))}};
                                print_json(line);
                                return end_without_output();
                              },
                              [](const trail_spot& spot, const audit_entry& entry, const audit_event& event,
                                 const chain_position&) -> or_reason<void> {
                                print_json(json_of(entry, event, spot.segment, spot.offset));
                                return end_without_output();
                              }};
  const auto head = read_trail_file(folder.head_file(), 2 * head_bytes);
  const auto code = walk(folder, visitor);
  if (head) print_json(json{{"record", "head"}, {"bytes", to_hex(*head)}});
  return code;
}

// --- verify ----------------------------------------------------------------------

std::string kinds_text(const trail_verdict& verdict) {
  std::string text;
  for (const auto& [kind, count] : verdict.entries_by_kind)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", to_string(kind), grouped(count));
  return text;
}

std::string contradiction_text(const found_contradiction& it) {
  const auto place = fmt::format("sequence {}, entries {} and {}", it.sequence.value, it.first_index, it.second_index);
  if (!it.replica) return fmt::format("two batches were committed at {}", place);
  return fmt::format("replica {} signed two {}s for view {}, {}", it.replica->value, to_string(it.kind), it.view.value,
                     place);
}

/// Describes the verified range: from the first existing entry to the last entry before the end or the bad place.
std::string range_text(const audit_reader& walk) {
  const auto first = walk.first ? walk.first->start.next_index : 0;
  if (walk.end.next_index == first) return "none";
  return fmt::format("{} to {}", first, walk.end.next_index - 1);
}

std::string table_of(const trail_verdict& verdict, const genesis& cluster, bool chain_only, const text_style& style) {
  text_table table{{{""}, {""}}};
  const auto& walk = verdict.walk;
  if (walk.first) {
    table.add({"trail", fmt::format("replica {} of cluster '{}' ({})", walk.first->owner.self.value, cluster.name,
                                    to_hex(cluster.id().view(), 8))});
    table.add(
        {"segments", fmt::format("{} to {}, {}", walk.first->segment, walk.last_segment, short_bytes(walk.bytes))});
  }
  table.add({"entries", range_text(walk)});
  table.add({"", kinds_text(verdict)});
  if (!verdict.seals.empty()) {
    const auto& first = verdict.seals.front();
    const auto& last = verdict.seals.back();
    table.add({"seals", fmt::format("{}, from {} to {}", grouped(verdict.seals.size()), utc_text(first.time_us),
                                    utc_text(last.time_us))});
    table.add({"last seal", fmt::format("entry {}, stable checkpoint {}, chain {}", last.index, last.checkpoint.value,
                                        to_hex(last.hash.view()))});
  }
  table.add({"unsealed", fmt::format("{} entries{}", grouped(verdict.unsealed()),
                                     verdict.is_live ? "; the node is still writing" : "")});
  if (verdict.entries_lost > 0) {
    table.add(
        {"missing", style.warning(fmt::format("{} entries, as the node reports", grouped(verdict.entries_lost)))});
  }
  table.add({"signatures", chain_only ? fmt::format("{} seals checked; signatures inside entries were skipped",
                                                    grouped(verdict.seals.size()))
                                      : fmt::format("{} checked", grouped(verdict.signatures_checked))});
  for (const auto& each : verdict.contradictions)
    table.add({style.bad("contradiction"), contradiction_text(each)});
  return table.text(style);
}

json json_of(const trail_spot& spot) {
  return {{"file", spot.file.string()}, {"segment", spot.segment}, {"offset", spot.offset}, {"index", spot.index}};
}

json json_of(const trail_verdict& verdict) {
  const auto& walk = verdict.walk;
  json out = {{"sound", verdict.is_sound()}, {"bad", nullptr}};
  if (walk.bad) {
    out["bad"] = json_of(walk.bad->spot);
    out["bad"]["what"] = walk.bad->what;
  }
  if (walk.first) {
    out["cluster"] = to_hex(walk.first->owner.context.cluster.view());
    out["replica"] = walk.first->owner.self.value;
    out["first_segment"] = walk.first->segment;
    out["last_segment"] = walk.last_segment;
    out["first_index"] = walk.first->start.next_index;
  }
  out["next_index"] = walk.end.next_index;
  out["chain_hash"] = to_hex(walk.end.hash.view());
  out["bytes"] = walk.bytes;
  out["unsealed"] = verdict.unsealed();
  out["unfinished_bytes"] = walk.unfinished_bytes;
  out["live"] = verdict.is_live;
  out["closed"] = verdict.head && verdict.head->closed;
  out["entries_lost"] = verdict.entries_lost;
  out["signatures_checked"] = verdict.signatures_checked;
  out["entries_by_kind"] = json::object();
  for (const auto& [kind, count] : verdict.entries_by_kind)
    out["entries_by_kind"][std::string{to_string(kind)}] = count;
  out["seals"] = json::array();
  for (const auto& each : verdict.seals) {
    out["seals"].push_back({{"index", each.index},
                            {"time_us", each.time_us},
                            {"checkpoint", each.checkpoint.value},
                            {"chain_hash", to_hex(each.hash.view())}});
  }
  out["contradictions"] = json::array();
  for (const auto& each : verdict.contradictions) {
    out["contradictions"].push_back({{"replica", each.replica ? json(each.replica->value) : json(nullptr)},
                                     {"kind", to_string(each.kind)},
                                     {"view", each.view.value},
                                     {"sequence", each.sequence.value},
                                     {"entries", {each.first_index, each.second_index}}});
  }
  return out;
}

exit_code run_verify(const trail_options& options) {
  const auto found = find_trail(options);
  if (!found) return report_error(found.error(), exit_code::usage);
  const auto& [folder, cluster] = *found;
  if (!cluster) {
    return report_error(
        {"no genesis file given, so the members' keys are unknown", "name the cluster's genesis file with --genesis"},
        exit_code::usage);
  }
  const member_verifier keys{cluster->keys()};
  const auto checks = options.chain_only ? statement_checks::none : statement_checks::all;
  const auto verified = verify_trail(folder, cluster->parameters(), keys, checks);
  if (!verified) return report_error(verified.error(), exit_code::failed);
  const auto& verdict = *verified;
  if (options.output.is_json()) {
    print_json(json_of(verdict), 2);
  } else {
    print_report(table_of(verdict, *cluster, options.chain_only, text_style::of(STDOUT_FILENO)));
  }
  if (verdict.walk.bad) return report_bad(*verdict.walk.bad);
  say(fmt::format("the trail is complete and unchanged since replica {} wrote it{}",
                  verdict.walk.first->owner.self.value,
                  verdict.contradictions.empty() ? "" : "; it proves that a member was faulty"));
  return exit_code::ok;
}

void add_trail_options(CLI::App& command, trail_options& options) {
  auto* directory = command.add_option("DIR", options.directory, "Directory of the trail")->type_name("");
  command.add_option("--config", options.config, "The replica's node.toml, instead of the directory")
      ->type_name("FILE")
      ->excludes(directory);
}

template <class Run>
CLI::App* add_command(CLI::App& group, const char* name, const char* about, const char* examples,
                      chosen_command& chosen, const std::shared_ptr<trail_options>& options, Run run) {
  auto* command = group.add_subcommand(name, about);
  command->footer(examples);
  add_trail_options(*command, *options);
  command->callback([options, run, &chosen] { chosen = [options, run] { return run(*options); }; });
  return command;
}

}  // namespace

void add_audit(CLI::App& app, chosen_command& chosen) {
  auto* group = app.add_subcommand("audit", "Read and verify the audit trail of a replica");
  group->require_subcommand(1);
  group->footer(verify_examples);

  auto shown = std::make_shared<trail_options>();
  auto* show = add_command(*group, "show", "Print the entries of a trail", show_examples, chosen, shown, run_show);
  show->add_option("--since", shown->since, "Only entries from this index on")->type_name("N");
  show->add_option("--kind", shown->kinds, "Only entries of this kind; may be repeated")->type_name("KIND");
  add_output_option(*show, shown->output);

  auto verified = std::make_shared<trail_options>();
  auto* verify = add_command(*group, "verify", "Check that a trail is unchanged since its replica wrote it",
                             verify_examples, chosen, verified, run_verify);
  verify->add_option("--genesis", verified->genesis, "The cluster's genesis file")->type_name("FILE");
  verify->add_flag("--chain-only", verified->chain_only,
                   "Check chain, seals and head, but not the signatures inside entries; much faster");
  add_output_option(*verify, verified->output);

  add_command(*group, "export", "Print all entries of a trail as JSON lines", export_examples, chosen,
              std::make_shared<trail_options>(), run_export);
}

}  // namespace hypermesh::cli
