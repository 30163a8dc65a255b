#include "tools/hypermesh/commands/receipt_files.hpp"

#include <system_error>

#include <fmt/format.h>

#include "actors/protocol/receipts/receipt.hpp"
#include "runtime/base/durable_file.hpp"
#include "runtime/receipt_check.hpp"
#include "tools/hypermesh/commands/operations.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr mode_t receipt_mode = 0644;

/// Writes the receipt, or reports why there is none. The operation was executed in every case.
exit_code keep_receipt(const genesis& cluster, const receipted_outcome& done, const std::filesystem::path& file) {
  if (done.receipt.empty()) {
    return report_error({"the operation was executed, but fewer than f + 1 replicas signed a receipt in time",
                         "check which replicas are reachable: hypermesh status; a receipt of a later read of the same "
                         "key proves the value: hypermesh get --proof"},
                        exit_code::no_quorum);
  }
  if (auto written = write_durable_file(file, as_text(done.receipt), receipt_mode, existing_file::keep); !written)
    return report_error(written.error(), exit_code::failed);
  const auto checked = check_receipt(done.receipt, cluster);
  if (!checked) return report_error(checked.error(), exit_code::failed);
  say(fmt::format("receipt {}: signed by {}", quoted(file),
                  strength_text(checked->strength, checked->signers.size(), cluster)));
  return exit_code::ok;
}

}  // namespace

or_error<void> check_new_receipt(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) return {};
  return tl::unexpected(world_error{fmt::format("{} exists, and a receipt is never overwritten", quoted(file)),
                                    "name another file", fault_origin::configuration});
}

exit_code submit_for_receipt_file(cluster_session& session, const byte_vector& operation,
                                  const std::filesystem::path& file, bool as_json) {
  const auto done = session.client().submit_with_receipt(operation).get();
  if (!std::holds_alternative<operation_result>(done.outcome))
    return print_outcome(session.cluster(), operation, done.outcome, as_json);
  const auto kept = keep_receipt(session.cluster(), done, file);
  auto shown = show_outcome(session.cluster(), operation, done.outcome);
  if (as_json) {
    shown.json["receipt"] = kept == exit_code::ok ? nlohmann::ordered_json(file.string()) : nullptr;
    shown.json["receipt_strength"] = to_string(done.strength);
    print_json(shown.json);
  } else {
    print(shown.line + "\n");
  }
  return worse_of(shown.code, kept);
}

or_error<byte_vector> read_receipt_file(const std::filesystem::path& file) {
  const auto text = read_small_file(file, receipt_bytes_max);
  if (!text) return failure_of(text);
  return to_byte_vector(*text);
}

std::string strength_text(receipt_strength strength, std::size_t signers, const genesis& cluster) {
  const auto group = cluster.parameters().group();
  const auto of = fmt::format("{} of {} replicas", signers, group.replicas());
  switch (strength) {
    case receipt_strength::quorum:
      return of + ", a quorum";
    case receipt_strength::sufficient:
      return fmt::format("{}, which is f + 1 and not a quorum of {}", of, group.quorum());
    case receipt_strength::insufficient:
      return fmt::format("{}, too few to prove anything; f + 1 is {}", of, group.weak_quorum());
  }
  return of;
}

}  // namespace hypermesh::cli
