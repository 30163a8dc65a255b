#include <filesystem>

#include <nlohmann/json.hpp>

#include "runtime/base/keys.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/output_options.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto examples =
    "Example:\n"
    "  hypermesh keygen secret.key\n"
    "\n"
    "FILE gets mode 0600 and is never replaced. The public key on stdout goes into the genesis file.\n"
    "\n"
    "Exit codes: 0 made; 1 the file exists or cannot be written; 2 wrong options.";

exit_code run_keygen(const std::filesystem::path& file, const output_options& output) {
  const auto key = secret_key::generate();
  if (auto done = write_secret_key(file, key); !done) return report_error(done.error(), exit_code::failed);
  const auto public_key = to_hex(key.public_half().view());
  if (output.is_json()) {
    print_json({{"file", file.string()}, {"public_key", public_key}}, 2);
  } else {
    print(public_key + "\n");
  }
  return exit_code::ok;
}

}  // namespace

void add_keygen(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("keygen", "Make a secret key, and print its public key");
  auto file = std::make_shared<std::string>();
  auto output = std::make_shared<output_options>();
  command->footer(examples);
  command->add_option("FILE", *file, "File for the secret key")->required()->type_name("");
  add_output_option(*command, *output);
  command->callback([file, output, &chosen] { chosen = [file, output] { return run_keygen(*file, *output); }; });
}

}  // namespace hypermesh::cli
