#include "tools/hypermesh/commands/audit_text.hpp"

#include <algorithm>
#include <ctime>

#include <fmt/format.h>

#include "messages/codec.hpp"
#include "runtime/base/safe_text.hpp"

namespace hypermesh::cli {

namespace {

using json = nlohmann::ordered_json;

/// A trail may contain any text, so control characters must not reach the terminal.
std::string shown(const std::string& text) { return visible_text(text); }

std::string signers_text(const std::vector<signed_statement>& statements) {
  std::string text;
  for (const auto& each : statements)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", each.content.replica.value);
  return text;
}

std::string place_text(const statement& content) {
  return fmt::format("view {}, sequence {}, digest {}", content.view.value, content.sequence.value,
                     to_hex(content.value.view(), 8));
}

json statement_fields(const statement& content) {
  return {{"view", content.view.value},
          {"sequence", content.sequence.value},
          {"digest", to_hex(content.value.view())},
          {"epoch", content.epoch.value}};
}

json signers_json(const std::vector<signed_statement>& statements, message_kind kind) {
  auto all = json::array();
  for (const auto& each : statements) {
    all.push_back(
        {{"kind", to_string(kind)}, {"replica", each.content.replica.value}, {"signature", to_hex(each.by.view())}});
  }
  return all;
}

json certificate_json(json fields, json signers) {
  fields["signed_by"] = std::move(signers);
  return fields;
}

/// The message in a proof; nothing if it cannot be decoded.
std::optional<message> message_of(const proof_noted& proof) {
  auto decoded = decode(proof.frame);
  return decoded ? std::optional{std::move(*decoded)} : std::nullopt;
}

std::vector<std::uint32_t> senders_of(const new_view& opened) {
  std::vector<std::uint32_t> all;
  for (const auto& each : opened.view_changes)
    all.push_back(each.replica.value);
  return all;
}

std::string proof_text(const proof_noted& proof) {
  const auto value = message_of(proof);
  if (!value) return "unreadable";
  if (const auto* it = std::get_if<checkpoint_proof>(&*value)) {
    const auto& votes = it->certificate.votes;
    if (votes.empty()) return "the initial state";
    return fmt::format("sequence {}, root {}, signed by {}", it->certificate.sequence().value,
                       to_hex(votes.front().content.value.view(), 8), signers_text(votes));
  }
  if (const auto* it = std::get_if<view_change>(&*value)) {
    return fmt::format("to view {}, stable checkpoint {}, {} prepared", it->new_view.value, it->stable_sequence.value,
                       it->prepared.size());
  }
  if (const auto* it = std::get_if<new_view>(&*value)) {
    std::string senders;
    for (const auto each : senders_of(*it))
      senders += fmt::format("{}{}", senders.empty() ? "" : ", ", each);
    return fmt::format("view {} of primary {}, VIEW-CHANGEs of {}, {} reproposed", it->view.value, it->replica.value,
                       senders, it->reproposals.size());
  }
  return "unreadable";
}

json proof_json(const proof_noted& proof) {
  const auto value = message_of(proof);
  if (!value) return json::object();
  if (const auto* it = std::get_if<checkpoint_proof>(&*value)) {
    const auto& votes = it->certificate.votes;
    if (votes.empty()) return {{"sequence", 0}};
    return certificate_json(
        {{"sequence", it->certificate.sequence().value}, {"root", to_hex(votes.front().content.value.view())}},
        signers_json(votes, message_kind::checkpoint));
  }
  if (const auto* it = std::get_if<view_change>(&*value)) {
    return {{"view", it->new_view.value},
            {"replica", it->replica.value},
            {"stable_sequence", it->stable_sequence.value},
            {"prepared", it->prepared.size()},
            {"signature", to_hex(it->by.view())}};
  }
  if (const auto* it = std::get_if<new_view>(&*value)) {
    return {{"view", it->view.value},
            {"primary", it->replica.value},
            {"view_changes_of", senders_of(*it)},
            {"reproposals", it->reproposals.size()},
            {"signature", to_hex(it->by.view())}};
  }
  return json::object();
}

std::string_view reason_text(loss_reason reason) {
  return reason == loss_reason::overload ? "overload" : "write_failed";
}

std::string guard_text(const guard_noted& it) {
  auto text = to_string(it.about);
  if (!it.misbehaviour_kind.empty()) text += fmt::format(", {}", shown(it.misbehaviour_kind));
  if (it.from.value != 0) text += fmt::format(", sequence {}", it.from.value);
  if (it.until.value != 0) text += fmt::format(" until {}", it.until.value);
  if (!it.proof.empty()) text += fmt::format(", {} bytes of evidence", it.proof.size());
  return text;
}

struct text_maker {
  std::string operator()(const run_started& it) const {
    return fmt::format("view {}, executed through sequence {}", it.view.value, it.last_executed.value);
  }
  std::string operator()(const run_stopped&) const { return "cleanly"; }
  std::string operator()(const trail_seal& it) const {
    return fmt::format("stable checkpoint {}, signature {}", it.checkpoint.value, to_hex(it.by.view(), 8));
  }
  std::string operator()(const tail_was_cut& it) const {
    auto text = it.bytes == 0 ? std::string{"removed nothing"}
                              : fmt::format("removed {} incomplete bytes at byte {} of segment {}", it.bytes, it.offset,
                                            it.segment);
    return it.head_was_damaged ? text + "; one part of the head was unreadable" : text;
  }
  std::string operator()(const entries_were_lost& it) const {
    return fmt::format(
        "{} entries since {}: {}", it.entries, utc_text(it.since_us),
        it.reason == loss_reason::overload ? "the disk was too slow for the entries" : "the disk refused the entries");
  }
  std::string operator()(const proposal_noted& it) const {
    return fmt::format("PRE-PREPARE of {}, {}", it.header.content.replica.value, place_text(it.header.content));
  }
  std::string operator()(const vote_noted& it) const {
    return fmt::format("own {}, {}", to_string(it.kind), place_text(it.vote.content));
  }
  std::string operator()(const batch_was_prepared& it) const {
    const auto& header = it.certificate.pre_prepare;
    return fmt::format("{}, PRE-PREPARE of {}, PREPAREs of {}", place_text(header.content),
                       header.content.replica.value, signers_text(it.certificate.prepares));
  }
  std::string operator()(const batch_was_committed& it) const {
    const auto& commits = it.certificate.commits;
    return fmt::format("{}, COMMITs of {}", place_text(commits.front().content), signers_text(commits));
  }
  std::string operator()(const proof_noted& it) const { return proof_text(it); }
  std::string operator()(const primary_suspected& it) const {
    return fmt::format("the primary of view {}: {}", it.view.value, to_string(it.reason));
  }
  std::string operator()(const donor_replaced& it) const {
    return fmt::format("replica {}: {}", it.replica.value, to_string(it.reason));
  }
  std::string operator()(const state_was_installed& it) const {
    return fmt::format("sequence {}, root {}", it.sequence.value, to_hex(it.root.view(), 8));
  }
  std::string operator()(const divergence_found& it) const {
    return fmt::format("own state after sequence {} differs from the certified state", it.sequence.value);
  }
  std::string operator()(const probation_changed& it) const {
    if (it.over) return "over";
    return fmt::format("votes above sequence {}, commits from view {} on", it.floor.value, it.first_view.value);
  }
  std::string operator()(const node_failed& it) const { return shown(it.error.what); }
  std::string operator()(const guard_noted& it) const { return guard_text(it); }
};

struct json_maker {
  json operator()(const run_started& it) const {
    return {{"view", it.view.value}, {"last_executed", it.last_executed.value}};
  }
  json operator()(const run_stopped&) const { return json::object(); }
  json operator()(const trail_seal& it) const {
    return {{"checkpoint", it.checkpoint.value}, {"signature", to_hex(it.by.view())}};
  }
  json operator()(const tail_was_cut& it) const {
    return {{"at_segment", it.segment},
            {"at_offset", it.offset},
            {"bytes", it.bytes},
            {"head_was_damaged", it.head_was_damaged}};
  }
  json operator()(const entries_were_lost& it) const {
    return {{"reason", reason_text(it.reason)}, {"entries", it.entries}, {"since_us", it.since_us}};
  }
  json operator()(const proposal_noted& it) const {
    return certificate_json(statement_fields(it.header.content), signers_json({it.header}, message_kind::pre_prepare));
  }
  json operator()(const vote_noted& it) const {
    return certificate_json(statement_fields(it.vote.content), signers_json({it.vote}, it.kind));
  }
  json operator()(const batch_was_prepared& it) const {
    auto signers = signers_json({it.certificate.pre_prepare}, message_kind::pre_prepare);
    for (auto& each : signers_json(it.certificate.prepares, message_kind::prepare))
      signers.push_back(std::move(each));
    return certificate_json(statement_fields(it.certificate.pre_prepare.content), std::move(signers));
  }
  json operator()(const batch_was_committed& it) const {
    const auto& commits = it.certificate.commits;
    return certificate_json(statement_fields(commits.front().content), signers_json(commits, message_kind::commit));
  }
  json operator()(const proof_noted& it) const { return proof_json(it); }
  json operator()(const primary_suspected& it) const {
    return {{"view", it.view.value}, {"reason", to_string(it.reason)}};
  }
  json operator()(const donor_replaced& it) const {
    return {{"replica", it.replica.value}, {"reason", to_string(it.reason)}};
  }
  json operator()(const state_was_installed& it) const {
    return {{"sequence", it.sequence.value}, {"root", to_hex(it.root.view())}};
  }
  json operator()(const divergence_found& it) const { return {{"sequence", it.sequence.value}}; }
  json operator()(const probation_changed& it) const {
    return {{"floor", it.floor.value}, {"first_view", it.first_view.value}, {"over", it.over}};
  }
  json operator()(const node_failed& it) const {
    return {{"what", shown(it.error.what)}, {"remedy", shown(it.error.remedy)}};
  }
  json operator()(const guard_noted& it) const {
    return {{"about", to_string(it.about)},
            {"misbehaviour_kind", shown(it.misbehaviour_kind)},
            {"from", it.from.value},
            {"until", it.until.value},
            {"proof", to_hex(it.proof)}};
  }
};

}  // namespace

std::string utc_text(std::uint64_t time_us) {
  // A time in a trail may be any number. A time beyond the calendar is shown as the number.
  constexpr std::uint64_t year_10000_us = 253'402'300'800'000'000;
  if (time_us >= year_10000_us) return std::to_string(time_us);
  const auto seconds = static_cast<std::time_t>(time_us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, time_us % 1'000'000);
}

std::string text_of(const audit_event& event) { return std::visit(text_maker{}, event); }

json json_of(const audit_event& event) { return std::visit(json_maker{}, event); }

json json_of(const audit_entry& entry, const audit_event& event, std::uint64_t segment, std::uint64_t offset) {
  return {{"record", "entry"},
          {"index", entry.index},
          {"time_us", entry.time_us},
          {"time", utc_text(entry.time_us)},
          {"kind", to_string(entry.kind)},
          {"fields", json_of(event)},
          {"segment", segment},
          {"offset", offset},
          {"payload", to_hex(entry.payload)},
          {"hash", to_hex(entry.hash.view())}};
}

}  // namespace hypermesh::cli
