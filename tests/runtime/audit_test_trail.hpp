#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "messages/codec.hpp"
#include "runtime/audit/audit_recovery.hpp"
#include "runtime/audit/audit_verifier.hpp"
#include "tests/runtime/storage_test_directory.hpp"
#include "tests/support/message_samples.hpp"
#include "tests/support/request_factory.hpp"

/// Common code of the tests of the audit trail: trails of replica 1 of a cluster of four, and functions that change
/// their files.
namespace hypermesh::testing::audit_test {

namespace fs = std::filesystem;
using storage_test::contains;
using storage_test::content_of;
using storage_test::expect_done;
using storage_test::replace_content;
using storage_test::scratch_folder;
using testing::frame_of;
using testing::named_digest;
using testing::request_factory;
using testing::small_cluster;

/// A disk that fills up. It accepts a number of further bytes, and writes the part of the next write that fits.
class filling_sink final : public audit_sink {
 public:
  explicit filling_sink(std::unique_ptr<audit_files> files) : files_(std::move(files)) {}

  std::uint64_t room = ~std::uint64_t{0};
  bool refuses_cuts = false;
  std::uint64_t syncs = 0;

  or_error<void> begin_segment(std::uint64_t number, byte_span header) override {
    return header.size() > room ? full() : files_->begin_segment(number, header);
  }
  or_error<void> append(byte_span bytes) override {
    const auto taken = std::min<std::uint64_t>(room, bytes.size());
    room -= taken;
    if (auto done = files_->append(bytes.first(taken)); !done) return done;
    if (taken < bytes.size()) return full();
    return {};
  }
  or_error<void> cut_back(std::uint64_t size) override { return refuses_cuts ? full() : files_->cut_back(size); }
  or_error<void> sync() override {
    ++syncs;
    return files_->sync();
  }
  or_error<void> write_head(std::uint64_t sector, byte_span content, bool durable) override {
    return files_->write_head(sector, content, durable);
  }
  or_error<void> remove_segment(std::uint64_t number) override { return files_->remove_segment(number); }

 private:
  static or_error<void> full() { return tl::unexpected(world_error{"the disk is full", "make room"}); }

  std::unique_ptr<audit_files> files_;
};

struct trail_bench {
  scratch_folder scratch;
  request_factory make{small_cluster(4)};
  audit_folder folder{scratch.path() / "audit"};
  std::uint64_t now = 1'700'000'000'000'000;

  [[nodiscard]] trail_owner owner(std::uint32_t replica = 1) const {
    return {make.cluster().signing, replica_id{replica}};
  }
  [[nodiscard]] std::shared_ptr<const authenticator> keys(std::uint32_t replica = 1) const {
    return make.keys().of(principal::of(replica_id{replica}));
  }
  [[nodiscard]] or_error<std::unique_ptr<audit_trail>> try_open(trail_settings settings = {},
                                                                std::uint32_t replica = 1) const {
    return open_audit_trail(folder, owner(replica), keys(replica), settings, now);
  }
  [[nodiscard]] std::unique_ptr<audit_trail> open(trail_settings settings = {}, std::uint32_t replica = 1) const {
    auto opened = try_open(settings, replica);
    expect_done(opened);
    return std::move(*opened);
  }
  /// The reason why the trail is refused.
  [[nodiscard]] std::string refusal() const {
    auto opened = try_open();
    return opened ? "" : opened.error().what;
  }
  [[nodiscard]] trail_verdict verify(statement_checks checks = statement_checks::all) const {
    auto verified = verify_trail(folder, make.cluster(), *keys(0), checks);
    expect_done(verified);
    return std::move(*verified);
  }
  /// The first problem of the trail; empty if there is none.
  [[nodiscard]] std::string objection(statement_checks checks = statement_checks::all) const {
    const auto verdict = verify(checks);
    return verdict.walk.bad ? verdict.walk.bad->spot.file.filename().string() + ": " + verdict.walk.bad->what : "";
  }

