#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include <hypermesh/reports.hpp>

#include "actors/protocol/base/observations.hpp"

namespace hypermesh::feed {

/// Bounds on what one call of `read` returns.
struct page_limits {
  std::size_t items_max = 64;
  /// Bytes of operations and results. A page has at least one item, even if that item is larger.
  std::size_t bytes_max = 1024 * 1024;
};

struct operation_page {
  std::vector<operation_item> items;
  /// The place after the last item. Sequences without operations are passed without an item.
  operation_position next;
};

/// The operations that this node executed last, for any number of readers. Each reader keeps its own place, so a slow
/// reader costs nothing: it finds a gap where the log has forgotten batches. Pure.
///
/// Memory: `bytes_max` of requests and results with their decoded form, and one batch more. Evidence in a batch is not
/// kept decoded, which would take four times more than its bytes.
class operation_log {
 public:
  static constexpr std::size_t usual_bytes_max = 16 * 1024 * 1024;

  explicit operation_log(std::size_t bytes_max = usual_bytes_max) : bytes_max_(bytes_max) {}

  /// After a repair of its state a node executes batches again. The log keeps the first execution, so that a reader
  /// gets each operation once.
  void on_executed(const batch_was_executed& done);
  /// The node has the state after `sequence`, but did not execute all batches up to it in this run.
  void on_passed(sequence_number sequence);

  /// The items from `from` on.
  [[nodiscard]] operation_page read(operation_position from, page_limits limits = {}) const;

  /// The place after everything that was executed so far.
  [[nodiscard]] operation_position end() const { return {through_.next(), 0}; }

 private:
  struct executed_batch {
    sequence_number sequence;
    std::shared_ptr<const batch> body;
    std::shared_ptr<const std::vector<executed_request>> requests;
    std::vector<std::shared_ptr<const request_outcome>> outcomes;
    wall_time ordered_time;
    /// For each request, the number of operations of the batch up to its end. A page begins at any operation without
    /// passing over those before it.
    std::vector<std::uint32_t> ends;
    std::size_t bytes = 0;
  };

  /// Adds the operations of `from` after the first `offset`. False if the page is full.
  static bool add_operations(const executed_batch& from, std::uint32_t offset, page_limits limits, std::size_t& bytes,
                             operation_page& into);

  std::size_t bytes_max_;
  /// In the order of their sequences. There may be gaps between them.
  std::deque<executed_batch> batches_;
  std::size_t bytes_ = 0;
  sequence_number through_;
};

}  // namespace hypermesh::feed
