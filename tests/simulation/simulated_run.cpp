#include "tests/simulation/simulated_run.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <variant>

#include <fmt/format.h>

#include "messages/byte_codec.hpp"
#include "messages/codec.hpp"
#include "messages/digest.hpp"
#include "messages/require.hpp"
#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/simulation/client_history.hpp"
#include "tests/simulation/key_model.hpp"
#include "tests/support/simulated_world.hpp"

namespace hypermesh::testing {

namespace {

invariant_bounds bounds_of(const cluster_parameters& cluster) {
  // For each slot there are a PRE-PREPARE, a PREPARE, a COMMIT and two certificates. In addition there are the
  // replica's CHECKPOINTs within two windows, one proof of h, one VIEW-CHANGE and one NEW-VIEW.
  const auto window = std::uint64_t{cluster.watermark_window};
  // The bound is doubled, because early messages are recorded in the step that moves h, before old records are
  // forgotten.
  return {std::uint64_t{cluster.clients} * limits::requests_pending_per_client_max,
          2 * (5 * window + 2 * window / cluster.checkpoint_period + 3)};
}

/// The result, or the name of the error.
std::variant<operation_result, std::string> known(const submit_outcome& outcome) {
  if (const auto* result = std::get_if<operation_result>(&outcome)) return *result;
  return std::string{to_string(std::get<client_error>(outcome))};
}

/// After one operation in this many, another client reads the same key.
constexpr std::size_t chase_every = 2;

/// The read of the key of an operation; nothing if the operation has no key.
std::optional<byte_vector> read_of(const byte_vector& operation) {
  const auto decoded = key_value::decode(operation);
  if (!decoded) return std::nullopt;
  return key_value::encode(key_value::get{key_of(*decoded)});
}

class simulated_run final : public world_watcher {
 public:
  simulated_run(const run_plan& plan, event_log::line_sink trace, run_probe probe)
      : chance_(plan.scheduling_seed),
        log_(std::move(trace)),
        probe_(std::move(probe)),
        history_(plan.settings.ordered != 0),
        heals_at_(plan.heals_at),
        planned_until_(plan.heals_at) {
    require(check(plan).has_value(), "a plan that runs is possible");
    auto settings = world_of(plan);
    const auto& cluster = settings.cluster;
    report_.options = {plan.key_seed, cluster.replicas, static_cast<std::uint32_t>(plan.operations.size()),
                       plan.profile};
    report_.profile = plan.profile;
    keys_ = key_ring{settings.key_seed, cluster.replicas, cluster.clients}.of(principal::of(replica_id{0}));
    checker_ = std::make_unique<invariant_checker>(cluster, *keys_, settings.machine(), bounds_of(cluster));
    world_ = std::make_unique<simulated_world>(std::move(settings), chance_, *this);
    checker_->set_durability(
        [this](replica_id id, const storage_record& record) { return world_->node(id).storage->binds(record); });
    checker_->set_latest_reading([this] { return latest_reading(); });
    misbehaving_ = misbehaving_clients(plan.faults);
    plan_operations(plan.operations);
    faults_ = std::make_unique<fault_driver>(*world_, plan.faults,
                                             [this](std::string text) { log_.noted(now(), std::move(text)); });
    world_->plan(plan.heals_at, [this] { log_.noted(now(), "the network heals"); });
  }

  run_report run();

  void on_observed(endpoint machine, const observation& what) override {
    const replica_id replica{machine.who.number};
    log_.observed(now(), machine, what);
    checker_->on_observed(replica, what);
    if (const auto* it = std::get_if<probation_changed>(&what); it != nullptr && it->over) {
      ++report_.readmissions;
      on_probation_.erase(replica);
    }
    if (is_correct(replica.value)) {
      const auto is_faulty = [this](principal who) {
        return who.is_replica() ? !is_correct(who.number) : !checker_->trusts(client_id{who.number});
      };
      report_.noticed.on_observed(what, now(), group_size{report_.options.replicas}, is_faulty);
    }
    if (!probe_ || faults_ == nullptr) return;
    if (auto broken = probe_({now(), replica, what, faults_->active()})) {
      checker_->report(broken->invariant, std::move(broken->what));
    }
  }
  void on_sent(const frame_transit& transit) override;
  void on_delivered(const frame_transit& transit) override { log_.delivered(now(), transit); }
  void on_started(endpoint machine, const recovered_replica& past) override;
  void on_start_refused(endpoint machine, const world_error& why) override;
  void on_faulty(principal who, faulty_because why) override;
  void on_actor_died(principal who, const std::string& reason) override { checker_->on_actor_died(who, reason); }