  [[nodiscard]] pre_prepare proposal(std::uint64_t sequence, std::uint64_t batch = 0) const {
    return make.pre_prepare_of(view_number{0}, sequence_number{sequence},
                               make.batch_number(batch == 0 ? sequence : batch));
  }
  [[nodiscard]] batch_was_committed committed(std::uint64_t sequence, std::uint64_t batch = 0) const {
    commit_certificate certificate;
    for (std::uint32_t replica = 0; replica < 3; ++replica)
      certificate.commits.push_back(make.commit_of(replica_id{replica}, proposal(sequence, batch)).vote);
    return {certificate};
  }
  [[nodiscard]] proof_noted stable(std::uint64_t sequence) const {
    const auto certificate = make.certificate_of(sequence_number{sequence}, named_digest("root"));
    return {audit_kind::checkpoint_stable, frame_of(checkpoint_proof{*certificate})};
  }
  /// Makes evidence of two conflicting COMMITs.
  [[nodiscard]] evidence two_commits(std::uint32_t replica) const {
    evidence shown;
    for (const auto* value : {"A", "B"}) {
      const auto content =
          make.content_of(replica_id{replica}, view_number{0}, sequence_number{5}, named_digest(value));
      shown.items.push_back({message_kind::commit, make.signed_as(message_kind::commit, content)});
    }
    return shown;
  }
  /// Makes one event of each kind, with genuine statements.
  [[nodiscard]] std::vector<audit_event> events() const {
    const auto first = proposal(5);
    const auto prepared = make.prepared_of(view_number{0}, sequence_number{5}, first.header.content.value);
    const auto change = [&](std::uint32_t replica) {
      return make.view_change_of(replica_id{replica}, view_number{1}, nullptr, {});
    };
    std::vector<audit_event> all{
        run_started{view_number{0}, sequence_number{4}},
        proposal_noted{first.header},
        vote_noted{message_kind::prepare, make.prepare_of(replica_id{1}, first).vote},
        batch_was_prepared{prepared},
        vote_noted{message_kind::commit, make.commit_of(replica_id{1}, first).vote},
        committed(5),
        primary_suspected{view_number{0}, suspicion_reason::slow},
        proof_noted{audit_kind::view_change, frame_of(change(1))},
        proof_noted{audit_kind::view_entered,
                    frame_of(make.new_view_of(view_number{1}, {change(1), change(2), change(3)}))},
        donor_replaced{replica_id{2}, donor_fault::lied},
        state_was_installed{sequence_number{8}, named_digest("root")},
        divergence_found{sequence_number{8}},
        probation_changed{sequence_number{12}, view_number{3}, false},
        node_failed{{"the disk is gone", "replace it"}},
        entries_were_lost{loss_reason::overload, 7, now},
        tail_was_cut{1, 160, 12, true},
        stable(8),
    };
    all.emplace_back(guard_noted{audit_kind::evidence,
                                 principal::of(replica_id{3}),
                                 {},
                                 {},
                                 "conflicting_votes",
                                 evidence_buffer(two_commits(3))});
    for (const auto kind :
         {audit_kind::complaint, audit_kind::conviction, audit_kind::quarantine, audit_kind::release}) {
      all.emplace_back(guard_noted{kind, principal::of(replica_id{3}), sequence_number{9}, sequence_number{20},
                                   "two_prepares", to_byte_vector("what proves it")});
    }
    return all;
  }

  /// Adds the events and writes them.
  void write(audit_trail& trail, const std::vector<audit_event>& events) {
    for (const auto& each : events)
      trail.add(++now, each);
    expect_done(trail.flush(++now));
  }
  void seal(audit_trail& trail, std::uint64_t checkpoint = 8, bool closed = false) {
    expect_done(trail.seal(++now, sequence_number{checkpoint}, closed));
  }
  /// Writes a closed trail of one segment with an entry of each kind and two seals.
  void write_small_trail() {
    auto trail = open();
    write(*trail, events());
    seal(*trail);
    write(*trail, {committed(9)});
    seal(*trail, 8, true);
  }

  [[nodiscard]] fs::path segment(std::uint64_t number = 1) const { return folder.segment_file(number); }
};

/// The offset of each record of a segment, and the end of the last record.
inline std::vector<std::size_t> record_offsets(const std::string& segment) {
  std::vector<std::size_t> offsets{segment_header_bytes};
  while (offsets.back() < segment.size()) {
    std::size_t length = 0;
    for (std::size_t index = 0; index < 4; ++index)
      length |= std::size_t{static_cast<unsigned char>(segment[offsets.back() + index])} << (8 * index);
    offsets.push_back(offsets.back() + record_prefix_bytes + length);
  }
  return offsets;
}

}  // namespace hypermesh::testing::audit_test
