#pragma once

#include <memory>
#include <utility>
#include <variant>

#include "actors/protocol/ordering/replica_core.hpp"
#include "actors/protocol/reputation/system_request.hpp"
#include "actors/protocol/verification/validator.hpp"
#include "messages/codec.hpp"
#include "tests/support/request_factory.hpp"

/// Messages in the form in which the validator passes them to the cores.
namespace hypermesh::testing {

/// The NEW-VIEW with its plan. Throws an exception if the validator refuses it.
[[nodiscard]] inline planned_new_view planned(const request_factory& make, const new_view& opened) {
  const validator checks{make.cluster(), make.keys_of(opened.replica)};
  auto shared = std::make_shared<const new_view>(opened);
  const auto own = checks.authenticate(item_of(shared));
  return checks.verify_new_view(principal::of(opened.replica), std::move(shared), own).value();
}

/// Passes a message to the core through the function for its kind.
inline replica_effects hear(replica_core& core, const request_factory& make, principal sender, const message& value) {
  if (const auto* opened = std::get_if<new_view>(&value)) return core.on_new_view(sender, planned(make, *opened));
  return core.on_message(sender, value);
}

/// The document as a piece of evidence, with its own copy.
template <class Document>
[[nodiscard]] evidence_item item_from(const Document& document) {
  return item_of(std::make_shared<const Document>(document));
}

/// The frame of the SYSTEM-REQUEST with the ordered evidence `proof` for `about`.
[[nodiscard]] inline frame_ptr system_request_frame(const system_claim& about, const evidence& proof) {
  return reframe(system_request_for(about, std::make_shared<const evidence>(proof)));
}

}  // namespace hypermesh::testing
