#include "tests/support/message_line.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

namespace hypermesh::testing {

namespace {

std::string id_text(request_id id) {
  if (id.session == session_id{0}) return fmt::format("c={} t={}", id.client.value, id.when.value);
  return fmt::format("c={} s={} t={}", id.client.value, id.session.value, id.when.value);
}

std::string replicas_text(const std::vector<signed_statement>& statements) {
  std::string text;
  for (const auto& each : statements) {
    text += fmt::format("{}{}", text.empty() ? "" : ",", each.content.replica.value);
  }
  return text;
}

/// Writes the part of a line after the kind.
struct line_writer {
  const digest_namer& name;

  std::string operator()(const request& value) const {
    return fmt::format("{} operations={} bytes={}", id_text(value.id), value.operation_count(),
                       value.operations.size());
  }

  std::string operator()(const pre_prepare& value) const {
    const auto& body = *value.body;
    const auto system = body.system_requests.empty() ? "" : fmt::format(" system={}", body.system_requests.size());
    const auto ms = body.proposed_time.time_since_epoch().count();
    const auto time = ms == 0 ? "" : fmt::format(" time={}", ms);
    return fmt::format("{} requests={}{}{}", vote(value.header), body.requests.size(), system, time);
  }

  std::string operator()(const prepare& value) const { return vote(value.vote); }
  std::string operator()(const commit& value) const { return vote(value.vote); }

  std::string operator()(const checkpoint& value) const {
    const auto& content = value.vote.content;
    return fmt::format("n={} d={} from={}", content.sequence.value, name(content.value), content.replica.value);
  }

  std::string operator()(const reply& value) const {
    static constexpr std::string_view statuses[] = {"executed", "stale_timestamp", "overloaded", "session_ended"};
    static_assert(std::size(statuses) == static_cast<std::size_t>(reply_status_last) + 1);
    return fmt::format("{} v={} {} results={}", id_text(value.id), value.view.value,
                       statuses[static_cast<std::size_t>(value.outcome.status)], value.outcome.statuses.size());
  }

  std::string operator()(const view_change& value) const {
    std::string prepared;
    for (const auto& each : value.prepared)
      prepared += fmt::format(" {}", place(each.pre_prepare.content));
    return fmt::format("v={} h={} C={{{}}} P={{{}}} from={}", value.new_view.value, value.stable_sequence.value,
                       replicas_text(value.stable_proof.votes), prepared.empty() ? "" : prepared.substr(1),
                       value.replica.value);
  }

  std::string operator()(const new_view& value) const {
    std::string senders;
    for (const auto& each : value.view_changes) {
      senders += fmt::format("{}{}", senders.empty() ? "" : ",", each.replica.value);
    }
    std::string reproposals;
    for (const auto& each : value.reproposals) {
      const auto& content = each.content;
      reproposals +=
          fmt::format("{}n={} d={}", reproposals.empty() ? "" : " ", content.sequence.value, name(content.value));
    }
    return fmt::format("v={} V={{{}}} O={{{}}}", value.view.value, senders, reproposals);
  }

  std::string operator()(const status& value) const {
    std::string slots;
    for (const auto& each : value.slots) {
      slots += each.committed ? 'c' : each.prepared ? 'p' : each.has_pre_prepare ? 'b' : '-';
    }
    return fmt::format("v={}{} h={} decided={} slots={} from={}", value.view.value, value.active ? "" : " waiting",
                       value.low_watermark.value, value.last_decided.value, slots, value.replica.value);
  }

  std::string operator()(const checkpoint_proof& value) const {
    return fmt::format("n={} voters={{{}}}", value.certificate.sequence().value,
                       replicas_text(value.certificate.votes));
  }

  std::string operator()(const state_request& value) const { return part(value); }

