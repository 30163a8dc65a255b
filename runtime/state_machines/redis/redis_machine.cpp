#include "runtime/state_machines/redis/redis_machine.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <type_traits>

#include <fmt/format.h>

#include "messages/require.hpp"
#include "runtime/state_machines/machine_results.hpp"
#include "runtime/state_machines/redis/redis_commands.hpp"

namespace hypermesh::machines::redis {

namespace {

/// The bytes of the head of an array with the replies of a transaction, with room to spare.
constexpr std::size_t array_head_bytes = 16;
static_assert(limits::operations_per_request_max * reply_bytes_reserved + limits::result_bytes_max <=
                  limits::reply_bytes_max,
              "the first operation of a request has room for the longest reply");
static_assert(no_room_for_reply.size() <= reply_bytes_reserved);
static_assert(2 * transaction_commands_max * reply_bytes_reserved > limits::result_bytes_max &&
              transaction_commands_max * reply_bytes_reserved < limits::result_bytes_max);

using handler_map = std::map<std::string_view, handler>;

/// The function of each command of the table.
const handler_map& handlers() {
  static const handler_map all = [] {
    handler_map made;
    for (const auto& part :
         {string_handlers(), bit_handlers(), number_handlers(), key_handlers(), expiry_handlers(), scan_handlers(),
          hash_handlers(), list_handlers(), list_edit_handlers(), set_handlers(), set_algebra_handlers(),
          sorted_set_handlers(), sorted_set_range_handlers(), sorted_set_store_handlers()}) {
      for (const auto& each : part)
        require(made.emplace(each.name, each).second, "a command has one handler");
    }
    for (const auto& each : command_table()) {
      const auto found = made.find(each.name);
      require(found != made.end(), "each command has a handler");
      require((found->second.write != nullptr) == each.is_write(), "a handler is of the kind of its command");
      require((found->second.read != nullptr) != each.is_write(), "a handler is of the kind of its command");
    }
    require(made.size() == command_table().size(), "each handler has a command");
    return made;
  }();
  return all;
}

/// Redis shows words up to their first zero, because its error is a text of C.
std::string_view shown(std::string_view word, std::size_t length) {
  return word.substr(0, std::min({length, word.size(), word.find('\0')}));
}

std::string unknown_command(std::span<const std::string> words) {
  constexpr std::size_t shown_max = 128;
  std::string arguments;
  for (std::size_t number = 1; number < words.size() && arguments.size() < shown_max; ++number)
    arguments += fmt::format("'{}' ", shown(words[number], shown_max - arguments.size()));
  return fmt::format("ERR unknown command '{}', with args beginning with: {}", shown(words[0], shown_max), arguments);
}

/// Why the words are no command, or the empty text.
std::string refusal_of(std::span<const std::string> words) {
  const auto* specification = find_command(words.front());
  if (specification == nullptr) return unknown_command(words);
  if (!is_arity_valid(*specification, words.size()))
    return fmt::format("ERR wrong number of arguments for '{}' command", specification->name);
  return {};
}

/// Executes commands one after another, on a keyspace that may be constant. Then only reads are executed.
template <class Keyspace>
struct executor {
  Keyspace& data;
  std::uint64_t content_bytes_max;
  /// The longest reply of the operation: less than `limits::result_bytes_max` if replies before it took the room.
  std::size_t room = limits::result_bytes_max;
  reply_writer reply{room};
  work_budget work{work_budget::units_max_default};
  /// Nothing was executed, because the reply has no room in its request.
  bool has_no_room = false;

  /// Replies with an error if the words are no command that may be executed.
  [[nodiscard]] bool is_refused(std::span<const std::string> words) {
    if (const auto refusal = refusal_of(words); !refusal.empty()) {
      reply.error(refusal);
      return true;
    }
    // A command stores no other bytes than its words and those of the state.
    const auto is_unstorable = [](const std::string& word) { return word.size() > string_bytes_max; };
    if (find_command(words.front())->is_write() && std::ranges::any_of(words, is_unstorable)) {
      reply.error(errors::string_too_long);
      return true;
    }
    const auto places = key_places(words);
    const auto is_too_long = [&](std::size_t place) { return words[place].size() > key_bytes_max; };
    if (std::ranges::none_of(places, is_too_long)) return false;
    reply.error(errors::key_too_long);
    return true;
  }

  /// Writes the reply. If the reply does not fit, nothing is written and nothing is changed.
  [[nodiscard]] bool answers(std::span<const std::string> words) {
    const auto start = reply.size();
    if (!is_refused(words)) call_handler(words);
    if (!reply.is_full()) return true;
    reply.truncate(start);
    return false;
  }

