#include "tools/hypermesh/gateway/gateway_core.hpp"

#include <fmt/format.h>

#include "messages/require.hpp"
#include "tools/hypermesh/gateway/info_text.hpp"

namespace hypermesh::cli {

gateway_core::gateway_core(gateway_settings settings, gateway_identity identity, moment now)
    : settings_(std::move(settings)), identity_(std::move(identity)), started_(now), now_(now), packer_(settings_) {
  require(settings_.flight_operations_max > 0 && settings_.turn_commands > 0, "a gateway can send an operation");
}

gateway_core::entry* gateway_core::find(connection_number number) {
  const auto found = connections_.find(number);
  return found == connections_.end() ? nullptr : &found->second;
}

std::optional<connection_number> gateway_core::on_accepted(const std::string& address, moment now) {
  now_ = now;
  if (connections_.size() >= settings_.connections_max || is_stopping_) {
    ++statistics_.connections_refused;
    return std::nullopt;
  }
  ++statistics_.connections;
  const auto number = next_++;
  connections_.emplace(number, entry{std::make_unique<gateway_connection>(number, address, *this, now)});
  return number;
}

void gateway_core::on_bytes(connection_number connection, std::string_view bytes, moment now) {
  now_ = now;
  statistics_.bytes_in += bytes.size();
  auto* const of = find(connection);
  if (of == nullptr) return;
  of->connection->feed(bytes);
  turns_.add(connection, now);
  go_on(now);
}

void gateway_core::on_written(connection_number connection, std::size_t bytes, moment now) {
  statistics_.bytes_out += bytes;
  auto* const of = find(connection);
  require(of != nullptr && bytes <= of->connection->output().size(), "what was written was there");
  of->connection->output().erase(0, bytes);
  turns_.add(connection, now);
  go_on(now);
}

void gateway_core::on_closed(connection_number connection) { connections_.erase(connection); }

void gateway_core::on_input_ended(connection_number connection, moment now) {
  auto* const of = find(connection);
  if (of == nullptr) return;
  of->input_has_ended = true;
  turns_.add(connection, now);
  go_on(now);
}

/// A client that has closed its half of the connection still gets the replies to what it has sent.
void gateway_core::note_end_of_input(entry& of) {
  if (of.input_has_ended && of.connection->can_advance()) of.connection->close();
}

void gateway_core::go_on(moment now) {
  now_ = now;
  while (packer_.has_room()) {
    const auto number = turns_.take();
    if (!number) return;
    auto* const of = find(*number);
    if (of == nullptr) continue;
    if (take_turn(*of, *number, now)) {
      turns_.add(*number, now);
    } else {
      note_end_of_input(*of);
    }
    effects_.changed.insert(*number);
  }
}

bool gateway_core::take_turn(entry& of, connection_number number, moment now) {
  if (is_stopping_) return false;
  for (std::size_t count = 0; count < settings_.turn_commands; ++count) {
    if (!packer_.has_room()) return true;
    auto wanted = of.connection->advance(now);
    if (!wanted) return false;
    // The operations of one WATCH are sent together, so they exceed the window by the keys of one command at most.
    for (auto& each : *wanted)
      submit(number, std::move(each));
  }
  return true;
}

void gateway_core::submit(connection_number number, wanted_operation wanted) {
  packed_operation packed{
      number, wanted.reply, wanted.part, std::move(wanted.name), wanted.is_read_only, wanted.bytes.size(), 0, {}};
  packed.reply_bytes = packer_.expected_reply_of(packed.name);
  if (packed.is_read_only) packed.copy = wanted.bytes;
  ++statistics_.operations;
  const auto token = packer_.add(std::move(packed));
  effects_.submissions.push_back({token, std::move(wanted.bytes)});
}

/// Whether the operation is sent again, because its reply did not fit the reply of its bundle. This is right only for a
/// read, and only if no later command of the connection was sent, because the read sees the state at its new place.
bool gateway_core::repeats(packed_operation& operation, const submit_outcome& outcome) {
  const auto* const result = std::get_if<operation_result>(&outcome);
  if (result == nullptr) return false;
  if (result->status != operation_status::result_too_large) {
    packer_.note_reply(operation.name, result->payload.size());
    return false;
  }
  packer_.note_too_large(operation.name);
  const auto* const of = find(operation.connection);
  // The machine bounds each reply, so a read that was repeated once fits.
  const bool was_alone = operation.reply_bytes >= settings_.flight_reply_bytes_max;
  if (of == nullptr || operation.copy.empty() || was_alone || !of->connection->is_newest(operation.reply)) return false;
  ++statistics_.replies_repeated;
  auto bytes = operation.copy;
  // Nothing else is sent until it has its reply.
  operation.reply_bytes = settings_.flight_reply_bytes_max;
  const auto token = packer_.add(std::move(operation));
  effects_.submissions.push_back({token, std::move(bytes)});
  return true;
}

void gateway_core::on_outcome(std::uint64_t token, const submit_outcome& outcome, moment now) {
  auto operation = packer_.take(token);
  if (!repeats(operation, outcome)) {
    if (auto* const of = find(operation.connection)) {
      of->connection->on_outcome(operation.reply, operation.part, outcome);
      effects_.changed.insert(operation.connection);
      turns_.add(operation.connection, now);
    }
  }
  go_on(now);
}

void gateway_core::on_tick(moment now) {
  now_ = now;
  for (auto& [number, each] : connections_) {
    if (each.connection->is_known() || now - each.connection->since() < settings_.sign_in_patience) continue;
    each.connection->close();
    effects_.changed.insert(number);
  }
  // A command that waited for its turn this long is not sent any more. Those behind it waited less, but the cluster
  // does not answer them either.
  while (const auto number = turns_.take_if_since(now - settings_.patience)) {
    auto* const of = find(*number);
    if (of == nullptr) continue;
    while (of->connection->refuse_next(now)) {
    }
    note_end_of_input(*of);
    effects_.changed.insert(*number);
  }
  go_on(now);
}

void gateway_core::on_stop(moment now) {
  now_ = now;
  is_stopping_ = true;
  for (auto& [number, each] : connections_) {
    each.connection->close();
    effects_.changed.insert(number);
  }
}

bool gateway_core::wants_input(connection_number connection) const {
  const auto found = connections_.find(connection);
  return found != connections_.end() && !found->second.input_has_ended && found->second.connection->wants_input();
}

std::string_view gateway_core::output(connection_number connection) {
  auto* const of = find(connection);
  return of == nullptr ? std::string_view{} : std::string_view{of->connection->output()};
}

bool gateway_core::is_complete(connection_number connection) const {
  const auto found = connections_.find(connection);
  return found == connections_.end() || found->second.connection->is_complete();
}

std::string gateway_core::client_list() const {
  std::string lines;
  for (const auto& [number, each] : connections_)
    lines += each.connection->line(now_) + "\n";
  return lines;
}

std::string gateway_core::info(std::string_view section) const {
  const gateway_load load{connections_.size(), packer_.operations(), packer_.bytes(),
                          std::chrono::duration_cast<std::chrono::seconds>(now_ - started_).count()};
  return info_text(section, identity_, settings_, statistics_, load);
}

}  // namespace hypermesh::cli
