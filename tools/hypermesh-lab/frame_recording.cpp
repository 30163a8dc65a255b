#include "tools/hypermesh-lab/frame_recording.hpp"

#include <array>

#include <fmt/format.h>

#include "messages/limits.hpp"

namespace hypermesh::lab {

namespace {

/// The layout may depend on the machine, because the same binary on the same machine writes and reads the file.
struct record_head {
  duration::rep when_us = 0;
  std::uint32_t sender = 0;
  std::uint32_t is_client = 0;
  std::uint64_t bytes = 0;
};

}  // namespace

frame_recorder::frame_recorder(const std::filesystem::path& file) : out_(file, std::ios::binary | std::ios::trunc) {}

testing::fate frame_recorder::on_receive(testing::passing_frame& in, testing::adversary_hands& hands) {
  const record_head head{hands.now().time_since_epoch().count(), in.peer.number, in.peer.is_client() ? 1U : 0U,
                         in.frame->size()};
  out_.write(reinterpret_cast<const char*>(&head), sizeof head);
  out_.write(reinterpret_cast<const char*>(in.frame->data()), static_cast<std::streamsize>(in.frame->size()));
  return testing::fate::passes;
}

or_error<std::vector<recorded_frame>> read_recording(const std::filesystem::path& file) {
  std::ifstream in{file, std::ios::binary};
  std::vector<recorded_frame> frames;
  record_head head;
  while (in.read(reinterpret_cast<char*>(&head), sizeof head)) {
    if (head.bytes > limits::frame_bytes_max) break;
    byte_vector bytes(head.bytes);
    if (!in.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()))) break;
    const auto sender =
        head.is_client != 0 ? principal::of(client_id{head.sender}) : principal::of(replica_id{head.sender});
    frames.push_back({moment{duration{head.when_us}}, sender, std::make_shared<const byte_vector>(std::move(bytes))});
  }
  if (frames.empty()) {
    return tl::unexpected(world_error{fmt::format("{} holds no recorded frames", file.string()),
                                      "check that the node started, then record again"});
  }
  return frames;
}

}  // namespace hypermesh::lab