 private:
  void plan_operations(const std::vector<planned_operation>& operations);
  void submit(const planned_operation& operation);
  void tempt(const planned_operation& operation);
  void ask(const planned_operation& operation);
  void read(const planned_operation& operation);
  void end_query();
  void chase(client_id client, std::size_t number);
  [[nodiscard]] std::vector<std::optional<std::size_t>> carried_by(client_id process, const request& value) const;
  void finished(client_id client, std::size_t number, const submit_outcome& outcome);
  void check_step();
  void check_progress();
  void nudge();
  [[nodiscard]] violation too_late() const;
  [[nodiscard]] bool is_correct(std::uint32_t number) const {
    return checker_->standing_of(replica_id{number}) == standing::correct;
  }
  [[nodiscard]] wall_time latest_reading() const;
  [[nodiscard]] bool is_settled() const;
  void check_end();
  run_report conclude();
  [[nodiscard]] moment now() const { return world_ ? world_->now() : moment{}; }

  splitmix64 chance_;
  event_log log_;
  run_probe probe_;
  run_report report_;
  client_history history_;
  std::shared_ptr<const authenticator> keys_;
  std::unique_ptr<invariant_checker> checker_;
  moment heals_at_;
  /// The time at which all planned items have happened.
  moment planned_until_;
  /// For each process, the numbers of its operations in the order in which the process received them, and nothing for
  /// its reads.
  std::map<client_id, std::vector<std::optional<std::size_t>>> numbers_;
  /// The clients whose operations need no answer.
  std::set<client_id> misbehaving_;
  std::size_t unanswered_ = 0;
  /// The replicas that lost their disk and are not full members again.
  std::set<replica_id> on_probation_;
  /// The end of the order when the network healed. `progressed_` says whether the order has grown since then.
  std::optional<sequence_number> last_in_chaos_;
  moment next_nudge_;
  bool progressed_ = false;
  /// The last checked frame. It is remembered so that a broadcast is checked only once.
  frame_ptr last_sent_;
  std::unique_ptr<fault_driver> faults_;
  /// It must be destroyed first, because its actors call this object until then.
  std::unique_ptr<simulated_world> world_;
};

void simulated_run::plan_operations(const std::vector<planned_operation>& operations) {
  for (const auto& each : operations) {
    planned_until_ = std::max(planned_until_, each.when);
    if (misbehaving_.contains(each.client)) {
      world_->plan(each.when, [this, each] { tempt(each); });
      continue;
    }
    ++unanswered_;
    if (const auto question = read_of(each.operation)) checker_->order().remember_answers(*question);
    world_->plan(each.when, [this, each] { each.is_query ? ask(each) : submit(each); });
  }
}

void simulated_run::submit(const planned_operation& operation) {
  const auto client = operation.client;
  const auto number = history_.invoked(client, operation.operation, now());
  numbers_[client].emplace_back(number);
  world_->submit(client, operation.operation,
                 [this, client, number](const submit_outcome& outcome) { finished(client, number, outcome); });
}

/// A misbehaving client may do anything with its operations, so each may happen at any time or never.
void simulated_run::tempt(const planned_operation& operation) {
  const auto forget = [](const submit_outcome&) {};
  const auto mode = operation.is_linearizable ? read_mode::linearizable : read_mode::committed;
  if (operation.is_query) return world_->query(operation.client, operation.operation, mode, forget);
  (void)history_.invoked(operation.client, operation.operation, now());
  world_->submit(operation.client, operation.operation, forget);
}

void simulated_run::ask(const planned_operation& operation) {
  const auto client = operation.client;
  numbers_[client].emplace_back(std::nullopt);
  if (operation.is_linearizable) return read(operation);
  world_->query(client, operation.operation, read_mode::committed, [this, operation](const submit_outcome& outcome) {
    end_query();
    checker_->on_query_outcome(operation.client, operation.operation, known(outcome));
  });
}

/// Another client reads the key of this operation at once, because some replicas may not have executed the operation
/// yet.
void simulated_run::chase(client_id client, std::size_t number) {
  const client_id reader{(client.value + 1) % world_->processes()};
  const auto question = read_of(history_.operation(client, number));
  if (!question || misbehaving_.contains(reader)) return;
  ++unanswered_;
  ask({now(), reader, *question, true, true});
}

/// Begins a linearizable read.
void simulated_run::read(const planned_operation& operation) {
  const auto number = history_.read_invoked(operation.client, operation.operation, now());
  const auto seen = checker_->seen();
  world_->query(operation.client, operation.operation, read_mode::linearizable,
                [this, operation, number, seen](const submit_outcome& outcome) {
                  end_query();
                  ++report_.reads;
                  const auto* result = std::get_if<operation_result>(&outcome);
                  if (result != nullptr) history_.read_returned(number, *result, now());
                  checker_->on_read_outcome(operation.client, operation.operation, seen, known(outcome));
                });
}

void simulated_run::end_query() {
  require(unanswered_ > 0, "a query ends once");
  --unanswered_;
  ++report_.queries;
}

/// For each operation of a request, its number among the operations of its client, and nothing for a read that is
/// ordered because the replicas did not agree. The client actor counts all operations and reads as they come.
std::vector<std::optional<std::size_t>> simulated_run::carried_by(client_id process, const request& value) const {
  std::vector<std::optional<std::size_t>> carried;
  const auto known = numbers_.find(process);
  if (known == numbers_.end()) return carried;
  for (const auto token : world_->core_of(process).tokens_of(value.id.when))
    carried.push_back(known->second.at(token - 1));
  return carried;
}

void simulated_run::on_started(endpoint machine, const recovered_replica& past) {
  if (now() > moment{}) {
    ++report_.restarts;
    log_.noted(now(), fmt::format("{} starts with v={} executed={}{}", short_name(machine), past.view.value,
                                  past.last_executed.value, past.on_probation ? ", on probation" : ""));
  }
  if (past.on_probation) ++report_.learner_starts;
  if (past.on_probation) {
    on_probation_.insert(replica_id{machine.who.number});
  } else {
    on_probation_.erase(replica_id{machine.who.number});
  }
  checker_->on_started(replica_id{machine.who.number}, past);
}

void simulated_run::on_start_refused(endpoint machine, const world_error& why) {
  log_.noted(now(), fmt::format("{} does not start: {}", short_name(machine), why.what));
  // A node may stop for good only if its disk lost data without notice, or if two machines share its key.
  if (is_correct(machine.who.number)) {
    checker_->report("I7", fmt::format("{} does not start: {}", short_name(machine), why.what));
  }
}

void simulated_run::on_faulty(principal who, faulty_because why) {
  static constexpr std::array<std::string_view, 4> reasons = {"its disk forgot", "its key was copied", "it misbehaves",
                                                              "its disk is damaged"};
  const bool forgot = why == faulty_because::it_forgot || why == faulty_because::its_disk_is_damaged;
  if (why == faulty_because::it_forgot) ++report_.disks_that_lied;
  log_.noted(now(), fmt::format("{} is faulty: {}", short_name(who), reasons.at(static_cast<std::size_t>(why))));
  if (who.is_client()) return checker_->distrust(client_id{who.number});
  checker_->distrust(replica_id{who.number}, forgot ? standing::forgetful : standing::faulty);
}

void simulated_run::finished(client_id client, std::size_t number, const submit_outcome& outcome) {
  require(unanswered_ > 0, "an operation ends once");
  --unanswered_;
  if (const auto* result = std::get_if<operation_result>(&outcome)) history_.returned(client, number, *result, now());
  checker_->on_outcome(client, number, known(outcome));
  if (number % chase_every == 0) chase(client, number);
}

void simulated_run::on_sent(const frame_transit& transit) {
  if (transit.frame == last_sent_) return;
  last_sent_ = transit.frame;
  const auto decoded = decode(transit.frame);
  const bool is_replica = transit.from.is_replica();
  const bool is_trusted = is_replica ? checker_->standing_of(replica_id{transit.from.number}) != standing::faulty
                                     : checker_->trusts(client_id{transit.from.number});
  if (!decoded) {
    if (is_trusted) checker_->report("I13", to_string(transit.from) + " sends what nobody can decode");
  } else if (is_replica) {
    checker_->on_message_sent(replica_id{transit.from.number}, *decoded, transit.frame);
  } else if (const auto* sent = std::get_if<request>(&*decoded)) {
    const auto first_copy = world_->settings().cluster.clients;
    const client_id process{transit.from.number + (transit.from_copy ? first_copy : 0)};
    if (!is_trusted) return checker_->on_request_sent(process, *sent);
    const auto carried = carried_by(process, *sent);
    checker_->on_request_sent(process, *sent, carried);
    history_.on_request_sent(process, *sent, carried);
  }
}

/// The latest time that a replica has read from its wall clock, of all replicas that are not faulty.
wall_time simulated_run::latest_reading() const {
  wall_time latest{};
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    const replica_id replica{number};
    if (checker_->standing_of(replica) == standing::faulty) continue;
    latest = std::max(latest, world_->wall_clock_of(replica).latest());
  }
  return latest;
}

void simulated_run::check_step() {
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    const auto& node = world_->node(replica_id{number});
    if (node.replica == nullptr || node.replica->core == nullptr) continue;
    const auto& core = *node.replica->core;
    checker_->on_marks(replica_id{number}, core.marks().low(), core.last_executed());
    checker_->on_records_held(replica_id{number}, node.storage->records_held());
  }
}

