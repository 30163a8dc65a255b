#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "tests/style/function_sizes.hpp"
#include "tests/style/source_text.hpp"
#include "tests/style/style_rules.hpp"

using namespace hypermesh::style;

namespace {

/// The number of violations when the file `path` has exactly this text.
std::size_t count(rule check, std::string path, std::string text) {
  return check({{std::move(path), std::move(text)}}).size();
}

std::size_t includes_of(std::string path, std::string_view target) {
  return count(check_includes, std::move(path), "#include \"" + std::string(target) + "\"\n");
}

std::size_t tokens_of(std::string path, std::string text) {
  return count(check_tokens, std::move(path), std::move(text));
}

std::vector<function_size> functions_of(std::string_view text) {
  return measure_functions(read_source(text).statements);
}

std::string lines(std::size_t number) {
  std::string text;
  for (std::size_t line = 0; line < number; ++line)
    text += "  ++x;\n";
  return text;
}

}  // namespace

TEST_CASE("an include against the arrows is found") {
  CHECK(includes_of("messages/frame.cpp", "actors/protocol/base/quorum.hpp") == 1);
  CHECK(includes_of("actors/protocol/base/quorum.hpp", "actors/interfaces.hpp") == 1);
  CHECK(includes_of("actors/replica.cpp", "runtime/config.hpp") == 1);
  CHECK(includes_of("runtime/config.cpp", "tools/hypermesh/main.hpp") == 1);
  CHECK(includes_of("runtime/config.cpp", "tests/support/keys.hpp") == 1);
}

TEST_CASE("an include along the arrows is allowed") {
  CHECK(includes_of("messages/frame.cpp", "messages/frame.hpp") == 0);
  CHECK(includes_of("actors/protocol/base/quorum.hpp", "messages/types.hpp") == 0);
  CHECK(includes_of("actors/protocol/ordering/replica_core.hpp", "actors/ports.hpp") == 0);
  CHECK(includes_of("runtime/wiring.cpp", "actors/replica.hpp") == 0);
  CHECK(includes_of("tools/hypermesh/main.cpp", "runtime/config.hpp") == 0);
}

TEST_CASE("public headers include the standard library, each other and nothing of ours") {
  const auto public_includes = [](std::string_view of, std::string_view line) {
    return count(check_includes, "runtime/include/hypermesh/" + std::string{of}, std::string{line} + "\n");
  };
  CHECK(public_includes("types.hpp", "#include <vector>") == 0);
  CHECK(public_includes("expected.hpp", "#include <tl/expected.hpp>") == 0);
  CHECK(public_includes("reports.hpp", "#include <hypermesh/types.hpp>") == 0);
  CHECK(public_includes("reports.hpp", "#include \"messages/types.hpp\"") == 1);
  CHECK(public_includes("reports.hpp", "#include <messages/types.hpp>") == 1);
  CHECK(public_includes("reports.hpp", "#include <caf/actor.hpp>") == 1);
  CHECK(public_includes("reports.hpp", "#include <sodium.h>") == 1);
  CHECK(public_includes("reports.hpp", "#include <hypermesh/caf/module.hpp>") == 1);
  CHECK(public_includes("caf/module.hpp", "#include <caf/actor.hpp>") == 0);
  CHECK(public_includes("caf/module.hpp", "#include <rocksdb/db.h>") == 1);
  // All layers may include them, but only in the form that hosts use.
  CHECK(count(check_includes, "messages/types.hpp", "#include <hypermesh/types.hpp>\n") == 0);
  CHECK(count(check_includes, "messages/types.hpp", "#include \"runtime/include/hypermesh/types.hpp\"\n") == 1);
  CHECK(count(check_includes, "actors/protocol/base/a.hpp", "#include <hypermesh/caf/module.hpp>\n") == 1);
}

TEST_CASE("generated headers stay in messages/*.cpp") {
  CHECK(includes_of("messages/frame.cpp", "schemas/common_generated.h") == 0);
  CHECK(includes_of("messages/frame.hpp", "schemas/common_generated.h") == 1);
  CHECK(includes_of("messages/wire_values.hpp", "schemas/common_generated.h") == 0);
  CHECK(includes_of("actors/replica.cpp", "schemas/common_generated.h") == 1);
  CHECK(includes_of("tests/messages/frame_test.cpp", "schemas/common_generated.h") == 0);
}

