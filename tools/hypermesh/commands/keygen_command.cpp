#include <filesystem>

#include "runtime/base/keys.hpp"
#include "tools/hypermesh/commands/command.hpp"
#include "tools/hypermesh/terminal/console.hpp"

namespace hypermesh::cli {

namespace {

constexpr auto examples =
    "Example:\n"
    "  hypermesh keygen secret.key\n"
    "\n"
    "FILE gets mode 0600 and is never replaced. The public key on stdout goes into the genesis file.";

exit_code run_keygen(const std::filesystem::path& file) {
  const auto key = secret_key::generate();
  if (auto done = write_secret_key(file, key); !done) return report_error(done.error(), exit_code::failed);
  print(to_hex(key.public_half().view()) + "\n");
  return exit_code::ok;
}

}  // namespace

void add_keygen(CLI::App& app, chosen_command& chosen) {
  auto* command = app.add_subcommand("keygen", "Make a secret key, and print its public key");
  auto file = std::make_shared<std::string>();
  command->footer(examples);
  command->add_option("FILE", *file, "File for the secret key")->required()->type_name("");
  command->callback([file, &chosen] { chosen = [file] { return run_keygen(*file); }; });
}

}  // namespace hypermesh::cli