/// I11 in the healed network: if operations are pending, something is committed.
void simulated_run::check_progress() {
  if (progressed_ || now() < heals_at_) return;
  const auto last = checker_->order().last();
  if (!last_in_chaos_) last_in_chaos_ = last;
  progressed_ = last > *last_in_chaos_ || (unanswered_ == 0 && now() > planned_until_);
  report_.progress = now() - heals_at_;
  if (progressed_ || report_.progress <= progress_max) return;
  checker_->report("I11 progress",
                   fmt::format("nothing is committed {} s after the network healed, and {} operations wait",
                               progress_max / 1s, unanswered_));
}

/// Submits an operation while the cluster is idle. A replica that left its view alone catches up at the next
/// checkpoint.
void simulated_run::nudge() {
  if (unanswered_ > 0 || now() < std::max(planned_until_ + calm_max, next_nudge_)) return;
  next_nudge_ = now() + nudge_period;
  ++unanswered_;
  ++report_.nudges;
  const auto operation = key_value::encode(key_value::increment{as_byte_span("nudges"), 1});
  checker_->order().remember_answers(*read_of(operation));
  submit({now(), client_id{0}, operation});
}

violation simulated_run::too_late() const {
  const auto seconds = settling_max / 1s;
  if (unanswered_ > 0) {
    return {"I11 answers", fmt::format("{} operations are unanswered {} s after the last fault", unanswered_, seconds)};
  }
  for (const auto replica : on_probation_) {
    if (!is_correct(replica.value)) continue;
    return {"I11 readmission", fmt::format("replica {} lost its disk and is no full member {} s after the last fault",
                                           replica.value, seconds)};
  }
  std::string places;
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    const auto& node = world_->node(replica_id{number});
    if (!is_correct(number) || node.replica == nullptr || node.replica->core == nullptr) continue;
    places += fmt::format(" {}:{}", number, node.replica->core->last_executed().value);
  }
  return {"I11 agreement", fmt::format("{} s after the last fault n={} is committed, and replicas have executed{}",
                                       seconds, checker_->order().last().value, places)};
}