TEST_CASE("an actor's header does not include another actor's header") {
  CHECK(includes_of("actors/replica.hpp", "actors/batcher.hpp") == 1);
  CHECK(includes_of("actors/replica.hpp", "actors/interfaces.hpp") == 0);
  CHECK(includes_of("actors/replica.hpp", "actors/protocol/ordering/replica_core.hpp") == 0);
  CHECK(includes_of("actors/replica.cpp", "actors/replica.hpp") == 0);
}

TEST_CASE("the laboratory includes tests, the product includes neither") {
  CHECK(includes_of("tools/hypermesh-lab/sim.cpp", "tests/simulation/world.hpp") == 0);
  CHECK(includes_of("tools/hypermesh/main.cpp", "tests/simulation/world.hpp") == 1);
  CHECK(includes_of("tools/hypermesh/main.cpp", "tools/hypermesh-lab/sim.hpp") == 1);
}

TEST_CASE("folders of the command line include each other one way, and the laboratory has no commands") {
  CHECK(includes_of("tools/hypermesh/load/a.cpp", "tools/hypermesh/terminal/console.hpp") == 0);
  CHECK(includes_of("tools/hypermesh/commands/a.cpp", "tools/hypermesh/commands/command.hpp") == 0);
  CHECK(includes_of("tools/hypermesh/main.cpp", "tools/hypermesh/commands/command.hpp") == 0);
  CHECK(includes_of("tools/hypermesh/terminal/a.cpp", "tools/hypermesh/commands/command.hpp") == 1);
  CHECK(includes_of("tools/hypermesh/load/a.cpp", "tools/hypermesh/runs/chaos_session.hpp") == 1);
  CHECK(includes_of("tools/hypermesh-lab/a.cpp", "tools/hypermesh/load/load_report.hpp") == 0);
  CHECK(includes_of("tools/hypermesh-lab/a.cpp", "tools/hypermesh/runs/chaos_session.hpp") == 1);
  CHECK(includes_of("tools/hypermesh-lab/a.cpp", "tools/hypermesh/commands/command.hpp") == 1);
  CHECK(includes_of("tests/integration/a.cpp", "tools/hypermesh/commands/command.hpp") == 0);
}

TEST_CASE("an include cannot dodge the arrows by its spelling") {
  CHECK(includes_of("actors/protocol/base/quorum.hpp", "../interfaces.hpp") == 1);
  CHECK(includes_of("actors/protocol/base/quorum.hpp", "interfaces.hpp") == 1);
  CHECK(count(check_includes, "messages/frame.hpp", "#  include <runtime/config.hpp>\n") == 1);
  CHECK(count(check_includes, "actors/ports.hpp", "#include <caf/actor.hpp>\n") == 1);
}

TEST_CASE("an include in a comment or a string does not count") {
  CHECK(count(check_includes, "messages/a.cpp",
              "// #include \"runtime/a.hpp\"\n/*\n#include \"runtime/a.hpp\"\n*/\n") == 0);
  CHECK(count(check_includes, "messages/a.cpp", "auto x = R\"(\n#include \"runtime/a.hpp\"\n)\";\n") == 0);
}

TEST_CASE("the protocol has no actors, clocks, randomness, threads, I/O or hash order") {
  for (const char* text :
       {"caf::actor a;", "#include <caf/actor.hpp>", "std::chrono::steady_clock::now();", "std::random_device d;",
        "std::mt19937_64 r;", "int x = rand();", "#include <thread>", "#include <mutex>", "#include <atomic>",
        "#include <fstream>", "#include <iostream>", "std::unordered_map<int, int> m;", "std::unordered_set<int> s;"}) {
    CAPTURE(text);
    CHECK(tokens_of("actors/protocol/a.hpp", text) >= 1);
    CHECK(tokens_of("runtime/a.hpp", text) == 0);
  }
  CHECK(tokens_of("actors/protocol/a.hpp", "int operand(int); // a strand() of caf::actor\n") == 0);
}

