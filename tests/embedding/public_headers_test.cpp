#include <hypermesh/consensus_client.hpp>
#include <hypermesh/consensus_manager.hpp>
#include <hypermesh/expected.hpp>
#include <hypermesh/large_state.hpp>
#include <hypermesh/receipt.hpp>
#include <hypermesh/reports.hpp>
#include <hypermesh/settings.hpp>
#include <hypermesh/state_machine.hpp>
#include <hypermesh/types.hpp>

#include <cstring>

// Checked before doctest is included, so that nothing but the public headers can have defined these macros.
#if defined(CAF_VERSION) || defined(CAF_SUITE) || defined(FLATBUFFERS_H_) || defined(FLATBUFFERS_BASE_H_) || \
    defined(sodium_H) || defined(ROCKSDB_MAJOR) || defined(FMT_VERSION) || defined(SPDLOG_VERSION)
constexpr bool brings_a_library = true;
#else
constexpr bool brings_a_library = false;
#endif

#include <doctest/doctest.h>

TEST_CASE("a host that includes all public headers gets no library but tl::expected") {
  CHECK_FALSE(brings_a_library);
  // The headers are usable together: a settings object and the names of errors need no library of ours.
  CHECK(hypermesh::client_settings{}.deadline == std::chrono::seconds{30});
  CHECK(std::strcmp(hypermesh::to_string(hypermesh::client_error::timed_out).data(), "timed_out") == 0);
}