/// Whether every operation is answered, and every correct replica has executed the whole order and is a full member.
bool simulated_run::is_settled() const {
  if (unanswered_ > 0 || now() < planned_until_) return false;
  if (std::ranges::any_of(on_probation_, [this](replica_id each) { return is_correct(each.value); })) return false;
  const auto last = checker_->order().last();
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    if (!is_correct(number)) continue;
    const auto& node = world_->node(replica_id{number});
    const bool runs = node.replica != nullptr && node.replica->core != nullptr && node.executor->replicated != nullptr;
    if (!runs) return false;
    if (node.executor->replicated->last_executed() != last || node.replica->core->last_executed() != last) return false;
  }
  return true;
}

/// The digest of the ledgers. It is computed from the ledgers themselves and does not depend on what the root covers.
digest ledger_digest_of(const replicated_state& state) {
  byte_writer out;
  state.ledger().write(out);
  out.number<std::uint64_t>(state.moves().advance_through.value);
  out.number<std::uint64_t>(state.moves().least_view.value);
  for (const auto sequence : state.moves().paid_off_at)
    out.number<std::uint64_t>(sequence.value);
  return digest_of("simulated ledger", out.take());
}

void simulated_run::check_end() {
  const auto expected = checker_->order().machine_root();
  std::optional<digest> root;
  std::optional<digest> ledger;
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    const replica_id id{number};
    const auto& node = world_->node(id);
    // A replica that forgot its votes may lag behind. If it does not lag, its state must equal the state of the others.
    const bool forgot = checker_->standing_of(id) == standing::forgetful && node.executor != nullptr &&
                        node.executor->replicated != nullptr &&
                        node.executor->replicated->last_executed() == checker_->order().last();
    if (!forgot && !is_correct(number)) continue;
    auto& replicated = *node.executor->replicated;
    if (!root) root = replicated.root();
    if (!ledger) ledger = ledger_digest_of(replicated);
    if (replicated.machine_root() != expected || replicated.root() != *root) {
      checker_->report("I10", fmt::format("replica {} ends in another state than the order yields", number));
    }
    if (ledger_digest_of(replicated) != *ledger) {
      checker_->report("I10", fmt::format("replica {} ends with other ledgers than the others", number));
    }
  }
  auto verdict = history_.check();
  report_.search_states = verdict.states;
  report_.keys_undecided = verdict.undecided;
  if (verdict.violation) checker_->report("I5", std::move(*verdict.violation));
}

