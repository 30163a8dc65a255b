#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"

namespace hypermesh {

/// Hands records and frames to the journal, which makes the first durable before it sends the second.
template <class Self>
void send_to_journal(Self* self, const journal_actor& journal, std::vector<storage_record> records,
                     std::vector<outgoing_message> sends) {
  if (records.empty() && sends.empty()) return;
  self->send(journal, persist_and_send{std::make_shared<const std::vector<storage_record>>(std::move(records)),
                                       std::make_shared<const std::vector<outgoing_message>>(std::move(sends))});
}

}  // namespace hypermesh
