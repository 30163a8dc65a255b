#include <hypermesh/receipt.hpp>

#include "runtime/receipt_check.hpp"

namespace hypermesh {

or_error<receipt_report> verify_receipt(byte_span receipt, const std::string& genesis_file) {
  const auto cluster = read_genesis(genesis_file);
  if (!cluster) return failure_of(cluster);
  return runtime::check_receipt(receipt, *cluster);
}

or_error<receipt_judgement> judge_receipts(byte_span one, byte_span other, const std::string& genesis_file) {
  const auto cluster = read_genesis(genesis_file);
  if (!cluster) return failure_of(cluster);
  return runtime::compare_receipts(one, other, *cluster);
}

}  // namespace hypermesh
