#pragma once

#include <map>
#include <tuple>
#include <vector>

#include "runtime/audit/audit_verifier.hpp"

namespace hypermesh::audit {

/// Finds conflicting statements: two digests for one replica, kind, view and sequence number, or two commit
/// certificates for one sequence number. Pure. Memory: the statements of sequence numbers above the newest stable
/// checkpoint, which the watermark window bounds, and a hundred contradictions.
class contradiction_finder {
 public:
  void look_at(std::uint64_t index, const audit_event& event);

  [[nodiscard]] const std::vector<found_contradiction>& found() const { return found_; }

 private:
  struct claim {
    digest value;
    std::uint64_t index = 0;
  };
  using place = std::tuple<sequence_number, message_kind, view_number, replica_id>;

  void note(std::uint64_t index, message_kind kind, const signed_statement& value);
  void note_certificate(std::uint64_t index, const commit_certificate& certificate);
  void compare(const claim& before, std::uint64_t index, const digest& value, found_contradiction what);
  void forget_through(sequence_number stable);

  std::map<place, claim> claims_;
  std::map<sequence_number, claim> committed_;
  std::vector<found_contradiction> found_;
};

}  // namespace hypermesh::audit
