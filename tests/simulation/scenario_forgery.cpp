#include <fmt/format.h>

#include "messages/codec.hpp"
#include "runtime/state_machines/key_value_operations.hpp"
#include "tests/simulation/scenario_names.hpp"
#include "tests/simulation/scenario_stage.hpp"

/// Implements the commands of a scenario that send messages of a faulty replica or client. The messages are signed with
/// its own key and sent over its own link.
namespace hypermesh::testing {

namespace {

replica_id replica_of(const std::string& text) { return replica_id{static_cast<std::uint32_t>(parse_number(text))}; }

message_kind kind_named(const std::string& name) {
  for (auto number = message_kind_first; number <= message_kind_last; ++number) {
    if (to_string(static_cast<message_kind>(number)) == name) return static_cast<message_kind>(number);
  }
  throw script_error{"there is no message " + name};
}

}  // namespace

principal principal_of(const std::string& text) {
  if (text.starts_with('c')) return {principal_kind::client, static_cast<std::uint32_t>(parse_number(text.substr(1)))};
  return principal::of(replica_of(text));
}

byte_vector operation_of(const std::vector<std::string>& words) {
  auto parsed = key_value::parse_operation(words);
  if (!parsed) throw script_error{parsed.error()};
  return std::move(*parsed);
}

void scenario_stage::send_from(principal from, const script_command& command, const frame_ptr& frame) {
  auto receivers = split(command.text("to"), ',');
  if (receivers.empty()) {
    for (std::uint32_t number = 0; number < world().settings().cluster.replicas; ++number) {
      if (principal::of(replica_id{number}) != from) receivers.push_back(fmt::to_string(number));
    }
  }
  for (const auto& each : receivers)
    world().network().send({from, principal_of(each), frame});
}

/// The digest of a batch of the script, a digest that appeared in the output, or a digest that belongs to no batch.
digest scenario_stage::digest_named(const std::string& name) {
  const auto found = batches_.find(name);
  if (found != batches_.end()) {
    const auto value = digest_of_batch(*request_factory::batch_of(found->second));
    names_.define(value, name);
    return value;
  }
  if (const auto seen = names_.find(name)) return *seen;
  const auto made = named_digest(name);
  names_.define(made, name);
  return made;
}

/// A request with the command's c, t and o, signed by the client or by the named signer.
request scenario_stage::request_of(const script_command& command) const {
  const client_id client{static_cast<std::uint32_t>(command.number("client", 0))};
  const auto signer = command.has("signed-by") ? principal_of(command.text("signed-by")) : principal::of(client);
  const auto operation = operation_of(command.words);
  return factory_->request_signed_by(factory_->keys_of(signer), client, timestamp{command.number("t")},
                                     as_text(operation));
}

void scenario_stage::define_batch(const script_command& command) {
  static_cast<void>(world());
  if (command.words.empty()) throw script_error{"batch <name> client= t= <operation>"};
  auto rest = command;
  const auto name = rest.words.front();
  rest.words.erase(rest.words.begin());
  auto& requests = batches_[name];
  requests.push_back(request_of(rest));
  const auto& made = requests.back();
  if (!command.has("signed-by")) checker_->on_request_sent(made.id.client, made);
}

/// The statement that a command describes, signed by `from`. It may claim another signer or another kind.
signed_statement scenario_stage::statement_of(message_kind kind, const script_command& command) {
  const auto from = replica_of(command.text("from"));
  const auto claimed = command.has("as") ? replica_of(command.text("as")) : from;
  const auto signed_kind = command.has("signed-as") ? kind_named(command.text("signed-as")) : kind;
  auto content = factory_->content_of(claimed, view_number{command.number("v", 0)},
                                      sequence_number{command.number("n")}, digest_named(command.text("d")));
  content.epoch = epoch_number{static_cast<std::uint32_t>(command.number("epoch", content.epoch.value))};
  return factory_->signed_by(factory_->keys_of(from), signed_kind, content);
}

void scenario_stage::send_pre_prepare(const script_command& command) {
  const auto header = statement_of(message_kind::pre_prepare, command);
  const auto found = batches_.find(command.text("body", command.text("d")));
  if (found == batches_.end()) throw script_error{"pre-prepare needs a batch that the script made"};
  send_from(principal_of(command.text("from")), command,
            encode_pre_prepare(header, *request_factory::batch_of(found->second)));
}

void scenario_stage::send_vote(message_kind kind, const script_command& command) {
  send_from(principal_of(command.text("from")), command, encode_vote(kind, statement_of(kind, command)));
}

void scenario_stage::send_request(const script_command& command) {
  const auto made = request_of(command);
  send_from(principal_of(command.text("from", fmt::format("c{}", made.id.client.value))), command, reframe(made));
}

/// Sends `count` requests, with timestamps from `first` on.
void scenario_stage::send_requests(const script_command& command) {
  const auto first = command.number("first");
  const auto count = command.number("count");
  for (auto when = first; when < first + count; ++when) {
    auto one = command;
    one.named["t"] = fmt::to_string(when);
    send_request(one);
  }
}

void scenario_stage::send_reply(const script_command& command) {
  reply made;
  const client_id client{static_cast<std::uint32_t>(command.number("client", 0))};
  made.id = {client, timestamp{command.number("t")}};
  made.outcome.append(static_cast<std::uint8_t>(operation_status::applied), as_byte_span(command.text("result")));
  auto addressed = command;
  addressed.named["to"] = fmt::format("c{}", client.value);
  send_from(principal_of(command.text("from")), addressed, encode(made));
}

void scenario_stage::send_chunk(const script_command& command) {
  const state_request asked{sequence_number{command.number("n")}, command.number("index", 0)};
  const auto bytes = to_byte_vector(command.text("bytes", "garbage"));
  const state_chunk_message made{asked, std::make_shared<const byte_vector>(bytes)};
  send_from(principal_of(command.text("from")), command, encode(made));
}

/// Sends a page of the leaves of a state of `count` chunks that no replica has.
void scenario_stage::send_leaves(const script_command& command) {
  const state_request asked{sequence_number{command.number("n")}, command.number("page", 0), state_part::leaves};
  leaf_page page;
  page.chunk_count = command.number("count", 1);
  page.leaves.resize(state_page_size(page.chunk_count, asked.index), named_digest("garbage"));
  if (page.leaves.empty()) throw script_error{"there is no such page"};
  send_from(principal_of(command.text("from")), command, encode(state_chunk_message{asked, std::move(page)}));
}

/// Sends a proof whose votes name `signers` but are all signed by the sender.
void scenario_stage::send_proof(const script_command& command) {
  checkpoint_proof made;
  for (const auto& signer : split(command.text("signers"), ',')) {
    auto vote = command;
    vote.named["as"] = signer;
    made.certificate.votes.push_back(statement_of(message_kind::checkpoint, vote));
  }
  send_from(principal_of(command.text("from")), command, encode(made));
}

}  // namespace hypermesh::testing
