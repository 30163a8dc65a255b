#include "runtime/state_machines/contained_machine.hpp"

#include <doctest/doctest.h>

#include <string>

#include "messages/digest.hpp"

using namespace hypermesh;
using namespace hypermesh::machines;

namespace {

/// A machine whose functions throw as long as `throws` says so.
struct throwing_machine final : state_machine {
  throwing_machine(const bool& when, const std::string& text, int& counted)
      : throws(&when), why(&text), roots(&counted) {}

  const bool* throws;
  const std::string* why;
  int* roots;

  void act() const {
    if (*throws) throw std::runtime_error(*why);
  }
  [[nodiscard]] std::string_view name() const override { return "throwing"; }
  operation_result apply(const operation_context&, byte_span operation) override {
    if (as_text(operation) == "odd") throw 5;
    act();
    return {operation_status::applied, to_byte_vector("done")};
  }
  [[nodiscard]] operation_result query(byte_span) const override {
    act();
    return {};
  }
  [[nodiscard]] state_snapshot snapshot() override {
    act();
    return {};
  }
  [[nodiscard]] or_reason<void> restore(const state_snapshot&) override {
    act();
    return {};
  }
  /// Another root for each call.
  [[nodiscard]] digest root() override {
    act();
    return digest_of("root", as_byte_span(std::to_string(++*roots)));
  }
};

struct bench {
  bool throws = false;
  std::string why = "broken\nline";
  int roots = 0;
  std::shared_ptr<machine_watch> watch = std::make_shared<machine_watch>();
  std::vector<std::string> failures;
  contained_machine tested{std::make_unique<throwing_machine>(throws, why, roots), watch,
                           [this](const world_error& error) { failures.push_back(error.what); }};

  operation_result apply(std::string_view operation) {
    return tested.apply({sequence_number{7}, client_id{3}, timestamp{11}, 2, session_id{5}}, as_byte_span(operation));
  }
};

}  // namespace

TEST_CASE("an exception of apply becomes one error that names machine, operation and sequence") {
  bench of;
  CHECK(as_text(of.apply("fine").payload) == "done");
  of.throws = true;
  CHECK_THROWS_AS(of.apply("trap"), machine_failure);
  REQUIRE(of.failures.size() == 1);
  const auto& text = of.failures.front();
  INFO(text);
  CHECK(text.find("'throwing'") != std::string::npos);
  CHECK(text.find("sequence 7") != std::string::npos);
  CHECK(text.find("client 3") != std::string::npos);
  CHECK(text.find("74726170") != std::string::npos);
  CHECK(text.find("broken") != std::string::npos);
  CHECK(text.find('\n') == std::string::npos);
}

TEST_CASE("after an exception nothing of the machine becomes an answer, a snapshot or a root") {
  bench of;
  of.throws = true;
  CHECK_THROWS_AS((void)of.tested.snapshot(), machine_failure);
  of.throws = false;
  CHECK_THROWS_AS(of.apply("fine"), machine_failure);
  CHECK_THROWS_AS((void)of.tested.snapshot(), machine_failure);
  CHECK_THROWS_AS((void)of.tested.restore({}), machine_failure);
  CHECK_THROWS_AS((void)of.tested.root(), machine_failure);
  CHECK(of.failures.size() == 1);
}

TEST_CASE("an exception of query is passed on, and the machine goes on") {
  bench of;
  of.throws = true;
  CHECK_THROWS_AS((void)of.tested.query(as_byte_span("q")), machine_failure);
  of.throws = false;
  CHECK(of.failures.empty());
  CHECK(as_text(of.apply("fine").payload) == "done");
}

TEST_CASE("an exception of any type is contained") {
  bench of;
  CHECK_THROWS_AS(of.apply("odd"), machine_failure);
  CHECK(of.failures.size() == 1);
}

TEST_CASE("the text of an exception is cut, because a client may have chosen it") {
  bench of;
  of.throws = true;
  of.why = std::string(200'000, 'x');
  constexpr auto bytes_max = contained_machine::why_bytes_max + 400;
  try {
    (void)of.tested.query(as_byte_span("q"));
    FAIL("the query threw nothing");
  } catch (const machine_failure& failure) {
    CHECK(failure.error.what.size() <= bytes_max);
    CHECK(failure.error.what.find("xxx…") != std::string::npos);
  }
  CHECK_THROWS_AS(of.apply("fails"), machine_failure);
  REQUIRE(of.failures.size() == 1);
  CHECK(of.failures.front().size() <= bytes_max);
}

TEST_CASE("the root is computed once for each change of the state") {
  bench of;
  for (int asked = 0; asked < 3; ++asked)
    (void)of.tested.root();
  CHECK(of.roots == 1);
  (void)of.apply("fine");
  CHECK(of.tested.root() == digest_of("root", as_byte_span("2")));
  CHECK(of.tested.root() == digest_of("root", as_byte_span("2")));
  CHECK(of.roots == 2);
  // A query changes nothing.
  (void)of.tested.query(as_byte_span("q"));
  (void)of.tested.root();
  CHECK(of.roots == 2);
  REQUIRE(of.tested.restore({}));
  CHECK(of.tested.root() == digest_of("root", as_byte_span("3")));
}

TEST_CASE("the watch knows the call under way, and nothing of a machine that is idle") {
  machine_watch watch;
  CHECK_FALSE(watch.now());
  CHECK_FALSE(watch.complaint(std::chrono::milliseconds{0}));
  watch.begin(machine_watch::call::apply, sequence_number{9});
  const auto text = watch.complaint(std::chrono::milliseconds{0});
  REQUIRE(text);
  CHECK(text->find("'apply' for sequence 9") != std::string::npos);
  CHECK_FALSE(watch.complaint(std::chrono::hours{1}));
  watch.end();
  CHECK_FALSE(watch.complaint(std::chrono::milliseconds{0}));
}

namespace {

/// A state that throws when it is finished.
struct throwing_state final : frozen_state {
  [[nodiscard]] const state_snapshot& finish() override { throw std::runtime_error("no room"); }
};

/// A machine whose `freeze` works, and whose frozen state throws.
struct freezing_machine final : state_machine, freezable_state {
  [[nodiscard]] std::string_view name() const override { return "freezing"; }
  operation_result apply(const operation_context&, byte_span) override { return {}; }
  [[nodiscard]] operation_result query(byte_span) const override { return {}; }
  [[nodiscard]] state_snapshot snapshot() override { return {}; }
  [[nodiscard]] or_reason<void> restore(const state_snapshot&) override { return {}; }
  [[nodiscard]] digest root() override { return {}; }
  [[nodiscard]] std::shared_ptr<frozen_state> freeze() override { return std::make_shared<throwing_state>(); }
};

}  // namespace

TEST_CASE("an exception of a frozen state is an error that names the machine") {
  std::vector<std::string> failures;
  contained_machine tested{std::make_unique<freezing_machine>(), std::make_shared<machine_watch>(),
                           [&](const world_error& error) { failures.push_back(error.what); }};
  const auto frozen = tested.freeze();
  CHECK(failures.empty());
  CHECK_THROWS_AS((void)frozen->finish(), machine_failure);
  CHECK(failures ==
        std::vector<std::string>{"the state machine 'freezing' failed in the finish of a frozen state: no room"});
}

TEST_CASE("a machine that is not freezable is frozen as its snapshot, and its exceptions are contained") {
  bench machine;
  CHECK(machine.tested.freeze()->finish().empty());
  machine.throws = true;
  CHECK_THROWS_AS((void)machine.tested.freeze(), machine_failure);
  CHECK(machine.failures.size() == 1);
}
