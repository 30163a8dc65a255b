#include "runtime/state_machines/registry.hpp"

#include <array>

#include <fmt/format.h>

#include "runtime/base/nearest_word.hpp"
#include "runtime/state_machines/key_value_store.hpp"
#include "runtime/state_machines/null_machine.hpp"
#include "runtime/state_machines/redis/redis_machine.hpp"
#include "runtime/state_machines/redis/redis_words.hpp"
#include "runtime/state_machines/resource_scheduler.hpp"

namespace hypermesh::machines {

namespace {

/// One machine with its operations.
struct entry {
  std::string_view name;
  std::unique_ptr<state_machine> (*make)();
  or_reason<byte_vector> (*parse)(std::span<const std::string>);
  bool (*is_read)(byte_span);
  machine_answer (*interpret)(byte_span, const operation_result&);
  std::string_view (*usage)();
};

template <class Machine>
std::unique_ptr<state_machine> make() {
  return std::make_unique<Machine>();
}

bool reads_key_value(byte_span bytes) {
  const auto decoded = key_value::decode(bytes);
  return decoded && key_value::is_read(*decoded);
}

bool reads_scheduler(byte_span bytes) {
  const auto decoded = scheduler::decode(bytes);
  return decoded && scheduler::is_read(*decoded);
}

constexpr std::array<entry, 4> entries = {
    {{"key-value", make<key_value_store>, key_value::parse_operation, reads_key_value, key_value::interpret,
      key_value::usage},
     {"scheduler", make<resource_scheduler>, scheduler::parse_operation, reads_scheduler, scheduler::interpret,
      scheduler::usage},
     {"redis", make<redis::redis_machine>, redis::parse_operation, redis::reads, redis::interpret, redis::usage},
     {"null", make<null_machine>, null::parse_operation, null::reads, null::interpret, null::usage}}};

const entry* find(std::string_view name) {
  for (const auto& each : entries) {
    if (each.name == name) return &each;
  }
  return nullptr;
}

tl::unexpected<std::string> unknown(std::string_view name) {
  return invalid(fmt::format("unknown state machine \"{}\"; use one of: {}{}", shortened_word(name),
                             state_machine_names(), did_you_mean(name, state_machine_names())));
}

}  // namespace

std::string state_machine_names() {
  std::string names;
  for (const auto& each : entries)
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  return names;
}

or_reason<std::unique_ptr<state_machine>> make_state_machine(std::string_view name) {
  const auto* found = find(name);
  if (found == nullptr) return unknown(name);
  return found->make();
}

or_reason<byte_vector> parse_operation(std::string_view machine, std::span<const std::string> words) {
  const auto* found = find(machine);
  if (found == nullptr) return unknown(machine);
  return found->parse(words);
}

bool is_read(std::string_view machine, byte_span operation) {
  const auto* found = find(machine);
  return found != nullptr && found->is_read(operation);
}

machine_answer interpret(std::string_view machine, byte_span submitted, const operation_result& result) {
  const auto* found = find(machine);
  if (found != nullptr) return found->interpret(submitted, result);
  return result.status == operation_status::applied ? value_answer(result.payload) : unapplied_answer(result);
}

std::string_view operations_usage(std::string_view machine) {
  const auto* found = find(machine);
  return found == nullptr ? std::string_view{} : found->usage();
}

}  // namespace hypermesh::machines
