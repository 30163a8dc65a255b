#include "runtime/receipt_check.hpp"

#include <fmt/format.h>

#include "actors/protocol/receipts/receipt_judge.hpp"
#include "actors/protocol/receipts/receipt_verifier.hpp"
#include "runtime/audit/member_verifier.hpp"

namespace hypermesh::runtime {

namespace {

struct genuine_receipt {
  protocol::receipt content;
  receipt_strength strength = receipt_strength::insufficient;
};

constexpr std::string_view get_another =
    "get another receipt: hypermesh submit --receipt FILE …, and use the genesis file of the same cluster";

or_error<genuine_receipt> genuine(byte_span bytes, const genesis& cluster, std::string_view which) {
  const auto refuse = [&](const std::string& why) {
    return tl::unexpected(world_error{fmt::format("{} is not genuine: {}", which, why), std::string{get_another},
                                      fault_origin::configuration});
  };
  auto content = protocol::read_receipt(bytes);
  if (!content) return refuse(content.error());
  const audit::member_verifier members{cluster.keys()};
  const auto strength = protocol::verify_receipt(*content, cluster.parameters(), members);
  if (!strength) return refuse(strength.error());
  return genuine_receipt{std::move(*content), *strength};
}

}  // namespace

or_error<receipt_report> check_receipt(byte_span bytes, const genesis& cluster) {
  auto found = genuine(bytes, cluster, "the receipt");
  if (!found) return failure_of(found);
  auto& [content, strength] = *found;
  receipt_report report;
  report.strength = strength;
  for (const auto& each : content.signatures)
    report.signers.push_back(each.replica);
  report.client = content.what.id.client;
  report.session = content.what.id.session;
  report.when = content.what.id.when;
  report.index = content.what.index;
  report.sequence = content.place.sequence;
  report.batch = content.place.batch;
  report.ordered_time = content.place.ordered_time;
  report.operation = std::move(content.what.operation);
  report.result = {content.what.status, std::move(content.what.result)};
  return report;
}

or_error<receipt_judgement> compare_receipts(byte_span one, byte_span other, const genesis& cluster) {
  const auto first = genuine(one, cluster, "the first receipt");
  if (!first) return failure_of(first);
  const auto second = genuine(other, cluster, "the second receipt");
  if (!second) return failure_of(second);
  return protocol::judge_receipts(first->content, second->content);
}

}  // namespace hypermesh::runtime
