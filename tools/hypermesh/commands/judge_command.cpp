#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "runtime/receipt_check.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/commands/receipt_files.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

struct judge_options {
  std::string one;
  std::string other;
  std::string genesis;
  output_options output;
};

constexpr auto examples =
    "Examples:\n"
    "  hypermesh judge mine.receipt theirs.receipt --genesis genesis.toml\n"
    "  hypermesh judge mine.receipt theirs.receipt --genesis genesis.toml -o json\n"
    "\n"
    "Names the replicas that signed two receipts that contradict each other. Each of them is faulty, whatever the\n"
    "number of faulty replicas is. If both receipts have a quorum of signatures, at least f + 1 are named. Two\n"
    "receipts with fewer signatures may have no common signer, and then no replica is named.\n"
    "\n"
    "Exit codes: 0 the receipts contradict each other; 1 they do not; 2 wrong usage, or a receipt is not genuine.";

std::string_view reason_of(receipt_contradiction what) {
  switch (what) {
    case receipt_contradiction::none:
      return "the receipts do not contradict each other";
    case receipt_contradiction::two_statements:
      return "they are two different statements about one batch, and a correct replica executes each batch once";
    case receipt_contradiction::executed_twice:
      return "they show one request executed twice, and a correct replica executes each request once";
    case receipt_contradiction::time_fell:
      return "the later batch has an earlier ordered time, and at a correct replica the time never falls";
  }
  return "";
}

void print_judgement(const receipt_judgement& found, bool as_json) {
  auto culprits = json::array();
  for (const auto each : found.culprits)
    culprits.push_back(each.value);
  if (as_json) {
    return print_json({{"contradiction", found.what != receipt_contradiction::none},
                       {"kind", to_string(found.what)},
                       {"culprits", std::move(culprits)}},
                      2);
  }
  for (const auto each : found.culprits)
    print(fmt::format("replica {} signed both receipts and is faulty\n", each.value));
}

exit_code run_judge(const judge_options& options) {
  const auto cluster = read_genesis(options.genesis);
  if (!cluster) return report_error(cluster.error(), exit_code::usage);
  const auto one = read_receipt_file(options.one);
  if (!one) return report_error(one.error(), exit_code::usage);
  const auto other = read_receipt_file(options.other);
  if (!other) return report_error(other.error(), exit_code::usage);
  const auto found = compare_receipts(*one, *other, *cluster);
  if (!found) return report_error(found.error(), exit_code::usage);
  print_judgement(*found, options.output.is_json());
  if (found->what == receipt_contradiction::none) {
    say(std::string{reason_of(found->what)});
    return exit_code::failed;
  }
  say(fmt::format("the receipts contradict each other: {}", reason_of(found->what)));
  const auto group = cluster->parameters().group();
  if (found->culprits.empty()) {
    say(
        fmt::format("no replica is named, because none signed both; only receipts with a quorum of {} signatures each "
                    "always name f + 1 = {} replicas",
                    group.quorum(), group.weak_quorum()));
  } else if (found->culprits.size() > group.faulty_max()) {
    say(fmt::format("{} replicas are faulty, more than f = {}: the cluster cannot be trusted any more",
                    found->culprits.size(), group.faulty_max()));
  }
  return exit_code::ok;
}

}  // namespace

void add_judge(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("judge", "Name the replicas behind two receipts that contradict each other");
  auto options = std::make_shared<judge_options>();
  command->footer(examples);
  command->add_option("A", options->one, "The first receipt")->required()->type_name("");
  command->add_option("B", options->other, "The second receipt")->required()->type_name("");
  command->add_option("--genesis", options->genesis, "The cluster's genesis file")->required()->type_name("FILE");
  add_output_option(*command, options->output);
  command->callback([options, &chosen] { chosen = [options] { return run_judge(*options); }; });
}

}  // namespace hypermesh::cli
