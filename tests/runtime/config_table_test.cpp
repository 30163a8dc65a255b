#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/nearest_word.hpp"
#include "runtime/config_rows.hpp"
#include "runtime/config_text.hpp"
#include "runtime/effective_config.hpp"
#include "tests/runtime/storage_test_directory.hpp"

using namespace hypermesh;
using namespace hypermesh::testing;
using storage_test::contains;
using storage_test::content_of;
using storage_test::replace_content;
using storage_test::scratch_folder;

namespace {

using row = config_row<node_config>;

const row& row_of(std::string_view name) {
  const auto rows = node_rows();
  const auto found = std::ranges::find_if(rows, [name](const row& each) { return full_name(each.key) == name; });
  REQUIRE(found != rows.end());
  return *found;
}

/// The text of a table with only the line of this key.
std::string table_with(const config_key& key, const std::string& literal) {
  return "[" + std::string{key.table} + "]\n" + std::string{key.name} + " = " + literal + "\n";
}

/// A replica of a new cluster whose file has only the keys of the test.
struct replica_fixture {
  scratch_folder folder;
  cluster_layout layout{folder.path() / "cluster"};
  std::filesystem::path file = layout.node_file(0);
  /// The three lines that every file needs.
  const std::string top = "genesis = \"../genesis.toml\"\nreplica = 0\nkey_file = \"secret.key\"\n";

  replica_fixture() { REQUIRE(create_cluster(layout.root, {})); }

  [[nodiscard]] or_error<node_config> with(const std::string& tables) const {
    replace_content(file, top + tables);
    return read_node_config(file);
  }
  [[nodiscard]] node_config good(const std::string& tables) const {
    auto read = with(tables);
    REQUIRE_MESSAGE(read, (read ? "" : read.error().what));
    return std::move(*read);
  }
  [[nodiscard]] std::string problem(const std::string& tables) const {
    const auto read = with(tables);
    REQUIRE(!read);
    return read.error().what;
  }
  [[nodiscard]] std::string at_line(int line) const { return file.string() + ":" + std::to_string(line) + ": "; }
};

/// Two values of a number that differ from its default, if the bounds allow it.
std::vector<std::uint64_t> other_numbers(const documented_key& each) {
  std::vector<std::uint64_t> numbers = {each.key.low, each.key.low + (each.key.high - each.key.low) / 2, each.key.high};
  std::erase(numbers, std::get<std::uint64_t>(*each.default_value));
  return numbers;
}

}  // namespace

TEST_CASE("every key has a purpose, a unit in its name, and a default inside of its bounds") {
  std::set<std::string> names;
  for (const auto& each : documented_keys()) {
    const auto& key = each.key;
    const auto name = std::string{each.file} + " " + full_name(key);
    CAPTURE(name);
    CHECK(names.insert(name).second);
    CHECK(key.about.ends_with('.'));
    CHECK_FALSE(key.unit.empty());
    CHECK(std::ranges::any_of(config_sections(), [&](const auto& section) {
      return section.file == each.file && section.table == key.table;
    }));
    const auto names_unit = [&key](const std::string& unit) {
      return key.name.ends_with(unit) || contains(std::string{key.name}, unit + "_");
    };
    if (key.unit == "µs") CHECK(names_unit("_us"));
    if (key.unit == "ms") CHECK(names_unit("_ms"));
    if (key.unit == "MiB") CHECK(names_unit("mib"));
    if (key.unit == "KiB") CHECK(names_unit("kib"));
    if (key.kind != value_kind::number || key.is_required) continue;
    const auto usual = std::get<std::uint64_t>(*each.default_value);
    CHECK(key.low <= usual);
    CHECK(usual <= key.high);
    // The limit is the largest number of the reader, which uses the signed numbers of TOML.
    CHECK(key.high <= std::numeric_limits<std::int64_t>::max());
  }
}

TEST_CASE("a key that follows another one down stays within its own bounds") {
  for (const auto& each : node_rows()) {
    if (each.key.larger.empty()) continue;
    CAPTURE(full_name(each.key));
    CHECK(row_of(each.key.larger).key.low / each.key.larger_factor >= each.key.low);
  }
}

TEST_CASE("an old name leads to an existing key and is no key itself") {
  const auto exists = [](std::string_view name) {
    return std::ranges::any_of(documented_keys(), [name](const auto& each) { return full_name(each.key) == name; });
  };
  for (const auto& each : renamed_keys()) {
    CAPTURE(each.before);
    CHECK(exists(each.now));
    CHECK_FALSE(exists(each.before));
  }
}

