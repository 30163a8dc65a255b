// Encodes and decodes the payloads of entries, in the order of `audit_kind`.
#include <utility>

#include "messages/byte_codec.hpp"
#include "messages/require.hpp"
#include "runtime/audit/audit_event.hpp"

namespace hypermesh::audit {

namespace {

constexpr std::size_t evidence_bytes_max = limits::frame_bytes_max;
/// The decoder also accepts the numbers of reasons that later versions may add.
constexpr suspicion_reason last_suspicion_reason{15};

template <class Fixed>
Fixed fixed_from(byte_reader& from) {
  Fixed value;
  const auto raw = from.bytes(Fixed::size);
  if (raw.size() == Fixed::size) std::copy(raw.begin(), raw.end(), value.bytes.begin());
  return value;
}

bool flag_from(byte_reader& from) {
  const auto octet = from.number<std::uint8_t>();
  if (octet > 1) from.fail();
  return octet == 1;
}

template <class Enum>
Enum choice_from(byte_reader& from, Enum first, Enum last) {
  const auto octet = from.number<std::uint8_t>();
  const bool known = octet >= static_cast<std::uint8_t>(first) && octet <= static_cast<std::uint8_t>(last);
  if (!known) from.fail();
  return known ? static_cast<Enum>(octet) : first;
}

/// Writes the content that all statements share, then the signer and signature of each statement.
void write_statements(byte_writer& to, const std::vector<signed_statement>& statements) {
  require(!statements.empty(), "a certificate is not empty");
  const auto& content = statements.front().content;
  to.number(content.view.value).number(content.sequence.value).bytes(content.value.view()).number(content.epoch.value);
  to.number(static_cast<std::uint8_t>(statements.size()));
  for (const auto& each : statements)
    to.number(each.content.replica.value).bytes(each.by.view());
}
static_assert(limits::replicas_max < 256, "a certificate's statements are counted in one octet");

std::vector<signed_statement> statements_from(byte_reader& from) {
  statement content;
  content.view = view_number{from.number<std::uint64_t>()};
  content.sequence = sequence_number{from.number<std::uint64_t>()};
  content.value = fixed_from<digest>(from);
  content.epoch = epoch_number{from.number<std::uint32_t>()};
  const auto count = from.number<std::uint8_t>();
  if (count == 0) from.fail();
  std::vector<signed_statement> statements;
  for (std::size_t index = 0; index < count && !from.failed(); ++index) {
    content.replica = replica_id{from.number<std::uint32_t>()};
    statements.push_back({content, fixed_from<signature>(from)});
  }
  return statements;
}

signed_statement statement_from(byte_reader& from) {
  const auto statements = statements_from(from);
  if (statements.size() == 1) return statements.front();
  from.fail();
  return {};
}

struct payload_writer {
  byte_writer& to;

