#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "actors/protocol/base/observations.hpp"
#include "tests/support/message_line.hpp"
#include "tests/support/simulated_network.hpp"

namespace hypermesh::testing {

/// Gives digests short names in the order in which they appear: d1, d2, and so on. Names that a script gave are kept.
class digest_names {
 public:
  void define(const digest& value, const std::string& name) { names_[value] = name; }
  [[nodiscard]] std::string of(const digest& value);
  /// The digest to which the script gave this name.
  [[nodiscard]] std::optional<digest> find(const std::string& name) const;

 private:
  std::map<digest, std::string> names_;
  std::size_t next_ = 1;
};

/// The events of one block of a script in short form. Equal messages to several receivers become one line, and so do
/// equal events at several replicas. Pure.
class scenario_transcript {
 public:
  scenario_transcript(digest_names& names, std::uint32_t replicas) : names_(names), replicas_(replicas) {}

  /// Prints only these kinds of messages; if the set is empty, all kinds are printed.
  void show_only(std::set<std::string> kinds) { shown_ = std::move(kinds); }
  void show_none() { shown_ = {"none"}; }
  /// While this is set, nothing is printed.
  void mute(bool on) { muted_ = on; }

  void delivered(const frame_transit& transit);
  void observed(replica_id replica, const observation& what);
  void said(std::string line);
  /// Adds an event of one replica. Equal lines of several replicas are merged.
  void said_of(replica_id replica, const std::string& line);

  /// Returns the lines so far and begins the next block.
  [[nodiscard]] std::string take();

 private:
  /// One line of the transcript, and the members that it is about.
  struct entry {
    std::string text;
    std::set<principal> from;
    std::set<principal> to;
    std::set<replica_id> at;
  };

  [[nodiscard]] std::string line_of(const entry& told) const;
  [[nodiscard]] std::string receivers(const entry& told) const;
  void merge_senders();

  digest_names& names_;
  std::uint32_t replicas_;
  std::set<std::string> shown_;
  bool muted_ = false;
  std::vector<entry> entries_;
};

}  // namespace hypermesh::testing
