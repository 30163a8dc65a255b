#include "tools/hypermesh/gateway/gateway_core.hpp"

#include <algorithm>
#include <utility>

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
  if (of.input_has_ended && of.may_go_on() && of.again.empty() && of.connection->can_advance()) of.connection->close();
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
  if (is_stopping_) {
    refuse_again(of);
    return false;
  }
  for (std::size_t count = 0; count < settings_.turn_commands; ++count) {
    // Its results give it a turn again.
    if (!of.may_go_on()) return false;
    if (!packer_.has_room()) return true;
    if (!of.again.empty()) {
      // The client reads the replies before more of them are made.
      if (of.connection->output().size() >= settings_.output_bytes_max) return false;
      send_again(of);
      continue;
    }
    if (of.copies_bytes >= settings_.copies_bytes_max) return false;
    auto wanted = of.connection->advance(now);
    if (!wanted) return false;
    // A command that needs two operations is WATCH, whose reads belong together.
    const bool is_alone = wanted->size() == 1;
    // The operations of one WATCH are sent together, so they exceed the window by the keys of one command at most.
    for (auto& each : *wanted)
      submit(of, number, std::move(each), is_alone);
  }
  return true;
}

/// Whether the operation may be a read that is not ordered.
bool gateway_core::may_stay_unordered(const entry& of, const packed_operation& operation) const {
  // In a pipeline, bundles of ordered reads are cheaper than single reads one after the other.
  if (!operation.is_read_only || of.in_flight > 0 || of.connection->has_input()) return false;
  // A random choice follows the last operation of the order, so it would not change between reads.
  if (operation.name.find("rand") != std::string::npos) return false;
  const auto age_max = settings_.time_age_max;
  if (!time_known_at_ || now_ - *time_known_at_ > age_max) return false;
  // One read in half of this time is ordered before all of them would have to be.
  return now_ - ordered_at_ <= age_max / 2;
}

void gateway_core::submit(entry& of, connection_number number, wanted_operation wanted, bool is_alone) {
  packed_operation packed;
  packed.connection = number;
  packed.reply = wanted.reply;
  packed.part = wanted.part;
  packed.name = std::move(wanted.name);
  packed.is_read_only = wanted.is_read_only;
  packed.bytes = wanted.bytes.size();
  packed.returns_data = wanted.returns_data;
  if (wanted.may_have_no_room) packed.copy = wanted.bytes;
  packed.is_unordered = is_alone && may_stay_unordered(of, packed);
  of.copies_bytes += packed.copy.size();
  send(of, std::move(packed), std::move(wanted.bytes));
}

void gateway_core::send(entry& of, packed_operation operation, byte_vector bytes) {
  // A full bundle of smaller replies has room for all of them.
  const auto sure_bytes = settings_.flight_reply_bytes_max / limits::operations_per_request_max;
  operation.reply_bytes = packer_.expected_reply_of(operation.name);
  operation.is_awaited = operation.is_unordered || (operation.returns_data && operation.reply_bytes > sure_bytes);
  operation.sent_at = now_;
  if (!operation.is_unordered) ordered_at_ = now_;
  statistics_.unordered_reads += operation.is_unordered ? 1U : 0U;
  ++of.in_flight;
  of.awaited += operation.is_awaited ? 1U : 0U;
  ++statistics_.operations;
  const bool is_unordered = operation.is_unordered;
  const auto token = packer_.add(std::move(operation));
  effects_.submissions.push_back({token, std::move(bytes), is_unordered});
}

void gateway_core::send_again(entry& of) {
  auto next = std::move(of.again.front());
  of.again.pop_front();
  next.is_unordered = false;
  if (!of.connection->awaits(next.reply)) {
    // Nobody reads the reply, so the operation must not take anything out of the database.
    of.copies_bytes -= next.copy.size();
    return;
  }
  ++statistics_.replies_repeated;
  auto bytes = next.copy;
  send(of, std::move(next), std::move(bytes));
}

/// Ends the commands that wait to be sent again.
void gateway_core::refuse_again(entry& of) {
  const operation_result unexecuted{operation_status::refused, to_byte_vector(machines::redis::no_room_for_reply)};
  for (const auto& each : std::exchange(of.again, {})) {
    of.copies_bytes -= each.copy.size();
    if (of.connection->awaits(each.reply)) of.connection->on_outcome(each.reply, each.part, unexecuted);
  }
}

/// Gives the outcome to the connection, or holds the operation if it was not executed.
void gateway_core::conclude(entry& of, packed_operation operation, const submit_outcome& outcome) {
  require(of.in_flight > 0, "an operation with a result was in flight");
  --of.in_flight;
  of.awaited -= operation.is_awaited ? 1U : 0U;
  const auto* const result = std::get_if<operation_result>(&outcome);
  if (result != nullptr && !operation.is_unordered) {
    time_known_at_ = std::max(time_known_at_.value_or(operation.sent_at), operation.sent_at);
  }
  const bool is_unexecuted = result != nullptr && result->status == operation_status::refused &&
                             as_text(result->payload) == machines::redis::no_room_for_reply;
  const bool is_dropped = result != nullptr && result->status == operation_status::result_too_large;
  // A read whose reply was dropped is asked again if no later command was sent, because it sees the state at its new
  // place.
  const bool is_asked_again =
      is_dropped && !operation.was_dropped && operation.is_read_only && of.connection->is_newest(operation.reply);
  if (is_unexecuted || is_dropped) {
    packer_.note_too_large(operation.name);
  } else if (result != nullptr) {
    packer_.note_reply(operation.name, result->payload.size());
  }
  if ((is_unexecuted || is_asked_again) && !operation.copy.empty()) {
    operation.was_dropped |= is_dropped;
    of.held.push_back(std::move(operation));
  } else {
    of.copies_bytes -= operation.copy.size();
    of.executed = std::max(of.executed.value_or(0), operation.reply);
    of.connection->on_outcome(operation.reply, operation.part, outcome);
  }
  if (of.in_flight == 0) settle_held(of);
}

/// Sends the operations again that were not executed, in their order. One before an operation that was executed would
/// come too late, so its command ends with an error.
void gateway_core::settle_held(entry& of) {
  const operation_result unexecuted{operation_status::refused, to_byte_vector(machines::redis::no_room_for_reply)};
  std::ranges::sort(of.held, {}, [](const packed_operation& each) { return std::pair{each.reply, each.part}; });
  for (auto& each : std::exchange(of.held, {})) {
    const bool is_late = of.executed && each.reply < *of.executed;
    if (!is_late) {
      of.again.push_back(std::move(each));
      continue;
    }
    of.copies_bytes -= each.copy.size();
    if (of.connection->awaits(each.reply)) of.connection->on_outcome(each.reply, each.part, unexecuted);
  }
}

void gateway_core::on_outcome(std::uint64_t token, const submit_outcome& outcome, moment now) {
  auto operation = packer_.take(token);
  const auto connection = operation.connection;
  if (auto* const of = find(connection)) {
    conclude(*of, std::move(operation), outcome);
    effects_.changed.insert(connection);
    turns_.add(connection, now);
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
    refuse_again(*of);
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
    refuse_again(each);
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
  const auto cluster = cluster_lines(cluster_ ? &*cluster_ : nullptr, now_);
  return info_text(section, {identity_, settings_, statistics_, load, cluster});
}

}  // namespace hypermesh::cli