TEST_CASE_FIXTURE(replica_fixture, "the generated files read back as the defaults") {
  const auto usual = good("");
  for (const auto which : {written_keys::chosen, written_keys::all}) {
    replace_content(file, node_file_text(0, which));
    const auto read = read_node_config(file);
    REQUIRE(read);
    for (const auto& each : node_rows()) {
      CAPTURE(full_name(each.key));
      CHECK(each.get(*read) == each.get(usual));
    }
  }
  CHECK(usual.settings.checkpoint_resend == node_settings{}.checkpoint_resend);
  CHECK(usual.links.client_links_max == link_limits{}.client_links_max);
}

TEST_CASE_FIXTURE(replica_fixture, "a commented line of a new file works when its comment mark is removed") {
  const auto text = node_file_text(0);
  for (const auto& each : documented_keys()) {
    if (each.file != "node.toml" || !each.default_value) continue;
    auto edited = text;
    const auto line = "\n# " + std::string{each.key.name} + " = ";
    const auto at = edited.find(line);
    if (at == std::string::npos) continue;
    CAPTURE(full_name(each.key));
    replace_content(file, edited.erase(at + 1, 2));
    CHECK(read_node_config(file));
  }
}

TEST_CASE_FIXTURE(replica_fixture, "every number of node.toml reaches the member that its key names, and no other") {
  const auto usual = good("");
  for (const auto& each : documented_keys()) {
    if (each.file != "node.toml" || each.key.kind != value_kind::number || each.key.is_required) continue;
    const auto& own = row_of(full_name(each.key));
    for (const auto number : other_numbers(each)) {
      CAPTURE(full_name(each.key));
      CAPTURE(number);
      // If necessary, the bounding key is raised too.
      std::string tables = table_with(each.key, std::to_string(number));
      if (!each.key.larger.empty()) {
        const auto& larger = row_of(each.key.larger).key;
        if (number * each.key.larger_factor > larger.high) continue;
        const auto needed = std::to_string(std::max(larger.low, number * each.key.larger_factor));
        tables = larger.table == each.key.table ? tables + std::string{larger.name} + " = " + needed + "\n"
                                                : tables + table_with(larger, needed);
      }
      const auto config = good(tables);
      CHECK(std::get<std::uint64_t>(own.get(config)) == number);
      for (const auto& other : node_rows()) {
        const auto name = full_name(other.key);
        // A larger value of the bounding key lets the defaults of other keys below it rise again.
        const bool shares_bound = !each.key.larger.empty() && other.key.larger == each.key.larger;
        const bool is_bound = name == each.key.larger || other.key.larger == full_name(each.key) || shares_bound;
        if (name == full_name(each.key) || is_bound) continue;
        CAPTURE(name);
        CHECK(other.get(config) == other.get(usual));
      }
    }
  }
}

TEST_CASE_FIXTURE(replica_fixture, "no hostile value of a number is accepted, and each is reported with its line") {
  const std::vector<std::string> hostile = {"-1",
                                            "-9223372036854775808",
                                            "9223372036854775807",
                                            "1.5",
                                            "1e3",
                                            "nan",
                                            "inf",
                                            "true",
                                            "\"1\"",
                                            "\"\\u001b[31m\"",
                                            "[1]",
                                            "{}",
                                            "1979-05-27",
                                            "0x7fffffffffffffff"};
  for (const auto& each : node_rows()) {
    const auto& key = each.key;
    if (key.kind != value_kind::number || key.is_required) continue;
    CAPTURE(full_name(key));
    auto values = hostile;
    values.push_back(std::to_string(key.high + 1));
    if (key.low > 0) values.push_back(std::to_string(key.low - 1));
    for (const auto& value : values) {
      CAPTURE(value);
      const auto what = problem(table_with(key, value));
      CHECK(contains(what, at_line(5) + "'" + std::string{key.name} + "' must be a whole number from " +
                               std::to_string(key.low) + " to " + std::to_string(key.high)));
      CHECK_FALSE(contains(what, "\x1b"));
    }
  }
}

