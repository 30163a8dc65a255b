// A scenario test of a host. Plays a script on a simulated cluster and compares what happened with the text of the
// script. Usage: own_scenario SCRIPT [--rewrite]. The commands are in tests/scenarios/README.md of the product.
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>

#include "tests/simulation/scenario_stage.hpp"

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "usage: own_scenario SCRIPT [--rewrite]\n";
    return 2;
  }
  std::ifstream file{argv[1], std::ios::binary};
  const std::string written{std::istreambuf_iterator<char>{file}, {}};
  if (written.empty()) {
    std::cerr << argv[1] << " is missing or empty\n";
    return 2;
  }
  const auto happened = hypermesh::testing::run_scenario(written);
  if (argc > 2 && std::string{argv[2]} == "--rewrite") {
    std::ofstream{argv[1], std::ios::binary} << happened;
    return 0;
  }
  if (happened == written) {
    std::cout << "as written" << std::endl;
    return 0;
  }
  std::cerr << "something else happened:\n" << happened;
  return 1;
}
