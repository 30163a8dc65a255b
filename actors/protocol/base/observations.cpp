#include "actors/protocol/base/observations.hpp"

namespace hypermesh::protocol {

std::string_view to_string(suspicion_reason reason) {
  switch (reason) {
    case suspicion_reason::mute:
      return "mute";
    case suspicion_reason::starving:
      return "starving";
    case suspicion_reason::slow:
      return "slow";
    case suspicion_reason::proven:
      return "proven";
    case suspicion_reason::behind:
      return "behind";
  }
  return "unknown";
}

}  // namespace hypermesh::protocol
