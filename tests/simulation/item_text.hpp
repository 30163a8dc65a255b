#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "actors/protocol/client/client_core.hpp"
#include "messages/expected.hpp"
#include "tests/support/simulated_world.hpp"

/// The items of a plan as text: words, and fields as `name=value`. Every value has one text, and reading this text
/// gives the same value.
namespace hypermesh::testing {

/// The directions in which a partition cuts its links.
enum class link_cut : std::uint8_t { both, outbound, inbound };

/// The content of the disk of a replica's second machine when it starts.
enum class copied_disk : std::uint8_t { empty, same };

/// The machine of a replica that ends for good.
enum class leaving_machine : std::uint8_t { none, first, second };

/// What an adversary does when its fault ends.
enum class adversary_end : std::uint8_t { leaves, stays };

/// The name of a strategy, or of a combination of strategies.
struct strategy_names {
  std::string text;

  friend bool operator==(const strategy_names&, const strategy_names&) = default;
};

[[nodiscard]] std::string text_of(std::uint32_t number);
/// Returns for example "1234.567ms": a time with microseconds, in the format of traces. Times are not negative.
[[nodiscard]] std::string text_of(duration time);
[[nodiscard]] std::string text_of(moment time);
[[nodiscard]] std::string text_of(replica_id id);
/// Returns for example "state-transfer".
[[nodiscard]] std::string text_of(node_part part);
[[nodiscard]] std::string text_of(link_cut cut);
[[nodiscard]] std::string text_of(write_fate fate);
[[nodiscard]] std::string text_of(disk_trouble trouble);
[[nodiscard]] std::string text_of(copied_disk disk);
[[nodiscard]] std::string text_of(leaving_machine machine);
[[nodiscard]] std::string text_of(adversary_end end);
[[nodiscard]] std::string text_of(const strategy_names& names);
/// Returns for example "0" for a replica, "c0" for a client.
[[nodiscard]] std::string text_of(principal who);
/// Returns for example "0,2b,c1": replicas, second machines of replicas, and clients.
[[nodiscard]] std::string text_of(const std::set<endpoint>& members);

/// Returns false when `text` is not such a value; `value` is then undefined.
[[nodiscard]] bool read(std::string_view text, std::uint32_t& value);
[[nodiscard]] bool read(std::string_view text, duration& value);
[[nodiscard]] bool read(std::string_view text, moment& value);
[[nodiscard]] bool read(std::string_view text, replica_id& value);
[[nodiscard]] bool read(std::string_view text, client_id& value);
[[nodiscard]] bool read(std::string_view text, node_part& value);
[[nodiscard]] bool read(std::string_view text, link_cut& value);
[[nodiscard]] bool read(std::string_view text, write_fate& value);
[[nodiscard]] bool read(std::string_view text, disk_trouble& value);
[[nodiscard]] bool read(std::string_view text, copied_disk& value);
[[nodiscard]] bool read(std::string_view text, leaving_machine& value);
[[nodiscard]] bool read(std::string_view text, adversary_end& value);
[[nodiscard]] bool read(std::string_view text, strategy_names& value);
[[nodiscard]] bool read(std::string_view text, principal& value);
[[nodiscard]] bool read(std::string_view text, std::set<endpoint>& value);

/// Visits the fields of an item and writes each as ` name=value`.
class field_writer {
 public:
  template <class Value>
  void operator()(std::string_view name, const Value& value) {
    text_ += " " + std::string{name} + "=" + text_of(value);
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

/// Visits the fields of an item and reads each from words `name=value`, in any order.
class field_reader {
 public:
  explicit field_reader(std::span<const std::string> words);

  template <class Value>
  void operator()(std::string_view name, Value& value) {
    const auto found = values_.find(name);
    if (found == values_.end()) return complain("has no " + std::string{name});
    if (!read(found->second, value)) complain("has a wrong " + std::string{name});
    values_.erase(found);
  }

  /// The problem after all fields were visited: a field that is missing, wrong or unknown.
  [[nodiscard]] or_reason<void> outcome() const;

 private:
  void complain(std::string what);

  std::map<std::string, std::string, std::less<>> values_;
  std::string error_;
};

}  // namespace hypermesh::testing
