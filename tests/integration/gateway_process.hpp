#pragma once

#include <doctest/doctest.h>

#include "tests/integration/cli_process.hpp"

namespace hypermesh::testing::cli_test {

/// A gateway of the cluster, with the client of this number.
class running_gateway {
 public:
  running_gateway(const running_cluster& cluster, std::uint32_t client, const words& more = {})
      : port_(free_port_row(1)) {
    words all{"gateway", "--cluster",          cluster.directory(), "--client", std::to_string(client),
              "--resp",  std::to_string(port_)};
    all.insert(all.end(), more.begin(), more.end());
    process_ = std::make_unique<process>(all, process_streams{"/dev/null", folder_ / "out", folder_ / "err"});
    REQUIRE(eventually([this] { return has(out(), "127.0.0.1:" + std::to_string(port_)); }));
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] process& running() { return *process_; }
  [[nodiscard]] std::string out() const { return text_of(folder_ / "out"); }
  [[nodiscard]] std::string err() const { return text_of(folder_ / "err"); }

 private:
  scratch_folder folder_;
  std::uint16_t port_;
  std::unique_ptr<process> process_;
};

}  // namespace hypermesh::testing::cli_test
