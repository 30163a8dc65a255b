#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/simulation/scenario_stage.hpp"

using namespace hypermesh::testing;

namespace {

namespace fs = std::filesystem;

const fs::path folder = fs::path{HYPERMESH_SOURCE_DIR} / "tests" / "scenarios";

std::string read_text(const fs::path& path) {
  std::ifstream stream{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

/// The first line that differs, with the lines around it.
std::string difference(const std::string& expected, const std::string& actual) {
  std::istringstream left{expected};
  std::istringstream right{actual};
  std::string expected_line;
  std::string actual_line;
  for (int number = 1;; ++number) {
    const bool more_left = static_cast<bool>(std::getline(left, expected_line));
    const bool more_right = static_cast<bool>(std::getline(right, actual_line));
    if (!more_left && !more_right) return "no line differs";
    if (more_left != more_right || expected_line != actual_line) {
      return "line " + std::to_string(number) + "\n  written:  " + (more_left ? expected_line : "(end)") +
             "\n  happened: " + (more_right ? actual_line : "(end)");
    }
  }
}

std::set<std::string>& names_with_a_case() {
  static std::set<std::string> names;
  return names;
}

/// Runs a script and compares the result with its text. With HYPERMESH_REWRITE=1 in the environment, the result is
/// written into the script instead: review the difference before you commit it.
void play(const std::string& name) {
  const auto path = folder / (name + ".txt");
  const auto written = read_text(path);
  REQUIRE_MESSAGE(!written.empty(), path.string() << " is missing or empty");
  const auto happened = run_scenario(written);
  const char* rewrite = std::getenv("HYPERMESH_REWRITE");
  if (rewrite != nullptr && std::string{rewrite} == "1") {
    std::ofstream{path, std::ios::binary} << happened;
    return;
  }
  CHECK_MESSAGE(happened == written, path.filename().string() << ": " << difference(written, happened));
  CHECK_MESSAGE(happened.find("VIOLATED") == std::string::npos, "an invariant does not hold");
  CHECK_MESSAGE(happened.find("script error") == std::string::npos, "the script has an error");
}

struct system_request_in {
  explicit system_request_in(const char* name) { names_with_a_case().insert(name); }
};

}  // namespace

/// Defines one test case for one script. The claim says what the script shows.
#define HYPERMESH_SCRIPT(name, claim)            \
  namespace {                                    \
  const system_request_in case_of_##name{#name}; \
  }                                              \
  TEST_CASE(claim) { play(#name); }

HYPERMESH_SCRIPT(normal_case, "three phases order and execute a request")
HYPERMESH_SCRIPT(votes_before_proposal, "votes that overtake their proposal count when it arrives")
HYPERMESH_SCRIPT(lost_pre_prepare, "a lost pre-prepare is repaired by status")
HYPERMESH_SCRIPT(lost_commits, "lost commits are sent again to who asks")
HYPERMESH_SCRIPT(equivocating_primary, "a primary that equivocates to halves commits nothing")
HYPERMESH_SCRIPT(equivocation_with_votes, "an equivocating primary gets one of its batches committed at most")
HYPERMESH_SCRIPT(second_proposal_refused, "the second proposal for a sequence is refused")
HYPERMESH_SCRIPT(backup_votes_twice, "a backup that votes twice counts once")
HYPERMESH_SCRIPT(forged_sender, "nobody votes in the name of another")
HYPERMESH_SCRIPT(replayed_signature, "a signed prepare is no commit")
HYPERMESH_SCRIPT(primary_votes_prepare, "the primary has no prepare")
HYPERMESH_SCRIPT(wrong_digest, "a batch that is not the digest's is refused")
HYPERMESH_SCRIPT(forged_client, "a batch with a request that its client did not sign is refused")
HYPERMESH_SCRIPT(duplicate_request, "a request that is executed is answered again and not executed again")
HYPERMESH_SCRIPT(stale_timestamp, "a timestamp below the client's window is never executed")
HYPERMESH_SCRIPT(request_in_two_slots, "a request in two slots is executed once")
HYPERMESH_SCRIPT(request_through_backup, "a backup forwards what a client sends it")
HYPERMESH_SCRIPT(client_retransmits, "a client that hears nothing asks all replicas")
HYPERMESH_SCRIPT(wrong_reply, "one wrong reply convinces no client")
HYPERMESH_SCRIPT(checkpoint_cuts_log, "a stable checkpoint cuts the log")
HYPERMESH_SCRIPT(forged_checkpoint_proof, "a checkpoint proof of forged votes moves nothing")
HYPERMESH_SCRIPT(window_full, "a full window waits for a checkpoint and goes on")
HYPERMESH_SCRIPT(laggard_fetches_state, "a replica that missed a checkpoint fetches the state")
HYPERMESH_SCRIPT(corrupt_donor, "a donor of garbage is replaced")
HYPERMESH_SCRIPT(silent_backup, "three of four go on without a backup")
HYPERMESH_SCRIPT(mute_primary, "a primary that proposes nothing is replaced, and the request is ordered")
HYPERMESH_SCRIPT(equivocation_in_public, "a primary that shows everybody two batches is convicted")
HYPERMESH_SCRIPT(conflicting_votes, "a backup that contradicts itself is convicted while the others go on")
HYPERMESH_SCRIPT(one_way_partition, "who hears but is not heard catches up when the partition heals")

TEST_CASE("every script in the folder has a test case") {
  std::set<std::string> scripts;
  for (const auto& entry : fs::directory_iterator{folder}) {
    if (entry.path().extension() == ".txt") scripts.insert(entry.path().stem().string());
  }
  CHECK(scripts == names_with_a_case());
}
