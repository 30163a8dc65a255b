#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include "runtime/keys.hpp"
#include "tests/byzantine/adversary.hpp"

namespace hypermesh::lab {

/// A frame that came in at a node.
struct recorded_frame {
  /// Of the steady clock, which all processes of a machine share.
  microseconds_t when = 0;
  principal sender;
  frame_ptr frame;
};

/// Does what an honest member does, and writes every frame that comes in to a file. The file is whole once the recorder
/// is gone. Memory: what the stream buffers.
class frame_recorder final : public testing::adversary {
 public:
  explicit frame_recorder(const std::filesystem::path& file);

  testing::fate on_receive(testing::passing_frame& in, testing::adversary_hands& hands) override;

 private:
  std::ofstream out_;
};

/// What a recorder wrote; the error is a file that none wrote.
[[nodiscard]] or_error<std::vector<recorded_frame>> read_recording(const std::filesystem::path& file);

}  // namespace hypermesh::lab