  void operator()(const run_started& it) const { to.number(it.view.value).number(it.last_executed.value); }
  void operator()(const run_stopped&) const {}
  void operator()(const trail_seal& it) const { to.number(it.checkpoint.value).bytes(it.by.view()); }
  void operator()(const tail_was_cut& it) const {
    to.number(it.segment).number(it.offset).number(it.bytes);
    to.number(static_cast<std::uint8_t>(it.head_was_damaged));
  }
  void operator()(const entries_were_lost& it) const {
    to.number(static_cast<std::uint8_t>(it.reason)).number(it.entries).number(it.since_us);
  }
  void operator()(const proposal_noted& it) const { write_statements(to, {it.header}); }
  void operator()(const vote_noted& it) const {
    to.number(static_cast<std::uint8_t>(it.kind));
    write_statements(to, {it.vote});
  }
  void operator()(const batch_was_prepared& it) const {
    auto statements = it.certificate.prepares;
    statements.insert(statements.begin(), it.certificate.pre_prepare);
    write_statements(to, statements);
  }
  void operator()(const batch_was_committed& it) const { write_statements(to, it.certificate.commits); }
  void operator()(const proof_noted& it) const { to.bytes(*it.frame); }
  void operator()(const primary_suspected& it) const {
    to.number(it.view.value).number(static_cast<std::uint8_t>(it.reason));
  }
  void operator()(const donor_replaced& it) const {
    to.number(it.replica.value).number(static_cast<std::uint8_t>(it.reason));
  }
  void operator()(const state_was_installed& it) const { to.number(it.sequence.value).bytes(it.root.view()); }
  void operator()(const divergence_found& it) const { to.number(it.sequence.value); }
  void operator()(const probation_changed& it) const {
    to.number(it.floor.value).number(it.first_view.value).number(static_cast<std::uint8_t>(it.over));
  }
  void operator()(const node_failed& it) const { to.short_text(it.error.what).short_text(it.error.remedy); }
  void operator()(const guard_noted& it) const {
    require(it.proof.size() <= evidence_bytes_max, "a proof fits into a frame");
    to.number(static_cast<std::uint8_t>(it.about.kind)).number(it.about.number);
    to.number(it.from.value).number(it.until.value).short_text(it.misbehaviour_kind).bytes(it.proof);
  }
};

prepared_certificate prepared_from(byte_reader& from) {
  const auto statements = statements_from(from);
  if (statements.empty()) return {};
  return {statements.front(), {statements.begin() + 1, statements.end()}};
}

tail_was_cut tail_cut_from(byte_reader& from) {
  tail_was_cut it;
  it.segment = from.number<std::uint64_t>();
  it.offset = from.number<std::uint64_t>();
  it.bytes = from.number<std::uint64_t>();
  it.head_was_damaged = flag_from(from);
  return it;
}

guard_noted guard_from(audit_kind kind, byte_reader& from) {
  guard_noted it{kind, {}, {}, {}, {}, {}};
  it.about.kind = choice_from(from, principal_kind::replica, principal_kind_last);
  it.about.number = from.number<std::uint32_t>();
  it.from = sequence_number{from.number<std::uint64_t>()};
  it.until = sequence_number{from.number<std::uint64_t>()};
  it.misbehaviour_kind = from.short_text();
  const auto proof = from.rest();
  it.proof.assign(proof.begin(), proof.end());
  return it;
}

/// Reads the payload of an entry of `kind`. Braced initializers fix the order of the reads, because C++ evaluates them
/// from left to right.
std::optional<audit_event> read_event(audit_kind kind, byte_reader& from) {
  const auto number = [&from] { return from.number<std::uint64_t>(); };
  switch (kind) {
    case audit_kind::started:
      return run_started{view_number{number()}, sequence_number{number()}};
    case audit_kind::stopped:
      return run_stopped{};
    case audit_kind::seal:
      return trail_seal{sequence_number{number()}, fixed_from<signature>(from)};
    case audit_kind::tail_cut:
      return tail_cut_from(from);
    case audit_kind::lost:
      return entries_were_lost{choice_from(from, loss_reason::overload, loss_reason_last), number(), number()};
    case audit_kind::proposal:
      return proposal_noted{statement_from(from)};
    case audit_kind::vote:
      return vote_noted{choice_from(from, message_kind::prepare, message_kind::checkpoint), statement_from(from)};
    case audit_kind::prepared:
      return batch_was_prepared{prepared_from(from)};
    case audit_kind::committed:
      return batch_was_committed{{statements_from(from)}};
    case audit_kind::checkpoint_stable:
    case audit_kind::view_change:
    case audit_kind::view_entered: {
      const auto frame = from.rest();
      return proof_noted{kind, std::make_shared<const byte_vector>(frame.begin(), frame.end())};
    }
    case audit_kind::suspicion:
      return primary_suspected{view_number{number()}, choice_from(from, suspicion_reason::mute, last_suspicion_reason)};
    case audit_kind::donor_replaced:
      return donor_replaced{replica_id{from.number<std::uint32_t>()},
                            choice_from(from, donor_fault::late, donor_fault_last)};
    case audit_kind::state_installed:
      return state_was_installed{sequence_number{number()}, fixed_from<digest>(from)};
    case audit_kind::divergence:
      return divergence_found{sequence_number{number()}};
    case audit_kind::probation:
      return probation_changed{sequence_number{number()}, view_number{number()}, flag_from(from)};
    case audit_kind::failure:
      return node_failed{{from.short_text(), from.short_text()}};
    case audit_kind::evidence:
    case audit_kind::complaint:
    case audit_kind::conviction:
    case audit_kind::quarantine:
    case audit_kind::release:
      return guard_from(kind, from);
  }
  return std::nullopt;
}

}  // namespace

byte_vector encode_audit_payload(const audit_event& event) {
  byte_writer to;
  std::visit(payload_writer{to}, event);
  auto payload = to.take();
  require(payload.size() <= audit_payload_bytes_max, "a payload is within its bound");
  return payload;
}

std::optional<audit_event> decode_audit_payload(audit_kind kind, byte_span payload) {
  byte_reader from{payload};
  auto event = read_event(kind, from);
  if (!event || !from.is_complete()) return std::nullopt;
  const auto* vote = std::get_if<vote_noted>(&*event);
  const bool is_own_vote = vote == nullptr || vote->kind == message_kind::prepare ||
                           vote->kind == message_kind::commit || vote->kind == message_kind::checkpoint;
  return is_own_vote ? event : std::nullopt;
}

}  // namespace hypermesh::audit
