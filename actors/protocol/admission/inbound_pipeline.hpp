#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "actors/protocol/admission/pre_verification_filter.hpp"
#include "actors/protocol/admission/rate_limits.hpp"
#include "actors/protocol/admission/signature_memory.hpp"
#include "actors/protocol/guard/equivocation_detector.hpp"
#include "actors/protocol/guard/peer_trust.hpp"
#include "actors/protocol/verification/validator.hpp"

namespace hypermesh::protocol {

/// All checks of a frame that enters a node, in a fixed order (R11). Only verified messages reach other cores, and the
/// cheap checks come first (attack 33). Pure. `examine` takes the steps from top to bottom:
///
/// 1. `frame_rate_limit`: the sender has not sent too many frames.
/// 2. `decode`: the bytes are a message.
/// 3. `verification_budget`: the sender has not cost too many signature checks.
/// 4. `client_pauses`: the client has not exceeded its quota within the last 10 ms.
/// 5. `equivocation_detector`: the message of a replica is compared with its earlier messages. This step comes before
///    step 6, because that step drops late and repeated messages, and a second, conflicting vote is often late (attack
///    8). VIEW-CHANGE and NEW-VIEW are compared after step 7, because their signatures are checked first. Step 8 does
///    not check these signatures again.
/// 6. `pre_verification_filter`: the replica would not refuse the message anyway.
/// 7. `costly_message_limit`: the sender has not sent too many VIEW-CHANGEs, NEW-VIEWs and system requests.
/// 8. `validator`: membership, signatures, digests and certificates. `signature_memory` spares it the signatures of
///    votes that were verified before.
///
/// Every message is decoded once, in step 2, with all documents in it. All later steps share the decoded value.
///
/// Memory: the sum of its parts. The pipeline has no protocol state.
class inbound_pipeline {
 public:
  /// `keys` verifies signatures and outlives the pipeline. `frames_per_second` is for each replica.
  inbound_pipeline(const cluster_parameters& cluster, const authenticator& keys,
                   std::uint64_t frames_per_second = frame_rate_limit::usual_rate);
  // Not copied or moved, because the validator has a reference to the memory, and the detector one to the validator.
  inbound_pipeline(const inbound_pipeline&) = delete;
  inbound_pipeline& operator=(const inbound_pipeline&) = delete;

  /// A message that passed all steps.
  struct passed {
    std::shared_ptr<const message> value;
    /// For a NEW-VIEW: the same message with its plan. Null for all other kinds.
    std::shared_ptr<const planned_new_view> opened;
  };

  /// Checks a frame that arrived on the link of `sender`. Returns the verified message or the reason to refuse it.
  [[nodiscard]] or_rejection<passed> examine(principal sender, const frame_ptr& frame, moment now);

  /// The findings of the detector in the frames that were examined since the last call.
  [[nodiscard]] equivocation_detector::findings take_findings() { return std::exchange(found_, {}); }

  void on_position(const replica_position& at);
  void on_trust(const trust& now);
  /// A verified request of the client exceeded its quota.
  void on_excess(client_id client, moment now) { pauses_.on_excess(client, now); }

 private:
  [[nodiscard]] std::optional<rejection> pass_filters(principal sender, passed& examined, moment now);
  [[nodiscard]] std::optional<rejection> verify(principal sender, const message& value, moment now);
  [[nodiscard]] std::optional<rejection> verify_document(principal sender, passed& examined,
                                                         std::optional<rejection> refused);
  [[nodiscard]] std::optional<rejection> check_document(principal sender, passed& examined,
                                                        const std::optional<authentic_item>& own) const;
  [[nodiscard]] std::uint64_t checks_made() const { return checks_made_ + detector_.checks_made(); }
  void add(equivocation_detector::findings findings);

  /// Only this pipeline uses it, so the steps above need no lock.
  signature_memory memory_;
  validator validator_;
  frame_rate_limit frames_;
  verification_budget budget_;
  client_pauses pauses_;
  equivocation_detector detector_;
  pre_verification_filter filter_;
  costly_message_limit costly_;
  /// The approximate number of signatures that `validator_` has checked.
  std::uint64_t checks_made_ = 0;
  equivocation_detector::findings found_;
};

}  // namespace hypermesh::protocol
