#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include "runtime/base/keys.hpp"
#include "tests/byzantine/adversary.hpp"

namespace hypermesh::lab {

/// A frame that a node received.
struct recorded_frame {
  /// The time of the steady clock, which is the same for all processes of a machine.
  moment when;
  principal sender;
  frame_ptr frame;
};

/// Behaves like a correct member and writes every received frame to a file. The file is complete once the recorder is
/// destroyed. Memory: the buffer of the stream.
class frame_recorder final : public testing::adversary {
 public:
  explicit frame_recorder(const std::filesystem::path& file);

  testing::fate on_receive(testing::passing_frame& in, testing::adversary_hands& hands) override;

 private:
  std::ofstream out_;
};

/// Reads the file of a recorder. Returns an error if the file has no recorded frame.
[[nodiscard]] or_error<std::vector<recorded_frame>> read_recording(const std::filesystem::path& file);

}  // namespace hypermesh::lab