run_report simulated_run::run() {
  const auto last_moment = planned_until_ + settling_max;
  while (!checker_->violated() && !is_settled()) {
    if (now() > last_moment || !world_->step()) {
      auto late = too_late();
      checker_->report(late.invariant, std::move(late.what));
    }
    check_step();
    check_progress();
    nudge();
  }
  if (!checker_->violated()) check_end();
  return conclude();
}

run_report simulated_run::conclude() {
  report_.failure = checker_->violated();
  if (report_.failure) report_.last_events = log_.last_lines();
  report_.virtual_time = now() - moment{};
  report_.settling = now() - std::min(now(), planned_until_);
  report_.steps = world_->steps();
  report_.batches = checker_->order().last().value;
  report_.requests = checker_->order().executed();
  report_.state_transfers = checker_->states_installed();
  report_.checkpoints = checker_->checkpoints_stable();
  report_.network = world_->network().counters();
  for (std::uint32_t number = 0; number < world_->processes(); ++number) {
    report_.retransmissions += world_->core_of(client_id{number}).retransmissions();
    report_.reads_ordered += world_->core_of(client_id{number}).reads_ordered();
  }
  std::string disks;
  for (std::uint32_t number = 0; number < report_.options.replicas; ++number) {
    if (const auto& disk = world_->node(replica_id{number}).storage) disks += disk->summary();
  }
  report_.disk_hash = digest_of("simulated disks", to_byte_vector(disks));
  report_.event_hash = log_.finish();
  return report_;
}

}  // namespace

run_report run_simulation(const run_plan& plan, event_log::line_sink trace, run_probe probe) {
  return simulated_run{plan, std::move(trace), std::move(probe)}.run();
}

run_report run_simulation(const run_options& options, event_log::line_sink trace) {
  auto report = run_simulation(make_plan(options), std::move(trace));
  report.options = options;
  return report;
}

std::string replay_command(const run_options& options) {
  return fmt::format(
      "hypermesh-lab sim --seed {} --replicas {} --operations {} --profile {}{}", options.seed, options.replicas,
      options.operations, to_string(options.profile),
      options.storage == run_storage::model ? "" : fmt::format(" --storage {}", to_string(options.storage)));
}

}  // namespace hypermesh::testing
