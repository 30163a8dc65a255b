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

/// Whether the machine may refuse the operation, because its reply has no room.
bool may_have_no_room(byte_span bytes) {
  const auto operation = machines::redis::decode(bytes);
  require(operation.has_value(), "every operation of the gateway can be decoded");
  const auto* const single = std::get_if<machines::redis::command>(&*operation);
  return single == nullptr || machines::redis::is_read_only(*single) || machines::redis::returns_data(*single);
}

/// The cluster refuses operations by chance, in any order, and never the only one in flight. The gateway comes to an
/// end, and keeps nothing.
void end_in_spite_of_refusals(std::string_view bytes, std::uint64_t seed) {
  gateway_bench bench;
  const auto client = bench.connect();
  const auto draw = [&seed](std::uint64_t below) {
    seed = seed * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    return (seed >> 33U) % below;
  };
  bench.say(client, bytes);
  while (!bench.sent.empty()) {
    const auto place = draw(bench.sent.size());
    const bool is_refused = bench.sent.size() > 1 && draw(2) == 0 && may_have_no_room(bench.sent[place].operation);
    is_refused ? bench.refuse_at(place) : bench.answer_at(place, ":1\r\n");
    (void)bench.hear(client);
  }
  require(bench.core.operations_in_flight() == 0, "every operation was answered");
  require(bench.core.info("stats").find("hypermesh_bytes_in_flight:0\r\n") != std::string::npos, "nothing is kept");
  require(bench.core.statistics().replies_lost == 0, "no reply was lost");
}

}  // namespace

/// Sends arbitrary bytes to a gateway. The replies do not depend on how the bytes were cut into pieces. Operations that
/// the machine refuses, because their replies have no room, leave nothing behind.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const std::size_t piece = 1 + data[0] % 64U;
  const auto whole = heard(bytes, bytes.size() + 1);
  const auto pieces = heard(bytes, piece);
  // INFO and CLIENT LIST tell how many bytes have arrived.
  end_in_spite_of_refusals(bytes, size + 256U * data[0]);
  const bool tells_bytes = whole.find("# Stats") != std::string::npos || whole.find(" qbuf=") != std::string::npos;
  require(tells_bytes || whole == pieces, "pieces do not change the replies");
  return 0;
}
