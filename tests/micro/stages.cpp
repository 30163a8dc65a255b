#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <sodium.h>

#include "actors/protocol/admission/inbound_pipeline.hpp"
#include "actors/protocol/admission/request_intake.hpp"
#include "actors/protocol/execution/replicated_state.hpp"
#include "actors/protocol/ordering/replica_core.hpp"
#include "messages/codec.hpp"
#include "messages/digest.hpp"
#include "runtime/base/ed25519_authenticator.hpp"
#include "runtime/links/secure_channel.hpp"
#include "runtime/state_machines/null_machine.hpp"
#include "runtime/storage/storage.hpp"
#include "tests/micro/allocation_count.hpp"
#include "tests/support/request_factory.hpp"

/// One benchmark for each stage of an operation, in the order of its way: client, link, primary, backup, disk, reply.
/// An iteration handles `items` items, so that the objects that a stage needs anew cost little of it.
namespace hypermesh::testing {

namespace {

constexpr std::size_t items = 64;
constexpr view_number first_view{0};
constexpr client_id client{0};
const std::string payload(16, 'p');

/// A cluster of four whose window has room for all items.
cluster_parameters wide_cluster() { return small_cluster(4, 4, 256, 512); }

/// Reports the allocations of one item and the number of items.
void counted(benchmark::State& state, std::uint64_t allocations, std::size_t of_iteration = items) {
  const auto all = static_cast<double>(state.iterations()) * static_cast<double>(of_iteration);
  state.counters["allocations"] = all > 0 ? static_cast<double>(allocations) / all : 0;
  state.counters["items"] = static_cast<double>(of_iteration);
}

std::vector<request> requests_of(const request_factory& make, std::size_t count) {
  std::vector<request> all;
  for (std::size_t index = 0; index < count; ++index)
    all.push_back(make.request_of(client, timestamp{index + 1}, payload));
  return all;
}

/// One proposal for each sequence number, with one request each.
std::vector<pre_prepare> proposals_of(const request_factory& make) {
  std::vector<pre_prepare> all;
  for (std::size_t index = 0; index < items; ++index)
    all.push_back(make.pre_prepare_of(first_view, sequence_number{index + 1}, make.batch_number(index + 1)));
  return all;
}

void calibration(benchmark::State& state) {
  const std::vector<unsigned char> input(1'024, 1);
  std::array<unsigned char, 32> output{};
  for (auto _ : state) {
    crypto_generichash(output.data(), output.size(), input.data(), input.size(), nullptr, 0);
    benchmark::DoNotOptimize(output);
  }
  counted(state, 0, 1);
}

void ed25519_sign(benchmark::State& state) {
  const auto key = secret_key::generate();
  const byte_vector input(256, std::byte{1});
  const auto before = allocations_of_thread();
  for (auto _ : state)
    benchmark::DoNotOptimize(key.sign(input));
  counted(state, allocations_of_thread() - before, 1);
}

void ed25519_verify(benchmark::State& state) {
  const auto key = secret_key::generate();
  const byte_vector input(256, std::byte{1});
  const auto made = key.sign(input);
  const base::member_keys members{{}, {key.public_half()}};
  const auto before = allocations_of_thread();
  for (auto _ : state)
    benchmark::DoNotOptimize(verify_as_member(members, principal::of(client), input, made));
  counted(state, allocations_of_thread() - before, 1);
}

void decode_request(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  const auto frame = reframe(make.request_of(client, timestamp{1}, payload));
  const auto before = allocations_of_thread();
  for (auto _ : state) {
    const auto value = decode(frame);
    if (!value) state.SkipWithError("a correct frame was not decoded");
    benchmark::DoNotOptimize(value);
  }
  counted(state, allocations_of_thread() - before, 1);
}

/// The way in of frames from one sender, each for the first time.
void examine_all(benchmark::State& state, principal sender, const std::vector<frame_ptr>& frames) {
  const request_factory make{wide_cluster()};
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    inbound_pipeline way{make.cluster(), make.keys_of(replica_id{1})};
    const auto before = allocations_of_thread();
    for (const auto& frame : frames) {
      auto passed = way.examine(sender, frame, moment{1s});
      if (!passed) state.SkipWithError("a correct frame was refused");
      benchmark::DoNotOptimize(passed);
    }
    allocations += allocations_of_thread() - before;
  }
  counted(state, allocations, frames.size());
}

void way_in_request(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  std::vector<frame_ptr> frames;
  for (const auto& each : requests_of(make, items))
    frames.push_back(reframe(each));
  examine_all(state, principal::of(client), frames);
}

void way_in_pre_prepare(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  std::vector<frame_ptr> frames;
  for (const auto& each : proposals_of(make))
    frames.push_back(each.raw);
  examine_all(state, principal::of(replica_id{0}), frames);
}

void way_in_prepare(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  std::vector<frame_ptr> frames;
  for (const auto& each : proposals_of(make))
    frames.push_back(encode_vote(message_kind::prepare, make.prepare_of(replica_id{2}, each).vote));
  examine_all(state, principal::of(replica_id{2}), frames);
}

/// All messages of a batch at a backup: its proposal, two PREPAREs and three COMMITs.
void replica_step(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  std::vector<std::pair<principal, message>> heard;
  for (const auto& proposal : proposals_of(make)) {
    heard.emplace_back(principal::of(replica_id{0}), proposal);
    for (const auto number : {2U, 3U})
      heard.emplace_back(principal::of(replica_id{number}), make.prepare_of(replica_id{number}, proposal));
    for (const auto number : {0U, 2U, 3U})
      heard.emplace_back(principal::of(replica_id{number}), make.commit_of(replica_id{number}, proposal));
  }
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    replica_core core{make.cluster(), replica_id{1}, make.keys_of(replica_id{1})};
    std::size_t committed = 0;
    const auto before = allocations_of_thread();
    for (const auto& [sender, value] : heard)
      committed += core.on_message(sender, value).committed.size();
    allocations += allocations_of_thread() - before;
    if (committed != items) state.SkipWithError("a batch was not committed");
  }
  counted(state, allocations);
}

/// A request at the primary, from its admission to the batch that contains it.
void batch_build(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  const auto requests = requests_of(make, items);
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    request_pool pool{batch_settings{}};
    request_intake intake{make.cluster(), replica_id{0}, make.keys_of(replica_id{0}), pool};
    std::size_t cut = 0;
    const auto before = allocations_of_thread();
    for (const auto& each : requests)
      (void)intake.on_request(principal::of(client), each, moment{1s});
    while (const auto next = pool.cut(true))
      cut += next->content.requests.size();
    allocations += allocations_of_thread() - before;
    if (cut != items) state.SkipWithError("a request is in no batch");
  }
  counted(state, allocations);
}

