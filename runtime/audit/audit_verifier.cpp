#include "runtime/audit/audit_verifier.hpp"

#include <fmt/format.h>

#include "runtime/audit/audit_entry_validator.hpp"
#include "runtime/audit/audit_recovery.hpp"
#include "runtime/audit/contradiction_finder.hpp"

namespace hypermesh::audit {

namespace {

/// The verifier reads the head several times, because a running node may be writing a sector during a read.
constexpr int head_attempts = 5;

class trail_verifier {
 public:
  trail_verifier(const audit_folder& folder, const cluster_parameters& cluster, const authenticator& keys,
                 statement_checks checks)
      : folder_(folder), cluster_(cluster), keys_(keys), wants_statements_(checks == statement_checks::all) {}

  or_error<trail_verdict> verify() {
    out_.is_live = is_being_written(folder_);
    // The head is read before the segments, so every entry that the head counts exists when the segments are read.
    auto read = read_head_sectors();
    if (!read) return failure_of(read);
    sectors_ = std::move(read).value();
    const trail_visitor visitor{
        [this](const segment_header& header, byte_span bytes) { return on_segment(header, bytes); },
        [this](const trail_spot&, const audit_entry& entry, const audit_event& event, const chain_position& before) {
          return on_entry(entry, event, before);
        }};
    auto walked = walk_trail(folder_, visitor);
    if (!walked) return failure_of(walked);
    out_.walk = std::move(walked).value();
    if (statements_) out_.signatures_checked = statements_->signatures() + out_.seals.size();
    out_.contradictions = contradictions_.found();
    if (!out_.walk.bad) out_.walk.bad = objection_to_end(first_kept());
    return std::move(out_);
  }

 private:
  /// Returns nothing if the file is missing. A missing head is a fault of the trail and not a read error.
  [[nodiscard]] or_error<std::optional<byte_vector>> read_head_sectors() const {
    std::error_code failed;
    if (!std::filesystem::exists(folder_.head_file(), failed)) return std::optional<byte_vector>{};
    auto read = read_trail_file(folder_.head_file(), 2 * head_bytes);
    if (!read) return failure_of(read);
    return std::optional{std::move(*read)};
  }

  /// A running node may have deleted segments after the head was read.
  [[nodiscard]] std::uint64_t first_kept() const {
    const auto then = out_.head ? out_.head->first_segment : 0;
    if (!out_.is_live || !owner_) return then;
    const auto again = read_head_sectors();
    if (!again || !*again) return then;
    const auto now = decode_heads(**again, *owner_, keys_);
    return now.newest ? now.newest->first_segment : then;
  }

  or_reason<void> on_segment(const segment_header& header, byte_span bytes) {
    if (header.owner.context != cluster_.signing) {
      return invalid(
          fmt::format("the trail belongs to cluster {}, epoch {}, but the genesis file to cluster {}, epoch {}",
                      to_hex(header.owner.context.cluster.view(), 8), header.owner.context.epoch.value,
                      to_hex(cluster_.signing.cluster.view(), 8), cluster_.signing.epoch.value));
    }
    if (!is_genuine_header(bytes, header, keys_)) {
      return invalid(fmt::format("the header is not signed by replica {}, which it names", header.owner.self.value));
    }
    if (!owner_) {
      owner_ = header.owner;
      statements_.emplace(cluster_, owner_->self, keys_);
      decode_head_of(*owner_);
    } else if (last_kind_ != audit_kind::seal) {
      return invalid("the previous segment does not end with a seal");
    }
    last_kind_ = audit_kind::seal;
    return {};
  }

  void decode_head_of(const trail_owner& owner) {
    if (!sectors_) return;
    head_ = decode_heads(*sectors_, owner, keys_);
    for (int attempt = 0; out_.is_live && !head_.is_whole && attempt < head_attempts; ++attempt) {
      const auto again = read_head_sectors();
      if (again && *again) head_ = decode_heads(**again, owner, keys_);
    }
    out_.head = head_.newest;
  }

  or_reason<void> on_entry(const audit_entry& entry, const audit_event& event, const chain_position& before) {
    if (auto done = check_sealed(before); !done) return done;
    last_kind_ = entry.kind;
    ++out_.entries_by_kind[entry.kind];
    if (const auto* it = std::get_if<trail_seal>(&event)) {
      if (!verify_seal(*owner_, keys_, before, entry.time_us, *it)) {
        return invalid(fmt::format("replica {} did not sign this seal for the entries before it", owner_->self.value));
      }
      out_.seals.push_back({entry.index, entry.time_us, it->checkpoint, entry.hash});
    }
    if (const auto* it = std::get_if<entries_were_lost>(&event)) out_.entries_lost += it->entries;
    contradictions_.look_at(entry.index, event);
    if (!wants_statements_) return {};
    return statements_->check(event);
  }

  [[nodiscard]] or_reason<void> check_sealed(const chain_position& at) const {
    if (!out_.head || at.next_index != out_.head->sealed.next_index || at == out_.head->sealed) return {};
    return invalid("the chain up to this entry differs from the chain that was sealed");
  }

  /// Makes the checks that need the end of the trail.
  [[nodiscard]] std::optional<bad_place> objection_to_end(std::uint64_t first_kept) const {
    const auto& walk = out_.walk;
    const trail_spot at_head{folder_.head_file(), 0, 0, walk.end.next_index};
    if (!sectors_)
      return bad_place{at_head, "the head is missing, so a cut at the end of the trail cannot be excluded"};
    if (!out_.head)
      return bad_place{at_head, fmt::format("neither part of the head is signed by replica {}", owner_->self.value)};
    if (!head_.is_whole) {
      return bad_place{at_head, "one of the two parts of the head is damaged, by a power failure or by an edit"};
    }
    const auto& head = *out_.head;
    if (walk.first->segment > first_kept) {
      return bad_place{
          {folder_.segment_file(first_kept), first_kept, 0, 0},
          fmt::format("the segment is missing: according to the head, the trail begins with segment {}", first_kept)};
    }
    if (walk.end.next_index < head.sealed.next_index) {
      return bad_place{
          walk.end_spot,
          fmt::format("the trail ends here, but {} entries were sealed: the end was cut off", head.sealed.next_index)};
    }
    if (auto done = check_sealed(walk.end); !done) return bad_place{walk.end_spot, std::move(done.error())};
    if (head.closed && walk.end.next_index > head.sealed.next_index) {
      return bad_place{walk.end_spot, "entries follow the seal that the node wrote when it stopped"};
    }
    if (walk.unfinished_bytes > 0 && !out_.is_live) {
      return bad_place{walk.end_spot,
                       fmt::format("the last {} bytes are not a complete entry: the node was killed during a write, or "
                                   "they were changed",
                                   walk.unfinished_bytes)};
    }
    return std::nullopt;
  }

  const audit_folder& folder_;
  cluster_parameters cluster_;
  const authenticator& keys_;
  bool wants_statements_;
  std::optional<byte_vector> sectors_;
  read_head head_;
  std::optional<trail_owner> owner_;
  std::optional<audit_entry_validator> statements_;
  contradiction_finder contradictions_;
  audit_kind last_kind_ = audit_kind::seal;
  trail_verdict out_;
};

}  // namespace

or_error<trail_verdict> verify_trail(const audit_folder& folder, const cluster_parameters& cluster,
                                     const authenticator& keys, statement_checks checks) {
  return trail_verifier{folder, cluster, keys, checks}.verify();
}

}  // namespace hypermesh::audit
