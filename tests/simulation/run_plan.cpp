#include "tests/simulation/run_plan.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>

#include "runtime/state_machines/key_value_store.hpp"

namespace hypermesh::testing {

namespace {

/// Clients never give up, because this deadline is longer than any run.
constexpr duration client_deadline = 1h;
constexpr duration plan_time_max = 10min;
static_assert(plan_time_max < client_deadline);

constexpr std::array<std::string_view, 2> storage_names = {"model", "rocksdb"};

or_reason<void> check_settings(const plan_settings& settings) {
  for (const auto& row : setting_rows) {
    const auto value = settings.*row.member;
    if (value < row.min || value > row.max) {
      return invalid(fmt::format("{} is {}, but lies between {} and {}", row.name, value, row.min, row.max));
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(run_storage storage) { return storage_names.at(static_cast<std::size_t>(storage)); }

std::optional<run_storage> run_storage_of(std::string_view name) {
  const auto found = std::ranges::find(storage_names, name);
  if (found == storage_names.end()) return std::nullopt;
  return static_cast<run_storage>(found - storage_names.begin());
}

run_plan make_plan(const run_options& options) {
  splitmix64 chance{options.seed};
  splitmix64 settings_chance{chance.next()};
  splitmix64 faults_chance{chance.next()};
  splitmix64 workload_chance{chance.next()};
  run_plan plan;
  plan.key_seed = options.seed;
  plan.scheduling_seed = chance.next();
  plan.settings = draw_settings(options.replicas, settings_chance);
  if (options.storage == run_storage::rocksdb) {
    const auto disk = options.seed % 4 == 3 ? world_disk::rocksdb_async : world_disk::rocksdb_sync;
    plan.settings.disk = static_cast<std::uint64_t>(disk);
  }
  const auto cluster = world_of(plan).cluster;
  auto faults = make_fault_plan(options.profile, cluster, faults_chance);
  plan.profile = faults.profile;
  plan.heals_at = faults.heals_at;
  plan.faults = std::move(faults.faults);
  if (options.storage == run_storage::rocksdb) add_disk_faults(plan.faults, plan.heals_at, cluster, chance);
  plan.operations = draw_workload(options.operations, processes_of(plan.settings), plan.heals_at, workload_chance);
  return plan;
}

world_settings world_of(const run_plan& plan) {
  const auto& numbers = plan.settings;
  world_settings settings;
  settings.key_seed = plan.key_seed;
  auto& cluster = settings.cluster;
  cluster.replicas = static_cast<std::uint32_t>(numbers.replicas);
  cluster.clients = static_cast<std::uint32_t>(numbers.clients);
  cluster.checkpoint_period = static_cast<std::uint32_t>(numbers.checkpoint_period);
  cluster.watermark_window = static_cast<std::uint32_t>(numbers.watermark_window);
  const auto name = hasher{"simulated cluster"}.add(plan.key_seed).finish();
  std::ranges::copy(name.bytes, cluster.signing.cluster.bytes.begin());
  cluster.signing.epoch = epoch_number{static_cast<std::uint32_t>(numbers.epoch)};
  // Five times the difference between clocks without faults. The chaos lasts for seconds, so the bound of a second has
  // an effect in it.
  cluster.clock_skew_max = 1s;
  cluster.requests_by =
      numbers.authenticators != 0 ? request_authentication::authenticator : request_authentication::signature;
  settings.node.retained_bytes = 0;
  auto& batching = settings.node.batching;
  batching.pipeline_depth = numbers.pipeline_depth;
  batching.requests_per_batch_max = numbers.requests_per_batch_max;
  batching.requests_per_batch_target = std::min<std::size_t>(batching.requests_per_batch_max, 4);
  settings.client.bundle_operations_max = numbers.bundle_operations_max;
  settings.client.bundle_delay = 5ms;
  settings.client.mode = numbers.ordered != 0 ? session_mode::ordered : session_mode::independent;
  settings.clients_run_twice = numbers.processes_per_client == 2;
  settings.client.requests_in_flight_max = numbers.requests_in_flight_max;
  settings.client.retransmit_after = duration{numbers.retransmit_us};
  settings.client.retransmit_max = 2s;
  settings.client.deadline = client_deadline;
  settings.disk = static_cast<world_disk>(numbers.disk);
  settings.machine = [bytes = numbers.leaf_bytes] { return std::make_unique<key_value_store>(bytes); };
  return settings;
}

namespace {

bool is_get(const byte_vector& operation) {
  const auto decoded = key_value::decode(operation);
  return decoded && std::holds_alternative<key_value::get>(*decoded);
}

}  // namespace

or_reason<void> check(const run_plan& plan) {
  if (auto done = check_settings(plan.settings); !done) return done;
  const auto cluster = world_of(plan).cluster;
  if (!cluster.is_valid())
    return invalid("no cluster has this checkpoint-period and watermark-window: L is at least 2 K");
  if (plan.heals_at > moment{plan_time_max}) return invalid("a run heals within ten minutes");
  for (const auto& each : plan.faults) {
    if (each.end > plan.heals_at)
      return invalid(fmt::format("the fault \"{}\" ends after the run heals", text_of(each)));
    if (!is_possible(each, cluster))
      return invalid(fmt::format("the fault \"{}\" is not possible here", text_of(each)));
  }
  const auto spoiled = spoiled_by(plan.faults).size();
  if (spoiled > cluster.group().faulty_max()) {
    return invalid(
        fmt::format("{} replicas lose their disk, forget, are copied or misbehave, but a group of {} bears {}", spoiled,
                    cluster.replicas, cluster.group().faulty_max()));
  }
  for (const auto& each : plan.operations) {
    if (each.client.value >= processes_of(plan.settings))
      return invalid(fmt::format("there is no process c{}", each.client.value));
    if (each.when > moment{plan_time_max}) return invalid("an operation is given within ten minutes");
    if (each.operation.size() > limits::operation_bytes_max) return invalid("an operation is longer than any may be");
    // A read that is ordered in the end would execute a write.
    if (each.is_query && !is_get(each.operation)) return invalid("a query or read has an operation other than get");
  }
  return {};
}

}  // namespace hypermesh::testing