TEST_CASE("left-over marks are found in comments too, but not in strings or inside of words") {
  CHECK(tokens_of("runtime/a.cpp", "// TODO later\n") == 1);
  CHECK(tokens_of("schemas/a.fbs", "// FIXME\n") == 1);
  CHECK(tokens_of("tests/a.cpp", "/* XXX */ int HACK;\n") == 2);
  CHECK(tokens_of("runtime/a.cpp", "auto a = \"TODO\"; int HACKS; auto b = \"/tmp/XXXXXX\";\n") == 0);
}

TEST_CASE("printing, sleeping and endless waiting are found outside of the allowed files") {
  CHECK(tokens_of("runtime/a.cpp", "std::cout << 1; std::cerr << 2;") == 2);
  CHECK(tokens_of("tools/hypermesh/a.cpp", "std::cout << 1;") == 0);
  CHECK(tokens_of("tests/actors/a.cpp", "std::this_thread::sleep_for(s);") == 1);
  CHECK(tokens_of("tests/integration/a.cpp", "std::this_thread::sleep_for(s);") == 0);
  CHECK(tokens_of("tests/actors/a.cpp", "self->request(a, caf::infinite, b);") == 1);
  CHECK(tokens_of("tools/a.cpp", "using namespace std;") == 1);
}

TEST_CASE("buffers are verified in one place") {
  CHECK(tokens_of("messages/verify.hpp", "flatbuffers::Verifier v(a, b);") == 0);
  CHECK(tokens_of("messages/frame.cpp", "flatbuffers::Verifier v(a, b);") == 1);
  CHECK(tokens_of("messages/decode.cpp", "flatbuffers::Verifier v(a, b);") == 1);
}

TEST_CASE("a value or its error has one form") {
  CHECK(tokens_of("runtime/a.hpp", "std::optional<world_error> f();") == 1);
  CHECK(tokens_of("runtime/a.hpp", "std::variant<node, world_error> f();") == 1);
  CHECK(tokens_of("actors/a.hpp", "std::variant<message, rejection> f();") == 1);
  CHECK(tokens_of("tests/a.cpp", "if (auto* error = std::get_if<world_error>(&read)) return *error;") == 1);
  CHECK(tokens_of("tools/a.cpp", "return std::get<rejection>(read);") == 1);
  CHECK(tokens_of("runtime/a.cpp", "#include <tl/expected.hpp>\n") == 1);
  CHECK(tokens_of("messages/expected.hpp", "#include <tl/expected.hpp>\nusing a = tl::expected<b, world_error>;") == 0);
  CHECK(tokens_of("runtime/a.cpp", "or_error<node> f(); std::vector<world_error> all; std::optional<rejection> bad;") ==
        0);
}

TEST_CASE("a violation names its line") {
  const auto found = check_tokens({{"runtime/a.cpp", "int a;\n\n'\\''; \"//\\\"\"; std::cout << 1;\n"}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].line == 3);
}

TEST_CASE("a long file is found") {
  CHECK(count(check_sizes, "runtime/a.cpp", std::string(file_lines_max, '\n')) == 0);
  CHECK(count(check_sizes, "runtime/a.cpp", std::string(file_lines_max + 1, '\n')) == 1);
}

TEST_CASE("a long function is found, and one at the limit is not") {
  CHECK(count(check_sizes, "runtime/a.cpp", "void f() {\n" + lines(function_lines_max - 2) + "}\n") == 0);
  CHECK(count(check_sizes, "runtime/a.cpp", "void f() {\n" + lines(function_lines_max - 1) + "}\n") == 1);
}

TEST_CASE("a lambda counts with its function") {
  const auto functions =
      functions_of("void f() {\n  auto g = [](int a) {\n    return a;\n  };\n  if (g(1)) { g(2); }\n}\n");
  REQUIRE(functions.size() == 1);
  CHECK(functions[0].lines == 6);
}