TEST_CASE_FIXTURE(replica_fixture, "no hostile value of another kind is accepted") {
  for (const auto& each : node_rows()) {
    const auto& key = each.key;
    if (key.kind == value_kind::number || key.table.empty()) continue;
    CAPTURE(full_name(key));
    for (const auto* value : {"7", "[]", "{}", "\"\"", "1.5"})
      CHECK(contains(problem(table_with(key, value)), at_line(5)));
  }
  CHECK_FALSE(contains(problem(table_with(row_of("storage.mode").key, "\"\\u001b[31m\"")), "\x1b"));
  CHECK(contains(problem("[storage]\nmode = \"papyrus\"\n"),
                 "'mode' has the unknown value 'papyrus'; use one of: sync, async"));
  CHECK(contains(problem("views = 7\n"), "'views' must be a table"));
}

TEST_CASE_FIXTURE(replica_fixture,
                  "a value above another key's bound is reported, and a default follows that key down") {
  CHECK(contains(problem("[links]\nclient_links_max = 64\nlinks_per_client_max = 33\n"),
                 at_line(6) + "'links_per_client_max' is 33, which exceeds half of 'client_links_max' = 64"));
  CHECK(contains(problem("[transfer]\ngive_mib_per_tick_max = 17\n"),
                 "'give_mib_per_tick_max' is 17, which exceeds half of 'links.replica_outbound_mib_max' = 32"));
  CHECK(contains(problem("[links]\nredial_delay_ms_min = 100\nredial_delay_ms_max = 99\n"),
                 "'redial_delay_ms_min' is 100, which exceeds 'redial_delay_ms_max' = 99"));
  const auto lowered =
      good("[links]\nreplica_outbound_mib_max = 25\nhandshakes_max = 64\n[pending]\ntotal_mib_max = 8\n");
  CHECK(lowered.settings.giving.bytes_per_tick_max == 12ULL << 20U);
  CHECK(lowered.links.handshakes_per_address_max == 64);
  CHECK(lowered.settings.batching.bytes_per_client_max == 4ULL << 20U);
}

TEST_CASE_FIXTURE(replica_fixture, "an HTTP port that other machines reach needs a token, and TLS needs two files") {
  CHECK_FALSE(good("").http.enabled);
  CHECK(good("[http]\nenabled = true\n").http.listen == replica_address{"127.0.0.1", 8400});
  CHECK(good("[http]\nlisten = \"*:8400\"\n").http.listen.host.empty());
  for (const auto* listen : {"*:8400", "0.0.0.0:8400", "[::]:8400", "10.0.0.1:8400", "node.example:8400"}) {
    CAPTURE(listen);
    const auto table = std::string{"[http]\nenabled = true\nlisten = \""} + listen + "\"\n";
    CHECK(contains(problem(table), at_line(6) + "other machines reach"));
    CHECK(good(table + "token_file = \"token\"\n").http.token_file.filename() == "token");
  }
  CHECK(contains(problem("[http]\nenabled = true\nlisten = \"127.0.0.1:7400\"\n"), "is the port of the links"));
  CHECK(contains(problem("[http]\ntls_key = \"k\"\n"), "tls_certificate and tls_key belong together"));
  CHECK(contains(problem("[http]\ntls_certificate = \"c\"\n"), "tls_certificate and tls_key belong together"));
}

TEST_CASE_FIXTURE(replica_fixture, "a file with an old key gets an error that names the new one") {
  for (const auto& each : renamed_keys()) {
    const auto dot = each.before.find('.');
    const auto table = std::string{each.before.substr(0, dot)};
    const auto name = std::string{each.before.substr(dot + 1)};
    const auto now = std::string{each.now.substr(each.now.find('.') + 1)};
    CAPTURE(each.before);
    const auto what = problem("[" + table + "]\n" + name + " = 500000\n");
    CHECK(contains(what, at_line(5) + "'" + name + "' is now "));
    CHECK(contains(what, "'" + now + "'"));
  }
  CHECK(
      contains(problem("[periods]\ncheckpoint_us = 500000\n"), "'checkpoint_us' is now called 'checkpoint_resend_us'"));
  CHECK(contains(problem("[views]\nservice_us = 25000\n"), "'service_us' is now 'service_check_us' of [periods]"));
}

