#include "runtime/state_machines/machine_answer.hpp"

#include "runtime/base/safe_text.hpp"
#include "runtime/state_machines/text_form.hpp"

namespace hypermesh::machines {

machine_answer text_answer(std::string text) {
  auto line = visible_lines(text);
  return {operation_status::applied, std::move(line), std::move(text), std::nullopt};
}

machine_answer value_answer(byte_span value) {
  machine_answer answer{operation_status::applied, value_text(value), std::nullopt, std::nullopt};
  if (is_utf8(value)) {
    answer.text = std::string{as_text(value)};
  } else {
    answer.bytes = byte_vector{value.begin(), value.end()};
  }
  return answer;
}

machine_answer no_value_answer() { return {operation_status::applied, "(none)", std::nullopt, std::nullopt}; }

machine_answer unapplied_answer(const operation_result& result) {
  if (result.status == operation_status::result_too_large) {
    std::string text = "the operation was executed, but its result is too large for a reply";
    return {result.status, text, text, std::nullopt};
  }
  auto text = result.status == operation_status::malformed ? std::string{"malformed: "} : std::string{"refused: "};
  text += visible_text(as_text(result.payload));
  return {result.status, text, text, std::nullopt};
}

}  // namespace hypermesh::machines
