#include <array>
#include <vector>

#include "runtime/config_row_makers.hpp"

/// Defines the keys of node.toml except those of [links], [http], [log] and [trace].
namespace hypermesh::runtime {

namespace {

using namespace config_row_makers;
using node = node_config;

// --- node.toml: storage, audit ---------------------------------------------------

/// The names of the modes, in the order of the enum `durability`.
constexpr std::array<std::string_view, 3> mode_names = {"memory", "async", "sync"};
static_assert(mode_names.size() == static_cast<std::size_t>(durability_last) + 1);
/// The modes as people read them, the safest mode first.
constexpr std::array<std::string_view, 3> modes_in_order = {"sync", "async", "memory"};

constexpr config_row<node> mode_row(config_key key) {
  config_row<node> row;
  row.key = key;
  row.key.kind = value_kind::word;
  row.key.words = modes_in_order;
  row.get = [](const node& from) -> config_value {
    return std::string{mode_names.at(static_cast<std::size_t>(from.storage.mode))};
  };
  row.set = [](node& into, const config_value& value) {
    for (std::size_t mode = 0; mode < mode_names.size(); ++mode) {
      if (mode_names[mode] == std::get<std::string>(value)) into.storage.mode = static_cast<durability>(mode);
    }
  };
  return row;
}

void assume_address(node& into) {
  const auto& replicas = into.cluster.replicas;
  if (into.self.value < replicas.size()) into.listen = replicas[into.self.value].address;
}

// --- node.toml: bounds that follow from the wire ---

// Every admissible request fits into a batch, and no batch is larger than backups accept.
constexpr auto batch_kib_min = (limits::client_frame_bytes_max + kib - 1) / kib;
constexpr auto batch_kib_max = limits::batch_bytes_max / kib;
static_assert(batch_kib_max * kib == limits::batch_bytes_max, "the default batch is a whole number of KiB");
// Each client may have one pending request of the largest size.
constexpr auto client_pending_mib_min = mib_above(limits::client_frame_bytes_max);
// There is room for four clients that use their whole share of pending requests.
constexpr std::uint64_t requests_pending_min = 4 * limits::requests_pending_per_client_max;

constexpr std::array core_rows = {
    text<node>(
        value_kind::path,
        {.name = "genesis",
         .unit = "path",
         .is_required = true,
         .about = "The genesis file of the cluster, equal at every member."},
        [](auto& of) -> auto& { return of.genesis_file; }),
    bounded_by(
        number<node>(
            {.name = "replica",
             .unit = "number",
             .high = limits::replicas_max - 1,
             .is_required = true,
             .about = "The number of this replica in the genesis, from 0 to n - 1."},
            [](auto& of) -> auto& { return of.self; }),
        +[](const node& from) {
          const auto replicas = from.cluster.replicas.size();
          return replicas == 0 ? std::uint64_t{limits::replicas_max - 1} : replicas - 1;
        }),
    text<node>(
        value_kind::path,
        {.name = "key_file",
         .unit = "path",
         .is_required = true,
         .about = "The secret key of this replica, a file of mode 0600 outside of the data directory."},
        [](auto& of) -> auto& { return of.key_file; }),
    assuming(address<node>(
                 {.name = "listen",
                  .unit = "address",
                  .default_rule = "its address in the genesis",
                  .example = "*:7400",
                  .about = "The address to listen on, if it is not the one in the genesis. * means every address "
                           "of the machine, IPv4 and IPv6; 0.0.0.0 or [::] means every one of that family."},
                 [](auto& of) -> auto& { return of.listen; }),
             assume_address),

    mode_row({.table = "storage",
              .name = "mode",
              .unit = "word",
              .is_written = true,
              .about =
                  "When a vote counts as durable. sync: once it is on the disk. async: within 100 ms, so a crash of "
                  "the machine may lose it and the replica may contradict itself. memory: never, for trials "
                  "and tests."}),
    text<node>(
        value_kind::path,
        {.table = "storage",
         .name = "directory",
         .unit = "path",
         .default_path = default_data_folder,
         .is_written = true,
         .about = "The data directory, which holds the votes and the state of this replica. If it is empty, "
                  "mount its disk. If it is lost or damaged, move it away and start with --learner: the replica "
                  "then counts as one of the f faulty ones until it is readmitted. Never put an old copy in its "
                  "place."},
        [](auto& of) -> auto& { return of.storage.directory; }),
    number<node>(
        {.table = "storage",
         .name = "retain_mib",
         .unit = "MiB",
         .low = 0,
         .high = retain_mib_max,
         .is_written = true,
         .about = "Executed records are kept up to this size, or half the unwritten bytes of the state if "
                  "that is larger. More records trigger the next write of the state, and a restart executes "
                  "the kept ones again."},
        [](auto& of) -> auto& { return of.storage.retain_mib; }),

    assuming(
        flag<node>(
            {.table = "audit",
             .name = "enabled",
             .unit = "flag",
             .default_rule = "true; false in storage mode memory",
             .is_written = true,
             .about = "Whether the node writes an audit trail, chained and signed, which 'hypermesh audit' "
                      "reads."},
            [](auto& of) -> auto& { return of.audit.enabled; }),
        // In mode memory nothing is stored, so by default there is no audit trail.
        +[](node& into) { into.audit.enabled = into.storage.mode != durability::memory; }),
    flag<node>(
        {.table = "audit",
         .name = "votes",
         .unit = "flag",
         .is_written = true,
         .about = "Whether the trail also has signed proposals and votes, and not only decisions."},
        [](auto& of) -> auto& { return of.audit.votes; }),
    number<node>(
        {.table = "audit",
         .name = "retain_mib",
         .unit = "MiB",
         .low = audit_retain_mib_min,
         .high = audit_retain_mib_max,
         .is_written = true,
         .about = "The size limit of the trail; its oldest part is removed first."},
        [](auto& of) -> auto& { return of.audit.retain_mib; }),
    text<node>(
        value_kind::path,
        {.table = "audit",
         .name = "directory",
         .unit = "path",
         .default_path = default_audit_folder,
         .is_written = true,
         .about = "The directory of the trail, apart from the data directory. The node creates it."},
        [](auto& of) -> auto& { return of.audit.directory; }),

    number<node>(
        {.table = "batching",
         .name = "delay_us",
         .unit = "µs",
         .low = 1,
         .high = 10'000'000,
         .larger = "views.request_timeout_us",
         .larger_factor = 2,
         .about = "The time that a request of an unfinished batch waits for others while the pipeline is busy."},
        [](auto& of) -> auto& { return of.settings.batch_delay; }),
    number<node>(
        {.table = "batching",
         .name = "pipeline_depth",
         .unit = "batches",
         .low = 1,
         .high = limits::watermark_window_max,
         .about = "Batches that may be proposed and not executed yet. At this limit, further requests wait, "
                  "so batches grow with the load. While batches take longer than they need, fewer are in flight."},
        [](auto& of) -> auto& { return of.settings.batching.pipeline_depth; }),
    number<node>(
        {.table = "batching",
         .name = "requests_per_batch_max",
         .unit = "requests",
         .low = 1,
         .high = limits::requests_per_batch_max,
         .about = "The most requests of one batch."},
        [](auto& of) -> auto& { return of.settings.batching.requests_per_batch_max; }),
    number<node>(
        {.table = "batching",
         .name = "requests_per_batch_target",
         .unit = "requests",
         .low = 1,
         .high = limits::requests_per_batch_max,
         .larger = "batching.requests_per_batch_max",
         .about = "A batch of this many requests is proposed without waiting for the delay."},
        [](auto& of) -> auto& { return of.settings.batching.requests_per_batch_target; }),
    number<node, kib>(
        {.table = "batching",
         .name = "batch_kib_max",
         .unit = "KiB",
         .low = batch_kib_min,
         .high = batch_kib_max,
         .about = "Bytes of one batch. A window of L batches of this size bounds the memory of all "
                  "replicas."},
        [](auto& of) -> auto& { return of.settings.batching.bytes_per_batch_max; }),

    number<node>(
        {.table = "pending",
         .name = "requests_max",
         .unit = "requests",
         .low = requests_pending_min,
         .high = 1'048'576,
         .about = "Requests of all clients that this replica holds until they are executed. Set it alike at "
                  "all replicas: a backup waits for requests that do not fit at the primary."},
        [](auto& of) -> auto& { return of.settings.batching.requests_pending_max; }),
    number<node, mib>(
        {.table = "pending",
         .name = "total_mib_max",
         .unit = "MiB",
         .low = 2 * client_pending_mib_min,
         .high = 4'096,
         .about = "Bytes of the requests of all clients that this replica holds. Set it alike at all replicas."},
        [](auto& of) -> auto& { return of.settings.batching.bytes_pending_max; }),
    number<node, mib>(
        {.table = "pending",
         .name = "client_mib_max",
         .unit = "MiB",
         .low = client_pending_mib_min,
         .high = 2'048,
         .larger = "pending.total_mib_max",
         .larger_factor = 2,
         .about = "Bytes of the pending requests of one client, so that no client uses the room of all "
                  "others. Set it alike at all replicas."},
        [](auto& of) -> auto& { return of.settings.batching.bytes_per_client_max; }),

    number<node>(
        {.table = "periods",
         .name = "status_us",
         .unit = "µs",
         .low = 1'000,
         .high = minute_us,
         .about =
             "The interval at which a waiting replica sends STATUS, so that others send the messages that it lacks."},
        [](auto& of) -> auto& { return of.settings.status_period; }),
    number<node>(
        {.table = "periods",
         .name = "checkpoint_resend_us",
         .unit = "µs",
         .low = 1'000,
         .high = minute_us,
         .about = "The interval at which a CHECKPOINT that is not stable yet is sent again. The interval between "
                  "checkpoints is checkpoint_period in the genesis."},
        [](auto& of) -> auto& { return of.settings.checkpoint_resend; }),
    number<node>(
        {.table = "periods",
         .name = "transfer_tick_us",
         .unit = "µs",
         .low = 10'000,
         .high = minute_us,
         .about =
             "The interval at which a state transfer replaces late donors, and gives replicas that fetch from this "
             "replica a new byte budget."},
        [](auto& of) -> auto& { return of.settings.transfer_tick; }),
    number<node>(
        {.table = "periods",
         .name = "service_check_us",
         .unit = "µs",
         .low = 1'000,
         .high = 1'000'000,
         .about = "The interval at which a backup measures the service of the primary."},
        [](auto& of) -> auto& { return of.settings.service_check; }),

    number<node>(
        {.table = "views",
         .name = "request_timeout_us",
         .unit = "µs",
         .low = 10'000,
         .high = 10 * minute_us,
         .about = "A primary is suspected if a request waits this long and nothing is executed meanwhile."},
        [](auto& of) -> auto& { return of.settings.views.request_timeout; }),
    number<node>(
        {.table = "views",
         .name = "closed_link_timeout_us",
         .unit = "µs",
         .low = 10'000,
         .high = 10 * minute_us,
         .about = "A primary is suspected after this shorter time if the link to it is closed, for example by the "
                  "end of its process."},
        [](auto& of) -> auto& { return of.settings.views.closed_link_timeout; }),
    number<node>(
        {.table = "views",
         .name = "new_view_timeout_us",
         .unit = "µs",
         .low = 10'000,
         .high = 10 * minute_us,
         .about = "The time that the primary of a new view has for its NEW-VIEW, once a quorum has left for "
                  "that view."},
        [](auto& of) -> auto& { return of.settings.views.new_view_timeout; }),
    number<node>(
        {.table = "views",
         .name = "timeout_doublings_max",
         .unit = "times",
         .low = 0,
         .high = 10,
         .about = "View changes that follow closely on each other double the three timeouts, at most this "
                  "many times."},
        [](auto& of) -> auto& { return of.settings.views.doublings_max; }),

    number<node, mib>(
        {.table = "transfer",
         .name = "give_mib_per_tick_max",
         .unit = "MiB",
         .low = 1,
         .high = 512,
         .larger = "links.replica_outbound_mib_max",
         .larger_factor = 2,
         .about = "Bytes of state that this replica sends to all others together in one "
                  "transfer_tick_us. More bytes would displace votes from the queues of its links."},
        [](auto& of) -> auto& { return of.settings.giving.bytes_per_tick_max; }),
    number<node, mib>(
        {.table = "transfer",
         .name = "held_mib_max",
         .unit = "MiB",
         .low = 1,
         .high = 65'536,
         .about = "Distinct bytes of the states that this replica holds for others. Above it the oldest "
                  "states are dropped, but never the newest one and the newest stable one."},
        [](auto& of) -> auto& { return of.settings.giving.held_bytes_max; }),
    number<node, mib>(
        {.table = "transfer",
         .name = "pinned_mib_max",
         .unit = "MiB",
         .low = 0,
         .high = 65'536,
         .about = "Bytes of states that others are reading, in addition to held_mib_max."},
        [](auto& of) -> auto& { return of.settings.giving.pinned_bytes_max; }),

};

}  // namespace

std::span<const config_row<node_config>> node_rows() {
  static const std::vector<config_row<node>> all = [] {
    std::vector<config_row<node>> rows(core_rows.begin(), core_rows.end());
    const auto links = link_rows();
    rows.insert(rows.end(), links.begin(), links.end());
    const auto http = http_rows();
    rows.insert(rows.end(), http.begin(), http.end());
    const auto log = log_rows();
    rows.insert(rows.end(), log.begin(), log.end());
    return rows;
  }();
  return all;
}

}  // namespace hypermesh::runtime