TEST_CASE_FIXTURE(replica_fixture, "an unknown key is reported with its table or the nearest key") {
  CHECK(contains(problem("[views]\nstatus_us = 5000\n"), "unknown key 'status_us'; it belongs to [periods]"));
  CHECK(contains(problem("[storage]\nmode = \"snyc\"\n"), "use one of: sync, async, memory; did you mean 'sync'?"));
  CHECK(contains(problem("[periods]\nstatsu_us = 5000\n"), "unknown key 'statsu_us'; did you mean 'status_us'?"));
  CHECK(contains(problem("[bathcing]\ndelay_us = 5\n"), "unknown key 'bathcing'; did you mean 'batching'?"));
  CHECK(contains(problem("retain_mib = 5\n"), "it belongs to [storage] or [audit]"));
  CHECK(contains(problem("[audit]\npatience = 5\n"),
                 "unknown key 'patience'; known keys of this table: directory, enabled"));
}

TEST_CASE_FIXTURE(replica_fixture, "all problems are reported at once, each with its line") {
  const auto what =
      problem("[views]\nrequest_us = 1\n[links]\nclient_links_max = 1\nwindow = 3\n[storage]\nmode = 5\n");
  for (const auto line : {5, 7, 8, 10})
    CHECK(contains(what, at_line(line)));
  CHECK(std::ranges::count(what, '\n') == 3);
}

TEST_CASE_FIXTURE(replica_fixture, "effective values are shown with file and line, or as defaults") {
  replace_content(file, top + "[links]\n\nclient_links_max = 100\n");
  const auto read = effective_values(file, config_kind::node);
  REQUIRE(read);
  const auto& values = read.value();
  CHECK(values.size() == node_rows().size() + cluster_rows().size());
  const auto find = [&values](std::string_view name) {
    const auto found =
        std::ranges::find_if(values, [name](const auto& each) { return full_name(each.of.key) == name; });
    REQUIRE(found != values.end());
    return *found;
  };
  CHECK(find("links.client_links_max").line == 6);
  CHECK(std::get<std::uint64_t>(find("links.client_links_max").value) == 100);
  CHECK(find("links.handshakes_max").line == 0);
  CHECK(std::get<std::string>(find("listen").value) == "127.0.0.1:7400");
  CHECK(find("listen").line == 0);
  CHECK(std::get<std::string>(find("storage.directory").value) == layout.data_folder(0));
  const auto period = find("cluster.checkpoint_period");
  CHECK(std::filesystem::equivalent(period.file, layout.genesis_file()));
  CHECK(contains(content_of(layout.genesis_file()), "checkpoint_period = 128"));
  CHECK(period.line > 0);
  CHECK(!effective_values(folder.path() / "missing", config_kind::node));
  CHECK(effective_values(layout.client_file(0), config_kind::client).value().size() ==
        client_rows().size() + cluster_rows().size());
  CHECK(effective_values(layout.genesis_file(), config_kind::genesis).value().size() == cluster_rows().size());
}

TEST_CASE("the reference of the keys equals the generated one") {
  const auto file = std::filesystem::path{HYPERMESH_SOURCE_DIR} / "runtime" / "CONFIGURATION.md";
  const bool is_current = content_of(file) == reference_text();
  CHECK_MESSAGE(is_current,
                "runtime/CONFIGURATION.md differs from the table of keys; make it again:\n"
                "hypermesh config print-reference > runtime/CONFIGURATION.md");
  for (const auto& each : documented_keys())
    CHECK(contains(reference_text(), "- `" + std::string{each.key.name} + "`: "));
}

TEST_CASE("generated lines of text have at most 100 bytes") {
  for (const auto& text : {node_file_text(0), client_file_text(0), genesis_head_text({}), reference_text()}) {
    for (std::size_t at = 0; at < text.size();) {
      const auto end = std::min(text.find('\n', at), text.size());
      const auto line = text.substr(at, end - at);
      CAPTURE(line);
      CHECK(line.size() <= line_bytes_max);
      at = end + 1;
    }
  }
}

TEST_CASE("the nearest word completes an unfinished one or corrects a misspelled one") {
  const std::vector<std::string> known = {"client_links_max", "links_per_client_max", "listen"};
  CHECK(nearest_word("cleint_links_max", known) == "client_links_max");
  CHECK(nearest_word("links_per_clien", known) == "links_per_client_max");
  CHECK(nearest_word("lisetn", known) == "listen");
  CHECK(nearest_word("patience", known).empty());
  CHECK(nearest_word("", known).empty());
  CHECK(nearest_word(std::string(100'000, 'l'), known).empty());
  CHECK(nearest_word("\xff\xfe", known).empty());
}
