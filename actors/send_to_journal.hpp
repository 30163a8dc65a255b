#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "actors/interfaces.hpp"

namespace hypermesh::actors {

/// Sends records, frames and committed batches to the journal, which makes the records durable before it forwards the
/// frames and the batches.
template <class Self>
void send_to_journal(Self* self, const journal_actor& journal, std::vector<storage_record> records,
                     std::vector<outgoing_message> sends, std::vector<committed_batch> committed = {}) {
  if (records.empty() && sends.empty() && committed.empty()) return;
  self->send(
      journal,
      persist_and_send{
          std::make_shared<const std::vector<storage_record>>(std::move(records)),
          std::make_shared<const std::vector<outgoing_message>>(std::move(sends)),
          committed.empty() ? nullptr : std::make_shared<const std::vector<committed_batch>>(std::move(committed))});
}

}  // namespace hypermesh::actors
