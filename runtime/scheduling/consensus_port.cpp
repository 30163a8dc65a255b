#include "runtime/scheduling/consensus_port.hpp"

#include <future>

namespace hypermesh::scheduling {

submit_outcome consensus_port::submit(byte_vector operation) { return client_->submit(std::move(operation)).get(); }

submit_outcome consensus_port::query(byte_vector operation) {
  if (to_order_ > 0) {
    --to_order_;
    return client_error::timed_out;
  }
  auto answer = client_->query(std::move(operation), read_mode::committed);
  if (answer.wait_for(query_patience_) == std::future_status::ready) return answer.get();
  to_order_ = ordered_row;
  return client_error::timed_out;
}

}  // namespace hypermesh::scheduling
