#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "messages/time.hpp"

/// The processor time of the machine, of processes and of their threads, as the kernel counts it. The kernel counts in
/// ticks of 10 ms, so a difference over a second is right to about 1 %.
namespace hypermesh::cli {

/// The time that all processors together were not idle, since the start of the machine. Time that a hypervisor took
/// away counts as use by others. Nothing if `text`, the content of /proc/stat, has no such line. Pure.
[[nodiscard]] std::optional<duration> busy_time_in(std::string_view text, long ticks_per_second);

/// User and system time in the content of a "stat" file of a process or of a thread. Pure.
[[nodiscard]] std::optional<duration> processor_time_in(std::string_view text, long ticks_per_second);

/// A thread of a process, as the kernel names it.
struct thread_use {
  pid_t id = 0;
  std::string name;
  duration processor{};
};

/// Processor time by the role of the threads of a hypermesh process:
///
/// - `actors`: the workers that run the actors
/// - `links`: the multiplexer, which reads, writes and encrypts
/// - `own`: actors with a thread of their own, which write to the disk: journal, audit trail
/// - `database`: RocksDB's background threads
/// - `timer`: CAF's clock
/// - `rest`: the main thread, HTTP, and threads that only watch
///
/// CAF 0.17 gives its workers the name of the multiplexer. It starts the workers before its clock and the multiplexer
/// after it, so the order of the threads' numbers tells them apart. Later releases name the workers "caf.worker". Pure.
using role_times = std::map<std::string, duration>;
[[nodiscard]] role_times times_by_role(std::vector<thread_use> threads);

/// `after` minus `before` by role. A thread that ended meanwhile makes a difference too small, never negative.
[[nodiscard]] role_times difference(const role_times& after, const role_times& before);

/// The threads of a process now; empty if it has ended. A process of another user may be read too.
[[nodiscard]] std::vector<thread_use> threads_of_process(pid_t process);

/// The processor time of a process now; nothing if it has ended.
[[nodiscard]] std::optional<duration> processor_time_of(pid_t process);

/// The busy time of the machine now; nothing if the kernel does not tell it.
[[nodiscard]] std::optional<duration> busy_time_now();

}  // namespace hypermesh::cli
