#pragma once

#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include <hypermesh/state_machine.hpp>

#include "runtime/base/durable_file.hpp"

namespace hypermesh::cli {

/// Passes outcomes from the thread of the consensus client to the thread of the gateway. Memory: one outcome for each
/// operation in flight, which the gateway bounds.
class outcome_inbox {
 public:
  using entry = std::pair<std::uint64_t, submit_outcome>;

  outcome_inbox();

  /// Readable while outcomes wait; -1 if the system refused a descriptor.
  [[nodiscard]] int descriptor() const { return event_.descriptor(); }
  void put(std::uint64_t token, const submit_outcome& outcome);
  /// All outcomes that wait, in the order in which they arrived.
  [[nodiscard]] std::vector<entry> take();

 private:
  base::open_file event_;
  std::mutex guard_;
  std::vector<entry> outcomes_;
};

}  // namespace hypermesh::cli