void execute(benchmark::State& state) {
  const request_factory make{wide_cluster()};
  std::vector<std::shared_ptr<const batch>> batches;
  for (std::size_t index = 0; index < items; ++index) {
    const auto operation = machines::null::encode(false, 16, as_byte_span(payload));
    batches.push_back(
        request_factory::batch_of({make.request_of(client, timestamp{index + 1}, std::string{as_text(operation)})}));
  }
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    replicated_state replica{std::make_unique<machines::null_machine>(), make.cluster()};
    const auto before = allocations_of_thread();
    std::size_t executed = 0;
    for (std::size_t index = 0; index < items; ++index) {
      const auto answers = replica.execute(sequence_number{index + 1}, *batches[index]);
      executed += answers.size() == 1 && answers.front().answer.outcome != nullptr &&
                          answers.front().answer.outcome->status == reply_status::executed
                      ? 1
                      : 0;
    }
    allocations += allocations_of_thread() - before;
    if (executed != items) state.SkipWithError("a request was not executed");
  }
  counted(state, allocations);
}

void reply_encode(benchmark::State& state) {
  request_outcome outcome;
  outcome.append(0, as_byte_span(payload));
  const auto before = allocations_of_thread();
  for (auto _ : state)
    benchmark::DoNotOptimize(encode_reply({client, timestamp{1}}, first_view, outcome, {}));
  counted(state, allocations_of_thread() - before, 1);
}