TEST_CASE("functions are found in namespaces, classes and test cases") {
  const auto functions = functions_of(R"(
namespace a {
template <class T = int, int N = (1 > 0)>
struct b final : c<T> {
 public:
  explicit b(int x) : x_{x}, y_(x), z_{1, 2} {
    f();
  }
  bool operator==(const b& o) const { return true; }
  int x_ = 0;
  std::vector<int> table_{1, 2};
};
enum class e : int { one = 1, two };
constexpr int table[] = {
    1, 2};
auto g = [](int x) {
  return x;
};
TEST_CASE("x, {") {
  CHECK(1);
}
}  // namespace a
)");
  REQUIRE(functions.size() == 4);
  CHECK(functions[0].line == 5);
  CHECK(functions[0].lines == 4);
  CHECK(functions[1].lines == 1);
  CHECK(functions[2].lines == 3);
  CHECK(functions[3].lines == 3);
}

TEST_CASE("a constructor whose members are all brace-initialised still has its body measured") {
  const auto functions = functions_of("b::b(int x)\n    : x_{x}\n    , y_{2} {\n  f();\n  g();\n}\n");
  REQUIRE(functions.size() == 1);
  CHECK(functions[0].lines == 6);
}

TEST_CASE("braces in strings, comments, characters and macros do not confuse the measure") {
  const auto functions = functions_of(
      "#define OPEN {\\\n  {\nvoid f() {\n  a(\"}\"); // }\n  b('}'); /* } */ c(R\"x(}}})x\"); int n = 1'000;\n}\nvoid "
      "g() {\n}\n");
  REQUIRE(functions.size() == 2);
  CHECK(functions[0].lines == 4);
  CHECK(functions[1].lines == 2);
}

TEST_CASE("the top level contains only the entries of the design") {
  const source_tree good = {{"CMakeLists.txt", ""}, {".gitignore", ""}, {"README.md", ""}, {"actors/README.md", ""}};
  CHECK(check_layout(good).empty());
  CHECK(count(check_layout, "notes.txt", "") == 1);
  CHECK(count(check_layout, "docs/README.md", "") == 1);
}

TEST_CASE("each top-level folder has a README") {
  CHECK(count(check_layout, "actors/replica.cpp", "") == 1);
  CHECK(count(check_layout, "actors/README.md", "") == 0);
}

TEST_CASE("names are snake_case") {
  CHECK(count(check_names, "actors/replica_core.hpp", "") == 0);
  CHECK(count(check_names, "actors/ReplicaCore.hpp", "") == 1);
  CHECK(count(check_names, "actors/replica-core.cpp", "") == 1);
  CHECK(count(check_names, "runtime/StateMachines/store.cpp", "") == 1);
  CHECK(count(check_names, "runtime/store.cc", "") == 1);
  CHECK(count(check_names, "tools/hypermesh-lab/sim.cpp", "") == 0);
  CHECK(count(check_names, "tools/cmake/FindCAF.cmake", "") == 0);
}

TEST_CASE("each attack in the list has a test with its number") {
  const auto missing = [](const std::string& text) {
    return check_attacks({{"tests/protocol/a_test.cpp", text}}).size();
  };
  const auto all = missing("");
  CHECK(missing("TEST_CASE(\"amnesia (attack 9)\") {") == all - 1);
  CHECK(missing("TEST_CASE_FIXTURE(world,\n    \"many (attacks 9, 10 and 13)\") {") == all - 3);
  CHECK(missing("// attack 9\nCHECK(1);") == all);
  CHECK(check_attacks({{"tests/protocol/a.cpp", "TEST_CASE(\"amnesia (attack 9)\") {"}}).size() == all);
}

TEST_CASE("rooms of the protocol include each other one way only") {
  const auto rooms_of = [](std::string path, const std::string& target) {
    return count(check_rooms, std::move(path), "#include \"" + target + "\"\n");
  };
  CHECK(rooms_of("actors/protocol/views/a.hpp", "actors/protocol/base/quorum.hpp") == 0);
  CHECK(rooms_of("actors/protocol/views/a.hpp", "actors/protocol/views/new_view.hpp") == 0);
  CHECK(rooms_of("actors/protocol/views/a.hpp", "actors/protocol/reputation/b.hpp") == 0);
  CHECK(rooms_of("actors/protocol/views/a.hpp", "actors/protocol/ordering/slot_log.hpp") == 1);
  CHECK(rooms_of("actors/protocol/base/a.hpp", "actors/protocol/reputation/b.hpp") == 1);
  CHECK(rooms_of("actors/protocol/client/a.hpp", "actors/protocol/guard/b.hpp") == 1);
  // A file outside of the rooms, and a header that belongs to a room.
  CHECK(rooms_of("actors/protocol/a.hpp", "messages/types.hpp") == 1);
  CHECK(rooms_of("actors/protocol/views/a.hpp", "actors/protocol/b.hpp") == 1);
  CHECK(rooms_of("actors/protocol/attic/a.hpp", "messages/types.hpp") == 1);
  CHECK(rooms_of("actors/replica.hpp", "actors/protocol/ordering/replica_core.hpp") == 0);
}

