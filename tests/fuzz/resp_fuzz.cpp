#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "messages/require.hpp"
#include "tests/tools/gateway_bench.hpp"

namespace {

using namespace hypermesh;
using namespace hypermesh::testing;

/// Everything that a client hears that sends `bytes` in pieces of this length. The cluster answers each operation at
/// once with its number, so the replies show the order of execution.
std::string heard(std::string_view bytes, std::size_t piece) {
  gateway_bench bench;
  const auto client = bench.connect();
  std::string text;
  std::uint64_t number = 0;
  while (!bytes.empty()) {
    bench.say(client, bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    while (!bench.sent.empty()) {
      const auto operation = machines::redis::decode(bench.sent.front().operation);
      require(operation.has_value(), "every operation of the gateway can be decoded");
      const auto* several = std::get_if<machines::redis::transaction>(&*operation);
      std::string reply = ":" + std::to_string(++number) + "\r\n";
      if (several != nullptr) {
        std::string replies = "*" + std::to_string(several->commands.size()) + "\r\n";
        for (std::size_t count = 0; count < several->commands.size(); ++count)
          replies += reply;
        reply = replies;
      }
      bench.answer(reply);
    }
    for (auto got = bench.hear(client); !got.empty(); got = bench.hear(client))
      text += got;
  }
  require(bench.core.operations_in_flight() == 0, "every operation was answered");
  return text;
}

}  // namespace

/// Sends arbitrary bytes to a gateway. The replies do not depend on how the bytes were cut into pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t piece = 1 + data[0] % 64U;
  const auto whole = heard(bytes, bytes.size() + 1);
  const auto pieces = heard(bytes, piece);
  // INFO and CLIENT LIST tell how many bytes have arrived.
  const bool tells_bytes = whole.find("# Stats") != std::string::npos || whole.find(" qbuf=") != std::string::npos;
  require(tells_bytes || whole == pieces, "pieces do not change the replies");
  return 0;
}
