// A host application that runs one replica until SIGTERM or SIGINT, and then drains it.
// Usage: host_plain NODE_TOML. The machine is the one that the genesis names, for example "key-value".
#include <csignal>
#include <iostream>
#include <thread>

#include <hypermesh/consensus_manager.hpp>

using namespace std::chrono_literals;

namespace {

int report(const hypermesh::world_error& error) {
  std::cerr << "error: " << error.what << "\nfix: " << error.remedy << '\n';
  return 1;
}

/// Writes the events that people should see, until the replica has stopped.
void write_events(hypermesh::event_stream& events) {
  while (!events.is_over()) {
    const auto event = events.next(1h);
    if (event && !event->text.empty()) std::cerr << to_string(event->kind) << ": " << event->text << '\n';
  }
}

/// Counts the operations that this replica executed. A host would feed a cache or an index instead.
void count_operations(hypermesh::operation_stream& operations) {
  std::uint64_t count = 0;
  while (!operations.is_over()) {
    const auto item = operations.next(1h);
    if (!item) continue;
    if (const auto* gap = std::get_if<hypermesh::operation_gap>(&*item)) {
      std::cerr << "the operations of " << gap->first.value << " to " << gap->last.value << " are not known here\n";
    } else {
      ++count;
    }
  }
  std::cout << "operations " << count << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: host_plain NODE_TOML\n";
    return 2;
  }
  // Blocked before any thread exists, so that only sigtimedwait below receives the signals.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);

  auto started = hypermesh::consensus_manager::start({argv[1]});
  if (!started) return report(started.error());
  auto& replica = **started;
  const auto events = replica.events();
  const auto operations = replica.operations();
  std::thread writer{[&] { write_events(*events); }};
  std::thread counter{[&] { count_operations(*operations); }};
  std::cout << "ready " << replica.self().value << std::endl;

  const timespec second{1, 0};
  while (sigtimedwait(&ending, nullptr, &second) < 0 && replica.health().is_live) {
  }
  const auto health = replica.health();
  std::cout << health.sentence << std::endl;
  // This ends the streams, and with them the threads.
  const auto drained = replica.drain(20s);
  writer.join();
  counter.join();
  if (!health.running) return report(health.running.error());
  if (!drained) return report(drained.error());
  std::cout << "drained" << std::endl;
  return 0;
}
