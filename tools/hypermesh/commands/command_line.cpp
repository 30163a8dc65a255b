#include "tools/hypermesh/commands/command_line.hpp"

#include "tools/hypermesh/commands/config_page.hpp"
#include "tools/hypermesh/terminal/command_words.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/document_commands.hpp"
#include "tools/hypermesh/terminal/manual_page.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto about =
    "HyperMesh consensus: a replicated state machine that tolerates f Byzantine faults of n >= 3f + 1 replicas.";

constexpr auto overview =
    "First steps:\n"
    "  hypermesh demo                                      run a whole cluster on this machine for some seconds\n"
    "  hypermesh init mycluster                            make keys and configuration of a cluster\n"
    "  hypermesh start --config mycluster/replica-0/node.toml\n"
    "  hypermesh submit --cluster mycluster put name value\n"
    "  hypermesh status --cluster mycluster\n"
    "\n"
    "Exit codes: 0 ok; 1 the command failed; 2 wrong usage or configuration; 3 the cluster did not answer in time;\n"
    "130 interrupted. Data goes to stdout, messages to stderr. NO_COLOR turns colours off.";

constexpr auto binary_page = "hypermesh.1";
constexpr auto config_page_name = "node.toml.5";

exit_code print_page(const CLI::App& app, const std::string& page) {
  const bool is_config = page == config_page_name;
  print(is_config ? config_page() : manual_page_of(app.get_name(), tree_of(app), "node.toml(5), hypermesh-lab(1)"));
  return exit_code::ok;
}

}  // namespace

command_line::command_line() : app_{about, "hypermesh"} {
  app_.require_subcommand(1);
  app_.footer(overview);
  app_.get_formatter()->column_width(34);
  add_demo(app_, chosen_);
  add_init(app_, chosen_);
  add_keygen(app_, chosen_);
  add_config(app_, chosen_);
  add_metrics(app_, chosen_);
  add_events(app_, chosen_);
  add_start(app_, chosen_);
  add_submit(app_, chosen_);
  add_get(app_, chosen_);
  add_gateway(app_, chosen_);
  add_status(app_, chosen_);
  add_top(app_, chosen_);
  add_release(app_, chosen_);
  add_hand_over(app_, chosen_);
  add_replay(app_, chosen_);
  add_trace(app_, chosen_);
  add_bench(app_, chosen_);
  add_verify(app_, chosen_);
  add_judge(app_, chosen_);
  add_audit(app_, chosen_);
  add_bundle(app_, chosen_);
  add_completion(app_, document_)->callback([this] { chosen_ = [this] { return print_completion(app_, document_); }; });
  add_man(app_, document_, {binary_page, config_page_name})->callback([this] {
    chosen_ = [this] { return print_page(app_, document_); };
  });
  add_help(app_, help_words_)->callback([this] { chosen_ = [this] { return print_help(app_, help_words_); }; });
  complete_footers(app_);
}

exit_code command_line::run(int count, const char* const* words) {
  if (const auto done = parse(app_, count, words)) return *done;
  return chosen_();
}

}  // namespace hypermesh::cli
