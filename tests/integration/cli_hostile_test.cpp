#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <utility>

#include "tests/integration/cli_process.hpp"
#include "tools/hypermesh-lab/lab_command_line.hpp"
#include "tools/hypermesh/commands/command_line.hpp"
#include "tools/hypermesh/terminal/command_words.hpp"

/// Tries every option, file and stream of both binaries with hostile values. The table of options is made from the
/// parsers of the binaries, so a new option is tried automatically.
namespace hypermesh::testing::cli_test {

namespace {

/// The environment in which the commands run: files with bad content, and a cluster without a running node.
class hostile_world {
 public:
  hostile_world() {
    fs::create_directory(folder_ / "empty-folder");
    write_text(folder_ / "empty-file", "");
    write_text(folder_ / "not-utf-8", "\xff\xfe = \"\xc3\x28\"\n[[replica]]\nname = \"\xff\"\n");
    write_text(folder_ / "steers", "name = \"\x1b]0;title\x07\x1b[31m\"\n\x1b[2J = 1\nreplica = \"\\u001b[31m\"\n");
    write_text(folder_ / "long-line", std::string(2'000'000, 'x'));
    write_text(folder_ / "cluster-like", "genesis = \"\\u001b[31m\"\nreplica = 0\nkey = \"\\u001b[31m\"\n");
    made_ = run_with({"init", cluster(), "--first-port", std::to_string(free_port_row(4))}, {});
    REQUIRE(made_.code == 0);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::string cluster() const { return file("cluster"); }
  [[nodiscard]] const fs::path& folder() const { return folder_.path(); }
  /// The path of a file that does not exist yet.
  [[nodiscard]] std::string new_name() { return file("new-" + std::to_string(++names_)); }

  /// Hostile values for any option.
  [[nodiscard]] words hostile_values() const {
    return {"",
            " ",
            "x",
            "-1",
            "99999999999999999999999999",
            "1e999",
            "nan",
            "0x1p9",
            "\xff\xfe",
            "\x1b[31mred\x07",
            std::string(100'000, 'y')};
  }

  /// Further hostile values for options that name a file or a folder.
  [[nodiscard]] words hostile_paths() const {
    return {file("missing"),    file("missing/file"), file("empty-folder"),
            file("empty-file"), file("not-utf-8"),    file("steers"),
            file("long-line"),  "/dev/null",          "/proc/self/mem",
            "/dev/full",        file("bad\xff"),      file("bad\x1b[31m"),
            cluster(),          file("cluster-like"), cluster() + "/genesis.toml"};
  }

 private:
  scratch_folder folder_;
  finished made_;
  int names_ = 0;
};

/// For each command, words that make it end soon, because they are valid and the work is small, or because a cluster
/// does not answer. The test fails if a command is missing here.
std::map<std::string, words> product_bases(hostile_world& world) {
  const auto cluster = world.cluster();
  const words client{"--cluster", cluster, "--timeout", "100ms"};
  const auto with = [](words some, const words& more) {
    some.insert(some.end(), more.begin(), more.end());
    return some;
  };
  return {{"demo", {"--operations", "1"}},
          {"init", {world.new_name()}},
          {"keygen", {world.new_name()}},
          {"config check", {cluster + "/genesis.toml"}},
          {"config explain", {"listen"}},
          {"config print-default", {}},
          {"config print-effective", {cluster + "/replica-0/node.toml", "--show-origin"}},
          {"config print-reference", {}},
          {"metrics print-reference", {}},
          {"metrics print-dashboard", {}},
          {"metrics print-alerts", {}},
          {"events print-reference", {}},
          {"start", {"--config", world.file("missing")}},
          {"submit", with(client, {"put", "a", "1"})},
          {"get", with(client, {"a"})},
          // The cluster of this test has another machine, so the gateway ends.
          {"gateway", with(client, {"--resp", "7001"})},
          {"status", client},
          {"top", with(client, {"--rounds", "1"})},
          {"bundle", with(client, {"--output", world.new_name()})},
          {"verify", {world.file("missing"), "--genesis", cluster + "/genesis.toml"}},
          {"judge", {world.file("missing"), world.file("missing"), "--genesis", cluster + "/genesis.toml"}},
          {"release", with(client, {"0"})},
          {"hand-over", with(client, {"0"})},
          {"replay", with(client, {"--operations", "1"})},
          {"trace", {"--from", world.file("missing")}},
          {"bench", {"--duration", "200ms", "--warm-up", "0", "--in-flight", "1"}},
          {"audit show", {world.file("empty-folder")}},
          {"audit verify", {world.file("empty-folder"), "--genesis", cluster + "/genesis.toml"}},
          {"audit export", {world.file("empty-folder")}},
          {"completion", {"bash"}},
          {"man", {"hypermesh.1"}},
          {"help", {}}};
}

std::map<std::string, words> laboratory_bases(hostile_world& world) {
  return {{"sim", {"--seeds", "1", "--operations", "1"}},
          {"replay", {"--seed", "1", "--operations", "1"}},
          {"shrink", {"--seed", "1", "--operations", "1"}},
          {"plan", {"--seed", "1"}},
          {"strategies", {}},
          {"byzantine", {"--strategy", "mute-primary", "--config", world.file("missing")}},
          {"siege", {"--strategies", "no-such-strategy"}},
          {"history", {"--strategy", "no-such-strategy"}},
          {"demo", {"--strategy", "no-such-strategy"}},
          {"bench guard", {}},
          {"bench placement", {"--nodes", "1", "--tasks", "1"}},
          {"bench checkpoint", {"--state-bytes", "1MiB", "--rounds", "2"}},
          {"completion", {"bash"}},
          {"man", {"hypermesh-lab.1"}},
          {"help", {}}};
}

/// The base words without the option and its value.
words without(const words& base, const std::string& option) {
  words rest;
  for (std::size_t at = 0; at < base.size(); ++at) {
    if (base[at] == option) {
      ++at;
    } else {
      rest.push_back(base[at]);
    }
  }
  return rest;
}

/// The base words without positional arguments.
words without_positionals(const words& base) {
  words rest;
  for (std::size_t at = 0; at < base.size(); ++at) {
    if (!base[at].starts_with("--")) continue;
    rest.push_back(base[at]);
    if (at + 1 < base.size()) rest.push_back(base[++at]);
  }
  return rest;
}

bool takes_path(const CLI::Option& option) {
  const auto type = option.get_type_name();
  return has(type, "FILE") || has(type, "DIR") || option.get_positional();
}

/// One command to try: the words after the name of the binary.
struct attempt {
  words arguments;
  process_streams streams;
  std::string input;
};

void check(const attempt& tried, const finished& result) {
  std::string text;
  for (const auto& each : tried.arguments)
    text += " '" + each.substr(0, 200) + "'";
  CAPTURE(text);
  CAPTURE(result.code);
  CAPTURE(result.out);
  CAPTURE(result.err);
  CHECK((result.code >= 0 && result.code <= 3));
  for (const auto* sign :
       {"\x1b", "\x07", "terminate called", "report this error with the command line", "Assertion"}) {
    CHECK_FALSE(has(result.out, sign));
    CHECK_FALSE(has(result.err, sign));
  }
  const bool is_said = tried.streams.err == "/dev/null" && tried.streams.closed.empty();
  if (result.code != 0 && is_said) CHECK(has(result.err, "error:"));
}

void check(const attempt& tried) { check(tried, run_with(tried.arguments, tried.streams, tried.input)); }

/// Runs several attempts at a time, because most of them only wait for a cluster that does not answer.
class attempts_at_once {
 public:
  attempts_at_once() = default;
  ~attempts_at_once() {
    while (!under_way_.empty())
      finish_first();
  }
  attempts_at_once(const attempts_at_once&) = delete;
  attempts_at_once& operator=(const attempts_at_once&) = delete;

  void begin(attempt tried) {
    if (under_way_.size() == 8) finish_first();
    auto command = std::make_unique<running_command>(tried.arguments, tried.streams, tried.input);
    under_way_.emplace_back(std::move(tried), std::move(command));
  }

 private:
  void finish_first() {
    const auto& [tried, command] = under_way_.front();
    check(tried, command->end());
    under_way_.pop_front();
  }

  std::deque<std::pair<attempt, std::unique_ptr<running_command>>> under_way_;
};

/// The base words of a command. The test fails if the command has none.
words base_of(const std::map<std::string, words>& bases, const cli::leaf_command& leaf) {
  std::string path;
  for (const auto& each : leaf.path)
    path += (path.empty() ? "" : " ") + each;
  const auto found = bases.find(path);
  REQUIRE_MESSAGE(found != bases.end(), "'", path, "' has no words with which it ends soon");
  return found->second;
}

words joined(words some, const words& more) {
  some.insert(some.end(), more.begin(), more.end());
  return some;
}

std::string name_of(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string{} : "--" + option.get_lnames().front();
}

/// An option, and the options that exclude it.
struct tried_option {
  const CLI::Option* option = nullptr;
  std::vector<const CLI::Option*> rivals;
};

/// Lists all options of the command, including the options of groups from which exactly one must be given.
std::vector<tried_option> options_of(const CLI::App& command) {
  std::vector<tried_option> all;
  for (const auto* each : command.get_options())
    all.push_back({each, {}});
  for (const auto* group : command.get_subcommands([](const CLI::App* each) { return each->get_name().empty(); })) {
    const auto members = group->get_options();
    for (const auto* each : members)
      all.push_back({each, {members.begin(), members.end()}});
  }
  const auto everything = all;
  for (auto& each : all) {
    std::erase(each.rivals, each.option);
    for (const auto& other : everything) {
      const auto excludes = [](const CLI::Option* left, const CLI::Option* right) {
        const auto known = left->get_excludes();
        return std::any_of(known.begin(), known.end(), [right](const auto* one) { return one == right; });
      };
      if (excludes(each.option, other.option) || excludes(other.option, each.option)) {
        each.rivals.push_back(other.option);
      }
    }
  }
  return all;
}

/// The base words without the tried option and without the options that exclude it.
words base_for(const tried_option& tried, const words& base) {
  auto rest = base;
  auto left_out = tried.rivals;
  left_out.push_back(tried.option);
  for (const auto* each : left_out)
    rest = each->get_positional() ? without_positionals(rest) : without(rest, name_of(*each));
  return rest;
}

/// Tries every option of the command with every hostile value.
std::size_t try_options(const cli::leaf_command& leaf, const words& base, hostile_world& world,
                        const std::string& binary, attempts_at_once& attempts) {
  std::size_t count = 0;
  for (const auto& tried : options_of(*leaf.command)) {
    const auto& option = *tried.option;
    const auto name = name_of(option);
    if (name == "--help") continue;
    auto values = world.hostile_values();
    if (takes_path(option)) values = joined(values, world.hostile_paths());
    // A flag can only have a value after an equals sign.
    const bool is_flag = option.get_items_expected_max() == 0;
    const auto before = joined(leaf.path, is_flag ? base : base_for(tried, base));
    for (const auto& value : values) {
      const auto word = option.get_positional() ? words{"--", value}
                        : is_flag               ? words{name + "=" + value}
                                                : words{name, value};
      attempts.begin({joined(before, word), {.binary = binary, .folder = world.folder()}, ""});
      ++count;
    }
  }
  return count;
}

/// Tries the command with each of its streams in a bad state.
void try_streams(const cli::leaf_command& leaf, const words& base, hostile_world& world, const std::string& binary,
                 attempts_at_once& attempts) {
  const auto arguments = joined(leaf.path, base);
  process_streams usual;
  usual.binary = binary;
  usual.folder = world.folder();
  for (const auto& closed : {std::vector<int>{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 1, 2}}) {
    auto streams = usual;
    streams.closed = closed;
    attempts.begin({arguments, streams, ""});
  }
  auto full = usual;
  full.out = "/dev/full";
  attempts.begin({arguments, full, ""});
  // Writes to the second file store nothing but report no error.
  for (const auto* file : {"/dev/full", "/proc/self/mem"}) {
    auto silent = usual;
    silent.err = file;
    attempts.begin({arguments, silent, ""});
  }
  auto streams = usual;
  streams.in = world.folder();
  attempts.begin({arguments, streams, ""});
}

void try_all(const CLI::App& app, const std::map<std::string, words>& bases, hostile_world& world,
             const std::string& binary) {
  std::size_t tried = 0;
  attempts_at_once attempts;
  const auto leaves = cli::leaf_commands(app);
  for (const auto& leaf : leaves) {
    const auto base = base_of(bases, leaf);
    tried += try_options(leaf, base, world, binary, attempts);
    // The demonstration would run for seconds in each try, and it uses its streams as `replay` does.
    if (leaf.path.front() != "demo" && leaf.path.front() != "bench") try_streams(leaf, base, world, binary, attempts);
  }
  CHECK(leaves.size() == bases.size());
  CHECK(tried > 20 * leaves.size());
}

}  // namespace

TEST_CASE("no hostile value, file or stream makes the product crash, hang, or steer the terminal") {
  hostile_world world;
  const cli::command_line product;
  try_all(product.app(), product_bases(world), world, HYPERMESH_BINARY);
}

TEST_CASE("no hostile value, file or stream makes the laboratory crash, hang, or steer the terminal") {
  hostile_world world;
  const lab::lab_command_line laboratory;
  try_all(laboratory.app(), laboratory_bases(world), world, HYPERMESH_LAB);
}

TEST_CASE("each hostile line of stdin has a result line") {
  hostile_world world;
  const std::string lines = "\xff\xfe\n\x1b[31mred\n\"\n\\\n" + std::string(2'000'000, 'z') + "\n" +
                            std::string{"put a \0 b\n", 10} + "put\n";
  for (const auto* format : {"table", "json"}) {
    const words arguments{"submit", "--cluster", world.cluster(), "--timeout", "100ms", "-o", format, "-"};
    check({arguments, {}, lines});
    const auto result = run(arguments, lines);
    CHECK(std::count(result.out.begin(), result.out.end(), '\n') == 7);
  }
}

}  // namespace hypermesh::testing::cli_test