TEST_CASE("the README of the protocol gives the sizes of its rooms") {
  const auto with = [](std::size_t lines, const std::string& row) {
    std::string text = "// A comment, and an empty line.\n\n";
    for (std::size_t count = 0; count < lines; ++count)
      text += "int a;\n";
    return check_rooms({{"actors/protocol/views/a.cpp", text}, {"actors/protocol/README.md", row}}).size();
  };
  CHECK(with(1'290, "| [views](views/README.md) | when to leave | 1,290 |\n") == 0);
  CHECK(with(1'309, "| [views](views/README.md) | when to leave | 1,290 |\n") == 0);
  CHECK(with(1'311, "| [views](views/README.md) | when to leave | 1,290 |\n") == 1);
  CHECK(with(1'269, "| [views](views/README.md) | when to leave | 1,290 |\n") == 1);
  CHECK(with(1'269, "| [the views](views/README.md) | when to leave | 1,290 |\n") == 0);
  CHECK(with(5'000, "") == 0);
  CHECK(with(5'001, "") == 1);
}

TEST_CASE("a retired word is found") {
  CHECK(count(check_words, "actors/a.hpp", "// The docket.\n") == 1);
  CHECK(count(check_words, "actors/a.hpp", "bool is_shunned();\n") == 1);
  CHECK(count(check_words, "README.md", "A PARDON.\n") == 1);
  CHECK(count(check_words, "README.md", "Evidence, inexhibitable.\n") == 0);
  CHECK(count(check_words, "CHANGELOG.md", "`shunned` is now `avoided_as_primary`.\n") == 0);
}

TEST_CASE("the sources of a room have comments") {
  const auto comments_of = [](std::string path, std::size_t comments, std::size_t code) {
    std::string text;
    for (std::size_t line = 0; line < comments; ++line)
      text += "  // Because.\n\n";
    for (std::size_t line = 0; line < code; ++line)
      text += "int a;\n";
    return count(check_comments, std::move(path), std::move(text));
  };
  CHECK(comments_of("actors/protocol/views/a.cpp", 2 * comment_percent_min, 200 - 2 * comment_percent_min) == 0);
  CHECK(comments_of("actors/protocol/views/a.cpp", 2 * comment_percent_min - 1, 201 - 2 * comment_percent_min) == 1);
  CHECK(comments_of("actors/protocol/views/a.cpp", 0, comment_rule_lines_min - 1) == 0);
  CHECK(comments_of("actors/protocol/views/a.hpp", 0, 10) == 0);
  CHECK(comments_of("runtime/a.cpp", 0, 10) == 0);
}

TEST_CASE("a folder with code has a README") {
  CHECK(check_readmes({{"runtime/links/a.cpp", ""}}).size() == 1);
  CHECK(check_readmes({{"runtime/links/a.cpp", ""}, {"runtime/links/README.md", ""}}).empty());
  CHECK(check_readmes({{"runtime/links/a.cpp", ""}, {"runtime/README.md", ""}}).size() == 1);
  CHECK(check_readmes({{"tests/mutants/a.patch", ""}}).empty());
  CHECK(check_readmes({{"tools/examples/mine/a.cpp", ""}}).size() == 1);
  CHECK(check_readmes({{"tools/examples/mine/a.cpp", ""}, {"tools/examples/README.md", ""}}).empty());
}

TEST_CASE("a file stands in the namespace of its folder") {
  const auto found_in = [](const std::string& path, const std::string& opened) {
    return check_namespaces({{path, "#pragma once\n\nnamespace " + opened + " {\n}\n"}}).size();
  };
  CHECK(found_in("actors/protocol/views/a.hpp", "hypermesh::protocol") == 0);
  CHECK(found_in("actors/protocol/views/a.hpp", "hypermesh::protocol::detail") == 0);
  CHECK(found_in("actors/protocol/views/a.hpp", "hypermesh::protocols") == 1);
  CHECK(found_in("actors/protocol/views/a.hpp", "hypermesh::actors") == 1);
  CHECK(found_in("actors/protocol/views/a.hpp", "hypermesh") == 1);
  CHECK(found_in("runtime/genesis.hpp", "hypermesh") == 0);
  CHECK(found_in("runtime/genesis.hpp", "hypermesh::runtime") == 1);
  CHECK(found_in("runtime/storage/a.cpp", "rocksdb") == 0);
  CHECK(found_in("messages/a.hpp", "hypermesh::wire") == 0);
}

TEST_CASE("each citation resolves") {
  const source_tree law = {
      {"actors/protocol/THREATS.md", "# Threats\n\n## Attack 9: amnesia\n\n- `one vote a\n  place`\n- mutant `m`\n"},
      {"actors/protocol/INVARIANTS.md", "# I\n\n## I7: memory\n\n## R11: checks\n"},
      {"actors/protocol/PROTOCOL.md",
       "\n## Sections cited\n\n\xC2\xA7"
       "4.4\n"},
      {"tests/protocol/views/a_test.cpp", "TEST_CASE(\"one vote a place\") {\n"},
  };
  const auto citations_of = [&](const std::string& text) {
    auto tree = law;
    tree.push_back({"actors/a.hpp", text});
    return check_citations(tree).size();
  };
  CHECK(citations_of("// Attack 9 (attack 9), I7 and R11, \xC2\xA7"
                     "4.4.\n") == 0);
  CHECK(citations_of("// (attack 8)\n") == 1);
  CHECK(citations_of("// (attacks 9, 10 and 11)\n") == 2);
  CHECK(citations_of("// I8\n") == 1);
  CHECK(citations_of("// R12\n") == 1);
  CHECK(citations_of("// \xC2\xA7"
                     "4.5.2\n") == 1);
  CHECK(citations_of("int I8x; // SIGI8 CR12 ISO-R12\n") == 0);
  auto without = law;
  without.back().text = "TEST_CASE(\"another\") {\n";
  CHECK(check_citations(without).size() == 1);
}

TEST_CASE("an enum that is converted to a number names its last enumerator") {
  const auto enums_of = [](std::string text) { return count(check_enums, "runtime/a.hpp", std::move(text)); };
  const std::string typed = "enum class kind : std::uint8_t {\n  one = 1,\n  // Three, two,\n  two = 2,\n};\n";
  CHECK(enums_of(typed) == 1);
  CHECK(enums_of(typed + "inline constexpr auto kind_last = kind::two;\n") == 0);
  CHECK(enums_of(typed + "inline constexpr std::uint8_t kind_last = 2;\n") == 0);
  CHECK(enums_of(typed + "static_assert(record_kind_last == kind_last);\n") == 1);
  CHECK(count(check_enums, "tests/support/a.hpp", typed) == 0);
}

TEST_CASE("an enumerator that is added after the one that counts as last is found") {
  const std::string longer = "enum class kind : std::uint8_t { one = 1, two = 2, three = 3 };\n";
  const auto found = check_enums({{"actors/a.hpp", "\n" + longer + "inline constexpr auto kind_last = kind::two;\n"}});
  REQUIRE(found.size() == 1);
  CHECK(found[0].line == 2);
  CHECK(count(check_enums, "actors/a.hpp", longer + "inline constexpr std::uint8_t kind_last = 2;\n") == 1);
}

TEST_CASE("an enum without a type needs no last enumerator until a number is cast to it") {
  const std::string plain = "enum class answer { yes, no };\n";
  CHECK(count(check_enums, "messages/a.hpp", plain) == 0);
  CHECK(check_enums({{"messages/a.hpp", plain}, {"runtime/b.cpp", "auto a = static_cast<answer>(1);\n"}}).size() == 1);
}