  std::string operator()(const state_chunk_message& value) const {
    static constexpr std::string_view refusals[] = {"none", "not_held", "busy"};
    static_assert(std::size(refusals) == static_cast<std::size_t>(state_refusal_last) + 1);
    if (const auto* page = std::get_if<leaf_page>(&value.content)) {
      return fmt::format("{} leaves={}/{}", part(value.wanted), page->leaves.size(), page->chunk_count);
    }
    if (const auto* why = std::get_if<state_refusal>(&value.content)) {
      return fmt::format("{} refused={}", part(value.wanted), refusals[static_cast<std::size_t>(*why)]);
    }
    const auto& chunk = std::get<std::shared_ptr<const byte_vector>>(value.content);
    return fmt::format("{} bytes={}", part(value.wanted), chunk->size());
  }

  std::string operator()(const suspicion& value) const {
    return fmt::format("v={} from={}", value.vote.content.view.value, value.vote.content.replica.value);
  }

  std::string operator()(const query& value) const {
    return fmt::format("{} bytes={}{}", id_text(value.id), value.operation.size(),
                       value.is_linearizable ? " linearizable" : "");
  }

  std::string operator()(const query_reply& value) const {
    return fmt::format("{} executed={} status={} bytes={}", id_text(value.id), value.last_executed.value, value.status,
                       value.result.size());
  }

  std::string operator()(const complaint& value) const {
    const auto& content = value.vote.content;
    return fmt::format("against={} why={} n={} from={}", content.view.value,
                       std::to_integer<unsigned>(content.value.bytes.front()), content.sequence.value,
                       content.replica.value);
  }

  std::string operator()(const release& value) const {
    const auto& content = value.vote.content;
    return fmt::format("of={} n={} from={}", content.view.value, content.sequence.value, content.replica.value);
  }

  std::string operator()(const readmission& value) const {
    const auto& content = value.vote.content;
    return fmt::format("of={} n={} from={}", content.view.value, content.sequence.value, content.replica.value);
  }

  std::string operator()(const hand_over& value) const {
    const auto& content = value.vote.content;
    return fmt::format("v={} why={} from={}", content.view.value,
                       std::to_integer<unsigned>(content.value.bytes.front()), content.replica.value);
  }

  std::string operator()(const evidence& value) const {
    std::string shown;
    for (const auto& each : value.items)
      shown += fmt::format("{}{}", shown.empty() ? "" : ",", to_string(each.kind));
    return shown;
  }

  std::string operator()(const system_request& value) const {
    return fmt::format("case={} {}", value.name.value, (*this)(*value.shown));
  }

  std::string operator()(const vouch& value) const {
    std::string text = fmt::format("requests={}", value.requests.size());
    for (const auto& each : value.requests)
      text += fmt::format(", {} d={}", id_text(each.id), name(each.content));
    return text;
  }

  std::string operator()(const node_query& value) const { return id_text(value.id); }

  std::string operator()(const receipt_query& value) const {
    return fmt::format("{} index={}", id_text(value.id), value.index);
  }

  std::string operator()(const receipt_reply& value) const {
    if (!value.share) return fmt::format("{} none", (*this)(value.asked));
    const auto& place = value.share->place;
    return fmt::format("{} n={} d={} request={}/{}", (*this)(value.asked), place.sequence.value, name(place.batch),
                       place.request_index, place.request_count);
  }

  std::string operator()(const node_report& value) const {
    return fmt::format("v={} h={} executed={} root={} from={}", value.view.value, value.low_watermark.value,
                       value.last_executed.value, name(value.state_root), value.replica.value);
  }

 private:
  static std::string part(const state_request& value) {
    const std::string_view what = value.part == state_part::leaves ? "page" : "index";
    return fmt::format("n={} {}={}", value.sequence.value, what, value.index);
  }

  [[nodiscard]] std::string place(const statement& content) const {
    return fmt::format("v={} n={} d={}", content.view.value, content.sequence.value, name(content.value));
  }

  [[nodiscard]] std::string vote(const signed_statement& value) const {
    return fmt::format("{} from={}", place(value.content), value.content.replica.value);
  }
};

}  // namespace

std::string short_name(const digest& value) { return to_hex(value.view(), 4); }

std::string to_line(const message& value, const digest_namer& name) {
  return fmt::format("{} {}", to_string(kind_of(value)), std::visit(line_writer{name}, value));
}

}  // namespace hypermesh::testing