  void call_handler(std::span<const std::string> words) {
    const auto& specification = *find_command(words.front());
    const auto& entry = handlers().at(specification.name);
    if constexpr (std::is_const_v<Keyspace>) {
      require(entry.read != nullptr, "a query only reads");
      entry.read(data, call{words, reply, work});
    } else if (specification.kind == command_kind::growing_write && !has_room_for(words)) {
      reply.error(errors::out_of_memory);
    } else if (specification.is_write()) {
      entry.write(data, call{words, reply, work});
    } else {
      entry.read(data, call{words, reply, work});
    }
  }

  void execute(const command& single) {
    if (answers(single.words)) return;
    has_no_room = room < limits::result_bytes_max;
    if (!has_no_room) reply.error(errors::reply_too_long);
  }

  void execute(const transaction& several) {
    // A transaction cannot stop after some of its commands, so it begins only if the replies fit in any case.
    const auto needed = has_small_replies(several) ? array_head_bytes + several.commands.size() * reply_bytes_reserved
                                                   : limits::result_bytes_max;
    has_no_room = room < needed;
    if (has_no_room) return;
    const auto is_unknown = [](const command& each) { return !refusal_of(each.words).empty(); };
    if (std::ranges::any_of(several.commands, is_unknown)) {
      reply.error("EXECABORT Transaction discarded because of previous errors.");
      return;
    }
    const auto& present = std::as_const(data);
    for (const auto& [key, version] : several.watched) {
      const auto* entry = present.find(key);
      if ((entry == nullptr ? 0 : entry->second.version) == version) continue;
      reply.null();
      return;
    }
    reply.array(several.commands.size());
    auto left = several.commands.size();
    for (const auto& each : several.commands) {
      // What is reserved for the commands behind this one stays free, and so does room for an error of this one.
      --left;
      reply.limit(room - left * reply_bytes_reserved);
      if (!answers(each.words)) reply.error(errors::reply_too_long);
    }
  }

 private:
  [[nodiscard]] bool has_room_for(std::span<const std::string> words) const {
    std::uint64_t needed = data.content_bytes();
    for (const auto& word : words)
      needed += word.size();
    return needed <= content_bytes_max;
  }
};

/// A number that tells operations apart, for choices such as that of SPOP.
std::uint64_t seed_of(const operation_context& context) {
  auto seed = context.sequence.value;
  for (const auto part :
       {std::uint64_t{context.client.value}, context.session.value, context.when.value, std::uint64_t{context.index}})
    seed = seed * 6'364'136'223'846'793'005ULL + part + 1;
  return seed;
}

}  // namespace

redis_machine::redis_machine(std::size_t leaf_bytes_max, std::uint64_t content_bytes_max)
    : data_(leaf_bytes_max), content_bytes_max_(content_bytes_max) {
  (void)handlers();
}

operation_result redis_machine::apply(const operation_context& context, byte_span bytes) {
  // The replicas drop a result beyond this bound. The operation would then be executed, and its reply be lost.
  if (context.index == 0) request_reply_left_ = limits::reply_bytes_max;
  const auto behind = limits::operations_per_request_max - 1 -
                      std::min<std::size_t>(context.index, limits::operations_per_request_max - 1);
  const auto room = request_reply_left_ - std::min(request_reply_left_, behind * reply_bytes_reserved);
  auto result = execute(context, bytes, std::min(room, limits::result_bytes_max));
  request_reply_left_ -= std::min(request_reply_left_, result.payload.size());
  return result;
}

operation_result redis_machine::execute(const operation_context& context, byte_span bytes, std::size_t room) {
  const auto decoded = decode(bytes);
  if (!decoded) return malformed(decoded.error());
  const auto time = context.ordered_time.time_since_epoch().count();
  data_.begin(static_cast<std::uint64_t>(std::max<std::int64_t>(time, 0)), seed_of(context));
  const bool writes = !is_read_only(*decoded);
  if (writes) data_.begin_write();
  if (context.sequence != batch_) {
    batch_ = context.sequence;
    batch_work_left_ = work_budget::batch_units_max;
  }
  const auto units = std::clamp(batch_work_left_, work_budget::units_min, work_budget::units_max_default);
  executor<keyspace> run{
      .data = data_, .content_bytes_max = content_bytes_max_, .room = room, .work = work_budget{units}};
  std::visit([&](const auto& each) { run.execute(each); }, *decoded);
  batch_work_left_ -= std::min(batch_work_left_, units - run.work.left());
  if (writes) data_.end_write();
  if (run.has_no_room) return refused(no_room_for_reply);
  return applied(run.reply.take());
}

operation_result redis_machine::query(byte_span bytes) const {
  const auto decoded = decode(bytes);
  if (!decoded) return malformed(decoded.error());
  if (!is_read_only(*decoded)) return refused("the operation writes; submit it instead of querying");
  executor<const keyspace> run{.data = data_, .content_bytes_max = content_bytes_max_};
  std::visit([&](const auto& each) { run.execute(each); }, *decoded);
  return applied(run.reply.take());
}

}  // namespace hypermesh::machines::redis
