#pragma once

#include <string>

#include <fmt/format.h>

#include "tests/integration/cli_process.hpp"

/// Four machines for the commands of the documents, on one machine. `hypermesh` is the product, but `init` uses free
/// ports if the command names none.
namespace hypermesh::testing::cli_test {

/// A folder with stand-ins for ssh, scp, systemctl and apt-get. A machine is a folder that stands for its root, and an
/// address in 127.0.0.0/8. A stand-in of systemctl runs the replica of `hypermesh@NAME` as a process of this machine,
/// as the unit does, and obeys a drop-in with `--learner`.
class simulated_machines {
 public:
  simulated_machines() {
    fs::create_directories(folder_ / "bin");
    add("ssh", R"(
host=${1#root@}; shift
export MACHINE=$WORLD/machines/${host##*.}
mkdir -p "$MACHINE/var/lib/hypermesh" "$MACHINE/run"
command="$*"
command=${command//\/var\/lib\/hypermesh/$MACHINE/var/lib/hypermesh}
command=${command//\/run\/systemd/$MACHINE/run/systemd}
cd "$MACHINE"
exec bash -c "$command"
)");
    add("scp", R"(
words=("$@"); target=${words[-1]}; unset 'words[-1]'
host=${target#root@}; host=${host%%:*}
machine=$WORLD/machines/${host##*.}
mkdir -p "$machine/var/lib/hypermesh"
exec cp "${words[@]}" "$machine${target#*:}"
)");
    add("apt-get", "exit 0\n");
    add("systemctl", R"(
action=$1; shift
[ "$action" = daemon-reload ] && exit 0
[ "$1" = --now ] && shift
name=${1#hypermesh@}; place=$MACHINE/var/lib/hypermesh/$name; pid_file=$MACHINE/run/$name.pid; log=$MACHINE/run/$name.log
if [ "$action" = stop ] || [ "$action" = restart ]; then
  pid=$(cat "$pid_file")
  kill -TERM "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
fi
[ "$action" = stop ] && exit 0
learner=
grep -qs -- --learner "$MACHINE/run/systemd/system/hypermesh@$name.service.d"/*.conf && learner=--learner
: > "$log"
setsid hypermesh start --config "$place/node.toml" $learner > "$log" 2>&1 < /dev/null &
echo $! > "$pid_file"
until grep -q '^ready' "$log"; do
  kill -0 $! 2>/dev/null || { cat "$log" >&2; exit 1; }
  sleep 0.05
done
)");
    add("hypermesh", fmt::format(R"(
ports=()
[ "$1" = init ] && [[ "$*" != *--first-port* ]] && ports=(--first-port {})
exec {} "$@" "${{ports[@]}}"
)",
                                 free_port_row(4), HYPERMESH_BINARY));
  }
  ~simulated_machines() {
    // The commands of a document name files below their folder, so only the environment tells whose process it is.
    for (const auto each : processes_with(""))
      if (has(text_of("/proc/" + std::to_string(each) + "/environ"), world())) kill(each, SIGKILL);
  }
  simulated_machines(const simulated_machines&) = delete;
  simulated_machines& operator=(const simulated_machines&) = delete;

  /// Runs the script in bash, in an empty folder, until its first command that fails. Returns the exit code; `told`
  /// gets all output, with each command before its output.
  int run(const std::string& script, std::string& told) const {
    fs::create_directories(folder_ / "work");
    write_text(folder_ / "script", "set -exuo pipefail\n" + script);
    process_streams streams;
    streams.binary = "/usr/bin/env";
    streams.out = folder_ / "told";
    streams.err = folder_ / "complained";
    streams.folder = folder_ / "work";
    process shell{{"PATH=" + (folder_ / "bin").string() + ":" + std::getenv("PATH"), world(), "bash", "-c",
                   fmt::format("exec bash {} 2>&1", (folder_ / "script").string())},
                  streams};
    const auto code = shell.wait(std::chrono::seconds{240});
    told = text_of(folder_ / "told");
    return code.value_or(-1);
  }

 private:
  [[nodiscard]] std::string world() const { return "WORLD=" + folder_.path().string(); }
  void add(const std::string& name, const std::string& body) const {
    const auto file = folder_ / "bin" / name;
    write_text(file, "#!/bin/bash\nset -eu\n" + body);
    fs::permissions(file, fs::perms::owner_all);
  }

  scratch_folder folder_;
};

}  // namespace hypermesh::testing::cli_test
