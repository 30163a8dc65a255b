#include "actors/protocol/accusation.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "messages/codec.hpp"
#include "messages/digest.hpp"

namespace hypermesh {

namespace {

bool is_vote(message_kind kind) {
  return kind == message_kind::pre_prepare || kind == message_kind::prepare || kind == message_kind::commit;
}

template <class Document>
std::optional<Document> document_in(const exhibit& shown, message_kind kind) {
  const auto* raw = std::get_if<blob>(&shown.content);
  if (raw == nullptr || shown.kind != kind) return std::nullopt;
  // An exhibit is bounded below the frame of its kind, and hostile like any frame.
  auto decoded = decode(frame_of(kind, *raw));
  auto* value = std::get_if<message>(&decoded);
  if (value == nullptr) return std::nullopt;
  return std::move(std::get<Document>(*value));
}

/// A vote that its signer could not make, whatever it had seen.
std::optional<guard_case> lone_vote(message_kind kind, const statement& content, const cluster_parameters& cluster) {
  const auto primary = cluster.group().primary_of(content.view);
  const bool is_lawful = [&] {
    switch (kind) {
      case message_kind::pre_prepare:
        return content.replica == primary;
      case message_kind::prepare:
        return content.replica != primary;
      case message_kind::checkpoint:
        return content.view == view_number{0} && content.sequence != sequence_number{0} &&
               cluster.is_checkpoint(content.sequence);
      default:
        return true;
    }
  }();
  if (is_lawful) return std::nullopt;
  return accusation{principal::of(content.replica), offence::unlawful_vote, content.view, content.sequence};
}

std::optional<guard_case> two_votes(const exhibit& first, const exhibit& second) {
  const auto& one = std::get<signed_statement>(first.content).content;
  const auto& other = std::get<signed_statement>(second.content).content;
  if (one.replica != other.replica || one.epoch != other.epoch || one.sequence != other.sequence ||
      one.value == other.value) {
    return std::nullopt;
  }
  const auto accused = principal::of(one.replica);
  // §4.2: a backup accepts one PRE-PREPARE for (v, n), and all that it says of (v, n) carries its digest.
  if (is_vote(first.kind) && is_vote(second.kind) && one.view == other.view) {
    return accusation{accused, offence::conflicting_votes, one.view, one.sequence};
  }
  // §4.3: one state follows from one order.
  if (first.kind == message_kind::checkpoint && second.kind == message_kind::checkpoint) {
    return accusation{accused, offence::conflicting_checkpoints, view_number{0}, one.sequence};
  }
  return std::nullopt;
}

std::optional<guard_case> vote_and_document(const exhibit& vote, const exhibit& document) {
  const auto& said = std::get<signed_statement>(vote.content).content;
  const auto change = view_change_in(document);
  if (vote.kind != message_kind::commit || !change || change->replica != said.replica) return std::nullopt;
  if (!conceals(*change, said)) return std::nullopt;
  return accusation{principal::of(said.replica), offence::hidden_certificate, change->new_view, said.sequence};
}

/// Whether two documents, each with its signature behind it, say the same.
bool is_same_content(byte_span left, byte_span right) {
  return std::ranges::equal(left.first(left.size() - signature::size), right.first(right.size() - signature::size));
}

bool is_same_document(const exhibit& one, const exhibit& other) {
  return is_same_content(std::get<blob>(one.content).view, std::get<blob>(other.content).view);
}

std::optional<guard_case> two_documents(const exhibit& first, const exhibit& second) {
  if (first.kind != second.kind || is_same_document(first, second)) return std::nullopt;
  if (const auto one = view_change_in(first), other = view_change_in(second); one && other) {
    if (one->replica != other->replica || one->new_view != other->new_view) return std::nullopt;
    return accusation{principal::of(one->replica), offence::conflicting_view_changes, one->new_view, {}};
  }
  if (const auto one = new_view_in(first), other = new_view_in(second); one && other) {
    if (one->replica != other->replica || one->view != other->view) return std::nullopt;
    return accusation{principal::of(one->replica), offence::conflicting_new_views, one->view, {}};
  }
  const auto one = document_in<request>(first, message_kind::request);
  const auto other = document_in<request>(second, message_kind::request);
  if (!one || !other || one->id != other->id || one->id.client == guard_client) return std::nullopt;
  // Two processes that chose one session open it with different nonces, and no harm is meant.
  if (one->id.opens_session()) return std::nullopt;
  return accusation{principal::of(one->id.client),
                    offence::conflicting_requests,
                    {},
                    sequence_number{one->id.when.value},
                    one->id.session};
}

std::optional<guard_case> lone_document(const exhibit& shown) {
  if (std::get<blob>(shown.content).view.size() > limits::lone_exhibit_bytes_max) return std::nullopt;
  if (const auto change = view_change_in(shown)) {
    return accusation{principal::of(change->replica), offence::unlawful_view_change, change->new_view, {}};
  }
  if (const auto opened = new_view_in(shown)) {
    return accusation{principal::of(opened->replica), offence::unlawful_new_view, opened->view, {}};
  }
  return std::nullopt;
}

std::optional<guard_case> vote_of_many(const exhibits& shown, const cluster_parameters& cluster) {
  const auto kind = shown.items.front().kind;
  std::optional<ballot> same;
  std::set<replica_id> voters;
  for (const auto& each : shown.items) {
    const auto* said = std::get_if<signed_statement>(&each.content);
    if (each.kind != kind || said == nullptr) return std::nullopt;
    const auto wanted = ballot_of(kind, said->content, cluster);
    if (!wanted || (same && *same != *wanted) || !voters.insert(said->content.replica).second) return std::nullopt;
    same = wanted;
  }
  if (voters.size() != voters_of(*same, cluster.group())) return std::nullopt;
  return *same;
}

bool is_ballot(message_kind kind) {
  return kind == message_kind::complaint || kind == message_kind::pardon || kind == message_kind::readmission ||
         kind == message_kind::hand_over;
}

constexpr std::size_t reason_at = 0;
constexpr std::size_t about_at = 1;

std::optional<ballot> hand_over_in(const statement& content, group_size group) {
  std::uint32_t about = 0;
  for (std::size_t index = 0; index < sizeof(about); ++index)
    about = (about << 8U) | std::to_integer<std::uint32_t>(content.value.bytes[about_at + index]);
  const auto cause = std::to_integer<std::uint8_t>(content.value.bytes[reason_at]);
  if (cause == 0 || cause > hand_over_cause_last || content.view == view_number{0}) return std::nullopt;
  ballot value{message_kind::hand_over, replica_id{about}, grievance::garbage, {}, content.view};
  value.cause = static_cast<hand_over_cause>(cause);
  if (!group.contains(value.about)) return std::nullopt;
  // Who gets the view, or gives up the one before it: equal wishes make equal ballots.
  if (value.cause == hand_over_cause::operators && value.about != group.primary_of(value.to)) return std::nullopt;
  const view_number left{value.to.value - 1};
  const bool is_own = value.about == content.replica && content.replica == group.primary_of(left);
  if (value.cause == hand_over_cause::step_down && !is_own) return std::nullopt;
  if (content != hand_over_of(content.replica, value.about, value.to, value.cause, content.epoch)) return std::nullopt;
  return value;
}

}  // namespace

std::string_view to_string(offence what) {
  static constexpr std::array<std::string_view, offence_last + 1> names = {"none",
                                                                           "conflicting_votes",
                                                                           "conflicting_checkpoints",
                                                                           "conflicting_view_changes",
                                                                           "conflicting_new_views",
                                                                           "conflicting_requests",
                                                                           "unlawful_vote",
                                                                           "unlawful_view_change",
                                                                           "unlawful_new_view",
                                                                           "hidden_certificate"};
  static_assert(!names.back().empty(), "one name for each offence");
  return names.at(static_cast<std::size_t>(what));
}

std::string_view to_string(grievance why) {
  static constexpr std::array<std::string_view, grievance_last + 1> names = {"none", "garbage", "flood", "bad_state",
                                                                             "bad_service"};
  static_assert(!names.back().empty(), "one name for each grievance");
  return names.at(static_cast<std::size_t>(why));
}

std::string_view to_string(hand_over_cause why) {
  static constexpr std::array<std::string_view, hand_over_cause_last + 1> names = {"none", "readmission", "operators",
                                                                                   "step_down"};
  return names.at(static_cast<std::size_t>(why));
}

bool is_same_request(const request& one, const request& other) { return is_same_content(one.raw.view, other.raw.view); }

std::optional<view_change> view_change_in(const exhibit& shown) {
  return document_in<view_change>(shown, message_kind::view_change);
}

std::optional<new_view> new_view_in(const exhibit& shown) {
  return document_in<new_view>(shown, message_kind::new_view);
}

// §4.4: P has a set "for each request m that prepared at i with a sequence number higher than n", and the certificate
// of the highest view counts.
bool conceals(const view_change& change, const statement& said) {
  if (said.view >= change.new_view || said.sequence <= change.stable_sequence) return false;
  const auto found = std::ranges::find(change.prepared, said.sequence,
                                       [](const auto& each) { return each.pre_prepare.content.sequence; });
  if (found == change.prepared.end()) return true;
  const auto& shown = found->pre_prepare.content;
  return shown.view < said.view || (shown.view == said.view && shown.value != said.value);
}

std::uint32_t voters_of(const ballot& wanted, group_size group) {
  const bool alone = wanted.kind == message_kind::hand_over && wanted.cause == hand_over_cause::step_down;
  return alone ? 1 : group.weak_quorum();
}

std::optional<ballot> ballot_of(message_kind kind, const statement& content, const cluster_parameters& cluster) {
  const auto group = cluster.group();
  if (kind == message_kind::hand_over) return hand_over_in(content, group);
  if (!is_ballot(kind) || content.view.value >= group.replicas() || content.sequence == sequence_number{0}) {
    return std::nullopt;
  }
  ballot value{kind, replica_id{static_cast<std::uint32_t>(content.view.value)}, grievance::garbage, content.sequence};
  auto expected = content;
  expected.value = {};
  if (kind == message_kind::complaint) {
    const auto reason = std::to_integer<std::uint8_t>(content.value.bytes[reason_at]);
    if (reason == 0 || reason > grievance_last || value.about == content.replica ||
        !cluster.is_checkpoint(content.sequence)) {
      return std::nullopt;
    }
    value.why = static_cast<grievance>(reason);
    expected.value.bytes[reason_at] = content.value.bytes[reason_at];
  }
  if (expected != content) return std::nullopt;
  return value;
}

std::optional<guard_case> case_of(const exhibits& shown, const cluster_parameters& cluster) {
  if (shown.items.empty()) return std::nullopt;
  const auto& first = shown.items.front();
  if (is_ballot(first.kind)) return vote_of_many(shown, cluster);
  const bool stated = std::holds_alternative<signed_statement>(first.content);
  if (shown.items.size() == 1) {
    return stated ? lone_vote(first.kind, std::get<signed_statement>(first.content).content, cluster)
                  : lone_document(first);
  }
  if (shown.items.size() != 2) return std::nullopt;
  const auto& second = shown.items.back();
  if (!stated) return two_documents(first, second);
  return std::holds_alternative<signed_statement>(second.content) ? two_votes(first, second)
                                                                  : vote_and_document(first, second);
}

std::optional<guard_case> case_of(const request& value, const cluster_parameters& cluster) {
  if (value.id.client != guard_client || value.operation_count() != 1) return std::nullopt;
  const auto shown = decode_exhibits(value.operation(0));
  if (std::holds_alternative<rejection>(shown)) return std::nullopt;
  auto about = case_of(std::get<exhibits>(shown), cluster);
  if (!about || name_of(*about) != value.id) return std::nullopt;
  return about;
}

request_id name_of(const guard_case& about) {
  hasher of{"guard case"};
  of.add(about.index());
  if (const auto* accused = std::get_if<accusation>(&about)) {
    of.add(accused->accused.is_replica() ? 1 : 2).add(accused->accused.number);
    of.add(static_cast<std::uint64_t>(accused->what)).add(accused->view.value).add(accused->sequence.value);
    of.add(accused->session.value);
  } else {
    const auto& wanted = std::get<ballot>(about);
    of.add(static_cast<std::uint64_t>(wanted.kind)).add(wanted.about.value);
    of.add(static_cast<std::uint64_t>(wanted.why)).add(wanted.sequence.value);
    of.add(wanted.to.value).add(static_cast<std::uint64_t>(wanted.cause));
  }
  const auto whole = of.finish();
  std::uint64_t number = 0;
  for (std::size_t index = 0; index < sizeof(number); ++index)
    number = (number << 8U) | std::to_integer<std::uint64_t>(whole.bytes[index]);
  return {guard_client, timestamp{number}};
}

frame_ptr guard_request(const guard_case& about, const exhibits& shown) {
  const auto operation = exhibits_buffer(shown);
  return seal(message_kind::request, request_buffer(name_of(about), {byte_span{operation}}), signature{});
}

statement complaint_of(replica_id self, replica_id about, grievance why, sequence_number period, epoch_number epoch) {
  statement content{view_number{about.value}, period, {}, self, epoch};
  content.value.bytes[reason_at] = static_cast<std::byte>(why);
  return content;
}

statement pardon_of(replica_id self, replica_id about, sequence_number convicted_at, epoch_number epoch) {
  return {view_number{about.value}, convicted_at, {}, self, epoch};
}

statement readmission_of(replica_id self, replica_id about, sequence_number floor, epoch_number epoch) {
  return {view_number{about.value}, floor, {}, self, epoch};
}

statement hand_over_of(replica_id self, replica_id about, view_number to, hand_over_cause why, epoch_number epoch) {
  statement content{to, {}, {}, self, epoch};
  content.value.bytes[reason_at] = static_cast<std::byte>(why);
  for (std::size_t index = 0; index < sizeof(about.value); ++index)
    content.value.bytes[about_at + index] = static_cast<std::byte>(about.value >> (8U * (3U - index)));
  return content;
}

}  // namespace hypermesh