/// A frame of 1 KiB, sealed by one side and opened by the other.
void link_seal_open(benchmark::State& state) {
  links::stream_key key;
  randombytes_buf(key.bytes.data(), key.bytes.size());
  links::secure_channel sending{key, principal_kind::replica, principal_kind::replica};
  links::secure_channel receiving{key, principal_kind::replica, principal_kind::replica};
  receiving.start_receiving(key, sending.own_header());
  const byte_vector frame(1'024, std::byte{7});
  links::wire_buffer wire;
  const auto before = allocations_of_thread();
  for (auto _ : state) {
    wire.clear();
    sending.seal(frame, wire);
    const auto received = receiving.feed(std::as_bytes(std::span{wire}));
    if (received.frames.size() != 1) state.SkipWithError("a frame was not opened");
  }
  counted(state, allocations_of_thread() - before, 1);
}

/// A folder with the storage of a replica, which the destructor removes.
class scratch_storage {
 public:
  scratch_storage() {
    auto name = (std::filesystem::temp_directory_path() / "hypermesh-micro-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) return;
    folder_ = name;
    const storage_owner owner{{}, "micro", replica_id{0}};
    if (!initialise_storage(folder_ / "data", owner)) return;
    auto opened = open_storage(folder_ / "data", owner, durability::async);
    if (opened && (*opened)->read()) storage_ = std::move(*opened);
  }
  ~scratch_storage() {
    storage_.reset();
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  scratch_storage(const scratch_storage&) = delete;
  scratch_storage& operator=(const scratch_storage&) = delete;

  [[nodiscard]] stable_storage* content() const { return storage_.get(); }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<stable_storage> storage_;
};

/// A group of the three records of a batch, written and not synced: the disk is no part of a ratio.
void journal_group(benchmark::State& state) {
  const scratch_storage scratch;
  if (scratch.content() == nullptr) {
    state.SkipWithError("no storage could be made");
    return;
  }
  const auto bytes = std::make_shared<const byte_vector>(256, std::byte{1});
  std::uint64_t sequence = 0;
  const auto before = allocations_of_thread();
  for (auto _ : state) {
    ++sequence;
    std::vector<storage_record> records;
    for (const auto kind : {record_kind::pre_prepare, record_kind::prepare, record_kind::commit})
      records.push_back({kind, first_view, sequence_number{sequence}, bytes});
    if (!scratch.content()->write(records)) state.SkipWithError("a group was not written");
    // As the node does at a checkpoint, so that the records that are held stay bounded.
    if (sequence % 1'024 == 0 && !scratch.content()->forget_through(sequence_number{sequence - 512}))
      state.SkipWithError("records were not forgotten");
  }
  counted(state, allocations_of_thread() - before, 1);
}

constexpr int repetitions = 5;
constexpr double seconds_of_repetition = 0.05;

void usual(benchmark::internal::Benchmark* stage) { stage->MinTime(seconds_of_repetition)->Repetitions(repetitions); }

BENCHMARK(calibration)->Apply(usual);
BENCHMARK(ed25519_sign)->Apply(usual);
BENCHMARK(ed25519_verify)->Apply(usual);
BENCHMARK(decode_request)->Apply(usual);
BENCHMARK(way_in_request)->Apply(usual);
BENCHMARK(batch_build)->Apply(usual);
BENCHMARK(way_in_pre_prepare)->Apply(usual);
BENCHMARK(way_in_prepare)->Apply(usual);
BENCHMARK(replica_step)->Apply(usual);
BENCHMARK(journal_group)->Apply(usual);
BENCHMARK(execute)->Apply(usual);
BENCHMARK(reply_encode)->Apply(usual);
BENCHMARK(link_seal_open)->Apply(usual);

}  // namespace

}  // namespace hypermesh::testing
