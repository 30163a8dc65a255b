#include <doctest/doctest.h>

#include <filesystem>

#include "tools/hypermesh/client/cluster_session.hpp"

using namespace hypermesh;
using namespace hypermesh::cli;

namespace {

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a write that got no answer may still be executed, and a read has no effect") {
  for (const auto error : {client_error::timed_out, client_error::session_ended}) {
    CHECK(has(explain(error).what, "executed"));
    const auto read = explain(error, operation_kind::read);
    CHECK(has(read.what, "no effect"));
    CHECK_FALSE(has(read.what + read.remedy, "executed"));
  }
}

TEST_CASE("who has no client's file is asked for the folder of the cluster, and not told to make a cluster") {
  client_options by_folder;
  by_folder.cluster = "no/such/cluster";
  client_options by_file;
  by_file.config = "no/such/client.toml";
  for (const auto& options : {by_folder, by_file}) {
    const auto read = read_client_of(options);
    REQUIRE_FALSE(read);
    CHECK(has(read.error().what, "client.toml"));
    CHECK(has(read.error().remedy, "--cluster"));
    CHECK_FALSE(has(read.error().remedy, "init"));
  }
  CHECK(has(read_client_of({}).error().remedy, "--cluster"));
}
