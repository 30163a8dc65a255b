#include <doctest/doctest.h>

#include <stdexcept>
#include <string>

#include <hypermesh/state_machine.hpp>

using namespace hypermesh;

namespace {

/// Its state is a text, and an operation replaces it.
struct text_machine final : small_state_machine {
  std::string text;

  [[nodiscard]] std::string_view name() const override { return "text"; }
  operation_result apply(const operation_context&, byte_span operation) override {
    text = as_text(operation);
    return {};
  }
  [[nodiscard]] operation_result query(byte_span) const override { return {}; }
  [[nodiscard]] byte_vector save() const override { return to_byte_vector(text); }
  [[nodiscard]] or_reason<void> load(byte_span saved) override {
    if (as_text(saved).starts_with("bad")) return invalid("bad");
    text = as_text(saved);
    return {};
  }
};

}  // namespace

TEST_CASE("a small machine is restored from its snapshot with the same root") {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, limits::state_chunk_bytes_max,
                                 limits::state_chunk_bytes_max + 1, 3 * limits::state_chunk_bytes_max}) {
    text_machine machine;
    machine.text.assign(size, 'x');
    const auto snapshot = machine.snapshot();
    CHECK(snapshot.size() == (size + limits::state_chunk_bytes_max - 1) / limits::state_chunk_bytes_max);
    CHECK(state_root(snapshot) == machine.root());
    text_machine other;
    other.text = "something else";
    REQUIRE(other.restore(snapshot));
    CHECK(other.text == machine.text);
    CHECK(other.root() == machine.root());
  }
}

TEST_CASE("chunks that did not change are shared with the snapshot before") {
  text_machine machine;
  machine.text.assign(3 * limits::state_chunk_bytes_max, 'x');
  const auto before = machine.snapshot();
  machine.text[limits::state_chunk_bytes_max] = 'y';
  const auto after = machine.snapshot();
  REQUIRE(after.size() == 3);
  CHECK(after[0].bytes == before[0].bytes);
  CHECK(after[1].bytes != before[1].bytes);
  CHECK(after[2].bytes == before[2].bytes);
}

TEST_CASE("a state that cannot be loaded leaves the machine as it was") {
  text_machine machine;
  machine.text = "bad state";
  text_machine other;
  other.text = "mine";
  CHECK_FALSE(other.restore(machine.snapshot()));
  CHECK(other.text == "mine");
}

TEST_CASE("a state beyond the bound stops the machine instead of the cluster") {
  text_machine machine;
  machine.text.assign(small_state_machine::saved_bytes_max + 1, 'x');
  CHECK_THROWS_AS((void)machine.snapshot(), std::length_error);
  machine.text.resize(small_state_machine::saved_bytes_max);
  CHECK(machine.snapshot().size() == small_state_machine::saved_bytes_max / limits::state_chunk_bytes_max);
}
