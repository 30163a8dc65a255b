#include "tests/simulation/scenario_stage.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "runtime/state_machines/key_value_store.hpp"
#include "tests/byzantine/strategy.hpp"
#include "tests/simulation/scenario_names.hpp"

namespace hypermesh::testing {

scenario_stage::scenario_stage()
    : actions_{{"cluster", &scenario_stage::make_cluster},
               {"client", &scenario_stage::submit},
               {"hold", &scenario_stage::hold},
               {"drop", &scenario_stage::drop},
               {"pass", &scenario_stage::pass},
               {"release", &scenario_stage::release},
               {"advance", &scenario_stage::advance},
               {"stabilize", &scenario_stage::stabilize},
               {"byzantine", &scenario_stage::remove},
               {"adversary", &scenario_stage::misbehave},
               {"show", &scenario_stage::show},
               {"mute", &scenario_stage::mute},
               {"unmute", &scenario_stage::unmute},
               {"status", &scenario_stage::tell_status},
               {"read", &scenario_stage::tell_value},
               {"batch", &scenario_stage::define_batch},
               {"pre-prepare", &scenario_stage::send_pre_prepare},
               {"prepare", &scenario_stage::send_prepare},
               {"commit", &scenario_stage::send_commit},
               {"checkpoint", &scenario_stage::send_checkpoint},
               {"request", &scenario_stage::send_request},
               {"requests", &scenario_stage::send_requests},
               {"reply", &scenario_stage::send_reply},
               {"state-chunk", &scenario_stage::send_chunk},
               {"state-leaves", &scenario_stage::send_leaves},
               {"checkpoint-proof", &scenario_stage::send_proof}} {}

std::string scenario_stage::run(const std::vector<script_command>& commands) {
  std::string error;
  try {
    for (const auto& command : commands) {
      const auto found = actions_.find(command.name);
      if (found == actions_.end()) throw script_error{"there is no command " + command.name};
      (this->*found->second)(command);
    }
  } catch (const script_error& wrong) {
    error = "script error: " + wrong.what + "\n";
  }
  auto output = transcript_ ? transcript_->take() : std::string{};
  if (checker_ && checker_->violated()) {
    output += fmt::format("VIOLATED {}: {}\n", checker_->violated()->invariant, checker_->violated()->what);
  }
  return output + error;
}

// --- Watching --------------------------------------------------------------------

void scenario_stage::on_observed(endpoint machine, const observation& what) {
  const replica_id replica{machine.who.number};
  checker_->on_observed(replica, what);
  if (const auto* refused = std::get_if<frame_rejected>(&what)) {
    // Late and repeated votes of correct replicas are normal, so the transcript omits their rejections.
    const bool is_harmless = refused->reason == rejection::already_decided || refused->reason == rejection::duplicate;
    const bool is_correct = refused->sender.is_client() || world_->has_node(replica_id{refused->sender.number});
    if (is_harmless && is_correct) return;
  }
  transcript_->observed(replica, what);
}

void scenario_stage::on_sent(const frame_transit& transit) {
  const auto decoded = decode(transit.frame);
  if (!decoded || !world_) return;
  const replica_id sender{transit.from.number};
  if (transit.from.is_replica() && world_->has_node(sender)) {
    checker_->on_message_sent(sender, *decoded, transit.frame);
  } else if (const auto* sent = std::get_if<request>(&*decoded); sent != nullptr && transit.from.is_client()) {
    const client_id client{transit.from.number};
    if (sent->id.client == client) checker_->on_request_sent(client, *sent);
  }
}

void scenario_stage::on_delivered(const frame_transit& transit) { transcript_->delivered(transit); }

void scenario_stage::on_start_refused(endpoint machine, const world_error& why) {
  transcript_->said(fmt::format("{} does not start: {}", to_string(machine.who), why.what));
}

void scenario_stage::on_faulty(principal who, faulty_because) {
  if (who.is_client()) return checker_->distrust(client_id{who.number});
  checker_->distrust(replica_id{who.number}, standing::faulty);
}

void scenario_stage::on_actor_died(principal who, const std::string& reason) {
  transcript_->said(fmt::format("an actor of {} ended: {}", to_string(who), reason));
}

// --- The cluster, its network and its time -----------------------------------------

simulated_world& scenario_stage::world() {
  if (!world_) throw script_error{"the first command is cluster"};
  return *world_;
}

scenario_transcript& scenario_stage::transcript() {
  if (!transcript_) throw script_error{"the first command is cluster"};
  return *transcript_;
}

void scenario_stage::make_cluster(const script_command& command) {
  if (world_) throw script_error{"a script has one cluster"};
  const auto small = [&](const char* name, std::uint64_t otherwise) {
    return static_cast<std::uint32_t>(command.number(name, otherwise));
  };
  world_settings settings;
  settings.cluster =
      small_cluster(small("replicas", 4), small("clients", 1), small("checkpoint_period", 4), small("window", 8));
  settings.shuffles = false;
  // A script has no clock, so its batches have no time.
  settings.has_wall_clocks = false;
  settings.first_session = session_id{0};
  settings.faults.delay_min = 0us;
  settings.faults.delay_max = 0us;
  settings.node.batching.requests_per_batch_max = small("batch", 16);
  settings.node.batching.pipeline_depth = small("pipeline", 8);
  settings.client.bundle_operations_max = small("bundle", 1);
  settings.machine = [] { return std::make_unique<key_value_store>(256); };
  factory_ = std::make_unique<request_factory>(settings.cluster, settings.key_seed);
  transcript_ = std::make_unique<scenario_transcript>(names_, settings.cluster.replicas);
  checker_ = std::make_unique<invariant_checker>(
      settings.cluster, factory_->keys_of(replica_id{0}), settings.machine(),
      invariant_bounds{limits::requests_in_flight_max, 4ULL * settings.cluster.watermark_window, false});
  world_ = std::make_unique<simulated_world>(std::move(settings), chance_, *this);
  checker_->set_durability(
      [this](replica_id id, const storage_record& record) { return world_->node(id).storage->binds(record); });
  world_->network().set_judge([this](const frame_transit& transit) {
    const auto found = std::ranges::find_if(filters_, [&](const filter& each) { return each.matches(transit); });
    return found == filters_.end() ? simulated_network::verdict::pass : found->decided;
  });
}

void scenario_stage::submit(const script_command& command) {
  if (command.words.size() < 2) throw script_error{"client <number> <operation>"};
  const client_id client{static_cast<std::uint32_t>(parse_number(command.words.front()))};
  const std::vector<std::string> words(command.words.begin() + 1, command.words.end());
  auto operation = operation_of(words);
  auto done = [this, client, words, operation](const submit_outcome& outcome) {
    const auto* result = std::get_if<operation_result>(&outcome);
    const auto text = result != nullptr ? key_value::interpret(operation, *result).line
                                        : std::string{to_string(std::get<client_error>(outcome))};
    std::string asked;
    for (const auto& word : words)
      asked += " " + word;
    transcript_->said(fmt::format("c{}:{} => {}", client.value, asked, text));
  };
  world().submit(client, std::move(operation), std::move(done));
}

bool scenario_stage::filter::matches(const frame_transit& transit) const {
  const auto sent = kind_of(*transit.frame);
  return (kind == "*" || (sent && to_string(*sent) == kind)) && (from.empty() || from.contains(transit.from)) &&
         (to.empty() || to.contains(transit.to));
}

scenario_stage::filter scenario_stage::filter_of(const script_command& command) {
  filter made;
  made.kind = command.words.empty() ? "*" : command.words.front();
  for (const auto& each : split(command.text("from"), ','))
    made.from.insert(principal_of(each));
  for (const auto& each : split(command.text("to"), ','))
    made.to.insert(principal_of(each));
  return made;
}

void scenario_stage::add_filter(simulated_network::verdict decided, const script_command& command) {
  auto made = filter_of(command);
  made.decided = decided;
  filters_.push_back(std::move(made));
}

void scenario_stage::pass(const script_command&) { filters_.clear(); }

void scenario_stage::release(const script_command& command) {
  const auto which = filter_of(command);
  world().network().release([&](const frame_transit& transit) { return which.matches(transit); });
}

void scenario_stage::advance(const script_command& command) {
  if (command.words.size() != 1) throw script_error{"advance <duration>"};
  world().run_until(world().now() + parse_duration(command.words.front()));
  world().settle();
}

void scenario_stage::stabilize(const script_command&) { world().settle(); }

void scenario_stage::remove(const script_command& command) {
  for (const auto& each : command.words) {
    const replica_id id{static_cast<std::uint32_t>(parse_number(each))};
    world().remove_node(id);
    checker_->distrust(id, standing::faulty);
  }
}

/// Keeps the node running, but puts an adversary between the node and its links.
void scenario_stage::misbehave(const script_command& command) {
  const auto& words = command.words;
  const bool leaves = words.size() == 2 && words[1] == "leaves";
  if (!leaves && (words.size() != 3 || words[1] != "plays")) throw script_error{"adversary <member> plays <strategy>"};
  const auto who = principal_of(words.front());
  if (leaves) return world().behave(who);
  if (make_adversary(words[2]) == nullptr) throw script_error{"there is no strategy " + words[2]};
  world().misbehave(who, words[2]);
}

void scenario_stage::show(const script_command& command) {
  const std::set<std::string> kinds(command.words.begin(), command.words.end());
  if (kinds == std::set<std::string>{"none"}) return transcript().show_none();
  transcript().show_only(kinds == std::set<std::string>{"all"} ? std::set<std::string>{} : kinds);
}

void scenario_stage::tell_status(const script_command&) {
  for (std::uint32_t number = 0; number < world().settings().cluster.replicas; ++number) {
    const replica_id id{number};
    if (!world().has_node(id)) continue;
    const auto& node = world().node(id);
    const auto& core = *node.replica->core;
    auto& replicated = *node.executor->replicated;
    transcript_->said_of(id, fmt::format("v={} h={} H={} executed={} state={}", core.view().value,
                                         core.marks().low().value, core.marks().high().value,
                                         replicated.last_executed().value, names_.of(replicated.machine_root())));
  }
}

/// Prints the value of a key in each replica's machine.
void scenario_stage::tell_value(const script_command& command) {
  if (command.words.size() != 1) throw script_error{"read <key>"};
  const auto operation = operation_of({"get", command.words.front()});
  for (std::uint32_t number = 0; number < world().settings().cluster.replicas; ++number) {
    const replica_id id{number};
    if (!world().has_node(id)) continue;
    const auto found = world().node(id).executor->replicated->query(operation);
    if (!found) continue;
    transcript().said_of(id,
                         fmt::format("{} is {}", command.words.front(), key_value::interpret(operation, *found).line));
  }
}

std::string run_scenario(const std::string& script) {
  scenario_stage stage;
  return run_script(script, [&](const std::vector<script_command>& commands) { return stage.run(commands); });
}

}  // namespace hypermesh::testing
