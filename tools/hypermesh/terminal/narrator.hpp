#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "actors/ports.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/exit_code.hpp"
#include "tools/hypermesh/terminal/progress_bar.hpp"

namespace hypermesh::cli {

/// The reason why a run has no result.
struct run_failure {
  exit_code code = exit_code::failed;
  world_error error;
};

template <class Value>
using or_run_failure = tl::expected<Value, run_failure>;

/// Reports the steps of a run to people. A narrator cannot change the run.
class run_narrator {
 public:
  virtual ~run_narrator() = default;
  /// Reports that a step is done, and the time that it took.
  virtual void step(const std::string& what, double seconds) = 0;
  virtual void progress(std::size_t answered, std::size_t total) = 0;
};

/// Prints numbered steps and a progress bar on stderr.
class console_narrator final : public run_narrator {
 public:
  explicit console_narrator(bool quiet);

  void step(const std::string& what, double seconds) override;
  void progress(std::size_t answered, std::size_t total) override;

 private:
  bool quiet_;
  text_style style_;
  std::size_t steps_ = 0;
  std::optional<progress_bar> bar_;
};

}  // namespace hypermesh::cli
