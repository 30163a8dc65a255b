#include "runtime/scheduling/consensus_port.hpp"

namespace hypermesh::scheduling {

submit_outcome consensus_port::submit(byte_vector operation) { return client_->submit(std::move(operation)).get(); }

submit_outcome consensus_port::query(byte_vector operation) {
  return client_->query(std::move(operation), read_mode::committed).get();
}

}  // namespace hypermesh::scheduling
