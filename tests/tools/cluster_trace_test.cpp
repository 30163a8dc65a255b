#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/state_machines/resource_scheduler.hpp"
#include "tests/tools/trace_folder.hpp"
#include "tools/hypermesh/traces/trace.hpp"

namespace hypermesh::testing {

using namespace scheduler;

namespace {

const std::string node_head = "sn,cpu_milli,memory_mib,gpu,model\n";
const std::string pod_head =
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time\n";

template <class T>
std::string error_of(const or_reason<T>& value) {
  return value ? "no error" : value.error();
}

std::string node_error(const std::string& text) { return error_of(parse_trace_nodes(text, "nodes.csv")); }
std::string pod_error(const std::string& text) { return error_of(parse_trace_pods(pod_head + text, "pods.csv")); }

trace_task task_at(const std::string& name, std::uint64_t submit, std::optional<std::uint64_t> place,
                   std::optional<std::uint64_t> release) {
  return {{name, {1, 1, 0, 0, {}}, {}}, submit, place, release};
}

/// The "kind subject" of each event, in order.
std::vector<std::string> order_of(const cluster_trace& trace) {
  const std::vector<std::string> kinds = {"register", "release", "submit", "place", "release"};
  std::vector<std::string> order;
  for (const auto& event : events_of(trace)) {
    order.push_back(kinds[static_cast<std::size_t>(event.kind)] + " " + std::to_string(event.subject));
  }
  return order;
}

void check_own_order(const std::vector<trace_event>& events, std::size_t nodes) {
  std::map<std::uint32_t, std::string> seen;
  std::uint64_t now = 0;
  for (std::size_t index = 0; index < events.size(); ++index) {
    const auto& event = events[index];
    CHECK(event.time >= now);
    now = event.time;
    CHECK((event.kind == trace_event_kind::register_node) == (index < nodes));
    if (index < nodes) continue;
    const auto letter = event.kind == trace_event_kind::submit  ? 's'
                        : event.kind == trace_event_kind::place ? 'p'
                                                                : 'r';
    seen[event.subject] += letter;
  }
  for (const auto& own : seen) {
    CAPTURE(own.first);
    CHECK((own.second == "spr" || own.second == "sp"));
  }
}

}  // namespace

TEST_CASE("nodes and pods are read with quotes, CR LF, empty fields and columns in another order") {
  const auto nodes = parse_trace_nodes(
      "model,gpu,sn,cpu_milli,memory_mib,rack\r\nG2,8,\"a\",96000,393216,\"7,\"\"b\"\"\"\r\n"
      ",,b,32000,262144,\r\n\r\n",
      "nodes.csv");
  REQUIRE_MESSAGE(nodes, error_of(nodes));
  CHECK(*nodes == std::vector<node_spec>{{"a", 96'000, 393'216, 8, "G2"}, {"b", 32'000, 262'144, 0, ""}});

  const auto pods =
      parse_trace_pods(pod_head + "p,100,200,1,,G2|P100,LS,Running,10,,12.0\nq,1,1,,,,,,11,20,", "pods.csv");
  REQUIRE_MESSAGE(pods, error_of(pods));
  const trace_task first{{"p", {100, 200, 1, 1'000, {"G2", "P100"}}, service_class::latency_sensitive}, 10, 12, {}};
  const trace_task second{{"q", {1, 1, 0, 0, {}}, service_class::best_effort}, 11, {}, 20};
  CHECK(*pods == std::vector<trace_task>{first, second});
}

TEST_CASE("a list of pods without the last six columns means one pod a second, which never ends") {
  // The four files openb_pod_list_multigpu*.csv of the public trace have this form.
  const auto pods =
      parse_trace_pods("name,cpu_milli,memory_mib,num_gpu,gpu_milli\np,100,200,1,500\nq,1,1,2,1000\n", "p");
  REQUIRE_MESSAGE(pods, error_of(pods));
  const trace_task first{{"p", {100, 200, 1, 500, {}}, service_class::best_effort}, 0, {}, {}};
  const trace_task second{{"q", {1, 1, 2, 1'000, {}}, service_class::best_effort}, 1, {}, {}};
  CHECK(*pods == std::vector<trace_task>{first, second});
}

TEST_CASE("each optional column of pods may be missing alone, and no other column may") {
  const std::vector<std::string> names = {"name",     "cpu_milli", "memory_mib",    "num_gpu",       "gpu_milli",
                                          "gpu_spec", "qos",       "creation_time", "deletion_time", "scheduled_time"};
  const std::vector<std::string> fields = {"p", "100", "200", "1", "500", "G2", "LS", "10", "30", "20"};
  for (std::size_t missing = 0; missing < names.size(); ++missing) {
    std::string text;
    for (const auto* line : {&names, &fields}) {
      for (std::size_t column = 0; column < names.size(); ++column)
        if (column != missing) text += (*line)[column] + ",";
      text.back() = '\n';
    }
    const auto pods = parse_trace_pods(text, "pods.csv");
    CAPTURE(names[missing]);
    CHECK(bool{pods} == (missing >= 5));
    if (!pods) CHECK(error_of(pods).find("the column \"" + names[missing] + "\" is missing") != std::string::npos);
    if (!pods) continue;
    const auto& task = pods->front();
    CHECK(task.spec.needs.models.empty() == (names[missing] == "gpu_spec"));
    CHECK((task.spec.service == service_class::best_effort) == (names[missing] == "qos"));
    CHECK(task.submit_time == (names[missing] == "creation_time" ? 0 : 10));
    CHECK(task.release_time.has_value() == (names[missing] != "deletion_time"));
    CHECK(task.place_time.has_value() == (names[missing] != "scheduled_time"));
  }
}

TEST_CASE("a trace is read with any line end and a byte order mark") {
  const std::vector<node_spec> expected{{"a", 1, 1, 0, ""}, {"b", 2, 2, 0, ""}};
  const std::vector<std::string> lines = {"sn,cpu_milli,memory_mib,gpu,model", "a,1,1,0,", "b,2,2,0,"};
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    for (const std::string mark : {"", "\xef\xbb\xbf"}) {
      for (const bool is_closed : {true, false}) {
        const auto nodes =
            parse_trace_nodes(mark + lines[0] + end + lines[1] + end + lines[2] + (is_closed ? end : ""), "nodes.csv");
        REQUIRE_MESSAGE(nodes, error_of(nodes));
        CHECK(*nodes == expected);
      }
    }
  }
  CHECK(node_error("sn,cpu_milli,memory_mib,gpu,model\ra,1,1,0,\rb,x,2,0,\r")
            .starts_with("nodes.csv:3: column cpu_milli"));
  CHECK(node_error("\xff\xfes\0n\0") == "nodes.csv: the file is UTF-16; save it as UTF-8");
}

TEST_CASE("a repeated column is refused, because it is not clear which one counts") {
  CHECK(node_error("sn,cpu_milli,memory_mib,gpu,model,cpu_milli\na,1,1,0,,2\n") ==
        "nodes.csv:1: duplicate column \"cpu_milli\"; remove one of the two");
  // Some tools write an index column without a name, or commas at the end of lines.
  CHECK(node_error(",sn,cpu_milli,memory_mib,gpu,model,\n0,a,1,1,0,,\n") == "no error");
}

TEST_CASE("errors of a trace name file, line, column and the fix") {
  CHECK(node_error("") == "nodes.csv: the file is empty; its first line must name the columns");
  CHECK(node_error("sn,cpu_milli\n") ==
        "nodes.csv:1: the column \"memory_mib\" is missing among sn, cpu_milli; add it or name another file\n"
        "nodes.csv:1: the column \"gpu\" is missing among sn, cpu_milli; add it or name another file\n"
        "nodes.csv:1: the column \"model\" is missing among sn, cpu_milli; add it or name another file");
  CHECK(node_error(node_head + "a,1,1,0\n") ==
        "nodes.csv:2: the line has 4 fields, but the first line has 5; add or remove commas");
  CHECK(node_error(node_head + "a,1,1,0,\nb,x,1,0,\n") ==
        "nodes.csv:3: column cpu_milli holds \"x\"; write a whole number from 0 to 4294967295");
  CHECK(node_error(node_head + "a,,1,0,\n") == "nodes.csv:2: column cpu_milli is empty; write a whole number");
  CHECK(node_error(node_head + ",1,1,0,\n") == "nodes.csv:2: column sn is empty; write a value");
  CHECK(node_error(node_head + "a,1,1,0,\na,1,1,0,\n") == "nodes.csv:3: duplicate node a; correct or remove the line");
  CHECK(node_error(node_head + "a,1,1,0,G2\n") ==
        "nodes.csv:2: a node without GPUs has no GPU model; correct or remove the line");
  CHECK(node_error(node_head + "\"a,1,1,0,\n") ==
        "nodes.csv:2: a quote is not closed; close it at the end of the field");
  CHECK(node_error(node_head + "\"a\"b,1,1,0,\n") ==
        "nodes.csv:2: text follows a quoted field; put the whole field in quotes");
  CHECK(pod_error("p,1,1,1,500,,Best,Running,1,2,1") ==
        "pods.csv:2: column qos is wrong: \"Best\" is not a service class; use BE, Burstable, LS or Guaranteed");
  CHECK(pod_error("p,1,1,2,500,,LS,Running,1,2,1") ==
        "pods.csv:2: a task with several GPUs uses whole ones: gpu_milli is 1000; correct or remove the line");
  CHECK(pod_error("p,1,1,1,500,,LS,Running,-1,2,1") ==
        "pods.csv:2: column creation_time holds \"-1\"; write a whole number from 0 to 18446744073709551615");
  CHECK(pod_error("p,1,1,1,500,,LS,Running,,2,1") == "pods.csv:2: column creation_time is empty; write a whole number");
  CHECK(pod_error("p,1,1,1,500,,LS,Running,1.5,2,1").find("column creation_time holds \"1.5\"") != std::string::npos);
}

TEST_CASE("all wrong rows of a trace are reported at once, each with its first error, and their number is bounded") {
  CHECK(node_error(node_head + "a,x,y,0,\nb,1,1,0,\n,1,1,0,\n") ==
        node_error(node_head + "a,x,1,0,\n") + "\nnodes.csv:4: column sn is empty; write a value");
  std::string many = node_head;
  for (int row = 0; row < 1'000; ++row)
    many += ",1,1,0,\n";
  const auto error = node_error(many);
  CHECK(std::ranges::count(error, '\n') == 20);
  CHECK(error.ends_with("\nand 980 more wrong rows in nodes.csv"));
  // A field with a line break does not look like an error of its own.
  CHECK(node_error(node_head + "\"a\nb\",x,1,0,\n").find('\n') == std::string::npos);
}

TEST_CASE("the errors of both files of a trace are reported at once") {
  auto folder = (std::filesystem::temp_directory_path() / "hypermesh-trace-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  const std::filesystem::path root{folder};
  std::ofstream{root / "nodes.csv"} << node_head << "a,x,1,0,\n";
  std::ofstream{root / "pods.csv"} << pod_head << "p,1,1,1,500,,Best,Running,1,2,1\n";
  const auto error = error_of(read_trace(root / "nodes.csv", root / "pods.csv"));
  std::filesystem::remove_all(root);
  CHECK(error.find("column cpu_milli") != std::string::npos);
  CHECK(error.find("column qos") != std::string::npos);
}

TEST_CASE("a file that cannot be opened is an error that names it") {
  const auto trace = read_trace("no-such-nodes.csv", "no-such-pods.csv");
  CHECK(error_of(trace) == "no-such-nodes.csv: cannot open the file; check the path and the permissions");
}

TEST_CASE("a folder, an endless file and control characters are errors of a trace") {
  const auto in_root = read_trace("/", "/");
  CHECK(error_of(in_root) == "/: is a directory; name the file in it");
  const auto endless = read_trace("/dev/zero", "/dev/null");
  CHECK(error_of(endless).starts_with("/dev/zero: the file is larger than"));
}

TEST_CASE("no truncation of a trace file crashes the reader") {
  const auto text = pod_head + "\"p\"\"q\",100,200,1,500,G2|P100,LS,Running,10,20,12\r\n";
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto pods = parse_trace_pods(std::string_view{text}.substr(0, length), "pods.csv");
    if (pods) CHECK(pods->size() <= 1);
  }
}

TEST_CASE("releases come before submissions in the same second") {
  cluster_trace trace;
  trace.nodes = {{"n", 1, 1, 0, ""}, {"m", 1, 1, 0, ""}};
  trace.tasks = {task_at("a", 5, 5, 9), task_at("b", 1, 2, 5), task_at("c", 5, 5, {})};
  CHECK(order_of(trace) == std::vector<std::string>{"register 0", "register 1", "submit 1", "place 1", "release 1",
                                                    "submit 0", "submit 2", "place 0", "place 2", "release 0"});
}

TEST_CASE("a task is submitted, placed and released in this order, even with impossible times") {
  cluster_trace trace;
  trace.tasks = {task_at("same second", 5, 5, 5), task_at("released first", 5, 6, 1), task_at("placed first", 5, 1, 7),
                 task_at("never placed", 5, {}, 8)};
  CHECK(order_of(trace) == std::vector<std::string>{"submit 0", "submit 1", "submit 2", "submit 3", "place 0",
                                                    "place 2", "place 3", "release 0", "place 1", "release 1",
                                                    "release 2", "release 3"});
}

TEST_CASE("a synthetic trace depends only on its arguments and runs without a refusal") {
  const auto trace = synthetic_trace(42, 40, 2'000);
  CHECK(trace == synthetic_trace(42, 40, 2'000));
  CHECK_FALSE(trace == synthetic_trace(43, 40, 2'000));
  CHECK(trace.nodes.size() == 40);
  CHECK(trace.tasks.size() == 2'000);
  const auto events = events_of(trace);
  check_own_order(events, 40);
  resource_scheduler machine;
  for (const auto& event : events)
    CHECK(machine.apply({}, event.operation).status == operation_status::applied);
  CHECK(machine.summary().released > 1'000);
}

TEST_CASE("a synthetic trace may be empty or without nodes") {
  CHECK(events_of(synthetic_trace(1, 0, 0)).empty());
  CHECK(events_of(synthetic_trace(1, 0, 5)).size() >= 10);
}

TEST_CASE("the synthetic trace is the same on every machine") {
  resource_scheduler machine;
  for (const auto& event : events_of(synthetic_trace(7, 20, 300)))
    machine.apply({}, event.operation);
  CHECK(to_hex(machine.root().view(), 8) == "d7337a4429bf0248");
}

TEST_CASE("the real trace of 1,523 machines and 8,152 tasks is replayed completely") {
  const auto folder = trace_folder();
  if (!folder) {
    MESSAGE("not run: the trace is not at ../shared/data of the repository");
    return;
  }
  const auto nodes_file = *folder / nodes_file_name;
  const auto pods_file = *folder / pods_file_name;
  const auto trace = read_trace(nodes_file, pods_file);
  REQUIRE_MESSAGE(trace, error_of(trace));
  CHECK(trace->nodes.size() == 1'523);
  CHECK(trace->tasks.size() == 8'152);
  const auto events = events_of(*trace);
  check_own_order(events, trace->nodes.size());

  resource_scheduler machine;
  resource_scheduler follower;
  for (std::size_t index = 0; index < events.size(); ++index) {
    CHECK(machine.apply({}, events[index].operation).status == operation_status::applied);
    if (index == events.size() / 2) REQUIRE(follower.restore(machine.snapshot()).has_value());
    if (index > events.size() / 2) follower.apply({}, events[index].operation);
  }
  CHECK(machine.root() == follower.root());
  const auto totals = machine.summary();
  CHECK(totals.nodes == 1'523);
  CHECK(totals.gpu_milli_total == 6'212'000);
  CHECK(totals.released == 8'152);
  CHECK(totals.cpu_milli_used == 0);
  CHECK(totals.gpu_milli_used == 0);
}

TEST_CASE("the real trace without its last six columns is replayed: every task is submitted, and none ends") {
  const auto folder = trace_folder();
  if (!folder) {
    MESSAGE("not run: the trace is not at ../shared/data of the repository");
    return;
  }
  std::ifstream pods{*folder / pods_file_name};
  std::string cut;
  for (std::string line; std::getline(pods, line);) {
    std::size_t end = 0;
    for (int column = 0; column < 5; ++column)
      end = line.find(',', end) + 1;
    cut += line.substr(0, end - 1) + "\n";
  }
  auto tasks = parse_trace_pods(cut, "cut.csv");
  REQUIRE_MESSAGE(tasks, error_of(tasks));
  std::ifstream nodes_file{*folder / nodes_file_name};
  const std::string nodes_text{std::istreambuf_iterator<char>{nodes_file}, {}};
  const auto nodes = parse_trace_nodes(nodes_text, "nodes.csv");
  REQUIRE_MESSAGE(nodes, error_of(nodes));
  resource_scheduler machine;
  for (const auto& event : events_of({*nodes, std::move(*tasks)}))
    CHECK(machine.apply({}, event.operation).status == operation_status::applied);
  CHECK(machine.summary().released == 0);
  CHECK(machine.summary().nodes == 1'523);
}

}  // namespace hypermesh::testing
