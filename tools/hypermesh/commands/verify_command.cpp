#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/base/durable_file.hpp"
#include "runtime/receipt_check.hpp"
#include "runtime/state_machines/registry.hpp"
#include "tools/hypermesh/commands/audit_text.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/operations.hpp"
#include "tools/hypermesh/commands/receipt_files.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/text_table.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

struct verify_options {
  std::string receipt;
  std::string genesis;
  std::vector<std::string> words;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh submit --cluster mycluster --receipt blue.receipt put colour blue\n"
    "  hypermesh get --cluster mycluster --proof colour.receipt colour\n"
    "  hypermesh verify blue.receipt --genesis genesis.toml\n"
    "  hypermesh verify blue.receipt --genesis genesis.toml -- put colour blue\n"
    "\n"
    "Needs only the genesis file, and no connection to the cluster. f + 1 signatures prove that the operation was\n"
    "executed with this result, unless more than f replicas are faulty. With WORDS the receipt must be of exactly\n"
    "this operation. 'hypermesh judge' compares two receipts.\n"
    "\n"
    "Exit codes: 0 proven; 1 not proven: the receipt is not genuine, too few replicas signed, or it is of another\n"
    "operation; 2 wrong usage, or a file cannot be read.";

std::string numbers_of(const std::vector<replica_id>& replicas) {
  std::vector<std::uint32_t> numbers;
  for (const auto each : replicas)
    numbers.push_back(each.value);
  return fmt::format("{}", fmt::join(numbers, ", "));
}

std::string time_of(const receipt_report& report) {
  const auto ms = report.ordered_time.time_since_epoch().count();
  return ms == 0 ? "none; the cluster had not agreed on a time" : utc_text(static_cast<std::uint64_t>(ms) * 1'000);
}

/// The first bytes of the operation in hexadecimal.
std::string operation_text(const byte_vector& operation) {
  constexpr std::size_t shown = 48;
  return fmt::format("{} bytes: {}{}", operation.size(), to_hex(operation, shown), operation.size() > shown ? "…" : "");
}

std::string table_of(const receipt_report& report, const genesis& cluster, const text_style& style) {
  text_table table{{{""}, {""}}};
  const auto outcome = show_outcome(cluster, report.operation, submit_outcome{report.result});
  table.add({"cluster", fmt::format("'{}' ({})", cluster.name, to_hex(cluster.id().view(), 8))});
  table.add({"client", fmt::format("{}, session {}, request {}, operation {}", report.client.value,
                                   report.session.value, report.when.value, report.index)});
  table.add({"executed", fmt::format("with batch {} ({})", report.sequence.value, to_hex(report.batch.view(), 8))});
  table.add({"ordered time", time_of(report)});
  table.add({"operation", operation_text(report.operation)});
  table.add({"result", outcome.line});
  const auto strength = strength_text(report.strength, report.signers.size(), cluster);
  const bool is_proof = report.strength != receipt_strength::insufficient;
  table.add({"signed by", is_proof ? style.good(strength) : style.bad(strength)});
  table.add({"", fmt::format("replicas {}", numbers_of(report.signers))});
  return table.text(style);
}

json json_of(const receipt_report& report, const genesis& cluster) {
  const auto group = cluster.parameters().group();
  auto signers = json::array();
  for (const auto each : report.signers)
    signers.push_back(each.value);
  json out = {{"genuine", true},
              {"proven", report.strength != receipt_strength::insufficient},
              {"reason", nullptr},
              {"strength", to_string(report.strength)},
              {"signers", std::move(signers)},
              {"weak_quorum", group.weak_quorum()},
              {"quorum", group.quorum()},
              {"cluster", to_hex(cluster.id().view())},
              {"client", report.client.value},
              {"session", report.session.value},
              {"timestamp", report.when.value},
              {"index", report.index},
              {"sequence", report.sequence.value},
              {"batch", to_hex(report.batch.view())},
              {"ordered_time_ms", report.ordered_time.time_since_epoch().count()},
              {"operation_hex", to_hex(report.operation)}};
  // The keys of an answer: status, result, result_hex and payload.
  out.update(show_outcome(cluster, report.operation, submit_outcome{report.result}).json);
  return out;
}

/// Reports a receipt that proves nothing. `shown` has the keys that are known.
exit_code refuse(const verify_options& options, json shown, const world_error& error) {
  if (options.output.is_json()) {
    shown["proven"] = false;
    shown["reason"] = error.what;
    print_json(shown, 2);
  }
  return report_error(error, exit_code::failed);
}

exit_code run_verify(const verify_options& options) {
  const auto cluster = read_genesis(options.genesis);
  if (!cluster) return report_error(cluster.error(), exit_code::usage);
  const auto bytes = read_receipt_file(options.receipt);
  if (!bytes) return report_error(bytes.error(), exit_code::usage);
  std::optional<byte_vector> wanted;
  if (!options.words.empty()) {
    auto parsed = parse_operation(cluster->state_machine, options.words);
    if (!parsed) return report_error({parsed.error(), ""}, exit_code::usage);
    wanted = std::move(*parsed);
  }
  const auto report = check_receipt(*bytes, *cluster);
  if (!report) return refuse(options, {{"genuine", false}}, report.error());
  auto shown = json_of(*report, *cluster);
  if (!options.output.is_json()) print_report(table_of(*report, *cluster, text_style::of(STDOUT_FILENO)));
  if (report->strength == receipt_strength::insufficient) {
    return refuse(options, std::move(shown),
                  {fmt::format("the receipt proves nothing, because it is signed by {}",
                               strength_text(report->strength, report->signers.size(), *cluster)),
                   "get another receipt: hypermesh submit --receipt FILE …"});
  }
  if (wanted && *wanted != report->operation) {
    return refuse(options, std::move(shown),
                  {"the receipt is genuine, but of another operation", "compare the bytes of the operation"});
  }
  if (options.output.is_json()) print_json(shown, 2);
  say(fmt::format("proven: client {} had {} executed, signed by {}", report->client.value,
                  wanted ? "this operation" : "the operation",
                  strength_text(report->strength, report->signers.size(), *cluster)));
  return exit_code::ok;
}

}  // namespace

void add_verify(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("verify", "Check a receipt with the genesis file alone");
  auto options = std::make_shared<verify_options>();
  command->footer(examples);
  command->add_option("FILE", options->receipt, "The receipt")->required()->type_name("");
  command->add_option("--genesis", options->genesis, "The cluster's genesis file")->required()->type_name("FILE");
  command->add_option("WORDS", options->words, "The operation that the receipt must be of")->type_name("");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_verify(*options); }; });
}

}  // namespace hypermesh::cli
