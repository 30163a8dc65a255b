#include "tools/hypermesh-lab/guard_memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "actors/ingress.hpp"
#include "actors/protocol/fault_docket.hpp"
#include "messages/codec.hpp"
#include "messages/require.hpp"
#include "tests/support/request_factory.hpp"

namespace hypermesh::lab {

namespace {

constexpr replica_id self{0};
constexpr view_number present{1};

std::uint64_t allocated_bytes() {
  const auto now = mallinfo2();
  return now.uordblks + now.hblkhd;
}

/// A document of that size; what it says is not looked at before it contradicts another one.

/// Makes and fills the parts, one after the other.
class guard_filler {
 public:
  explicit guard_filler(const cluster_parameters& cluster) : make_(cluster), cluster_(cluster) {
    made_.replicas = cluster.replicas;
    made_.clients = cluster.clients;
    made_.window = cluster.watermark_window;
    for (std::uint64_t number = 1; number <= cluster.watermark_window; ++number)
      prepared_.push_back(make_.prepared_of(view_number{0}, sequence_number{number}, testing::named_digest("batch")));
    certificate_bytes_ = view_change_buffer(largest_change(self, present)).size() / prepared_.size();
    // A larger one is not remembered.
    while (!fits(prepared_.size()))
      prepared_.pop_back();
  }

  guard_memory run() {
    const auto keys = make_.keys().of(principal::of(self));
    std::vector<ingress_state> ways;
    count("ways in, empty", [&] {
      for (int number = 0; number < 2; ++number)
        ways.push_back(way_in(keys));
    });
    count("quotas of all senders", [&] { fill_quotas(ways); });
    auto& way = ways.front();
    count("votes, proposals, checkpoints", [&] { fill_votes(way); });
    count("view changes as large as they get", [&] { fill_view_changes(way); });
    count("an opened view", [&] { open_view(way); });
    count("documents of f faulty replicas", [&] { fill_documents(way); });
    fault_docket docket{cluster_, self, *keys};
    count("open cases", [&] { fill_cases(docket); });
    count("complaints of all about all", [&] { fill_ballots(docket); });
    std::unique_ptr<trust_book> book;
    std::unique_ptr<reputation_ledger> ledger;
    count("trust and agreed reputation", [&] {
      book = std::make_unique<trust_book>(cluster_);
      ledger = std::make_unique<reputation_ledger>(cluster_);
    });
    return std::move(made_);
  }

 private:
  void count(std::string name, const std::function<void()>& fill) {
    const auto before = allocated_bytes();
    fill();
    const auto after = allocated_bytes();
    made_.parts.push_back({std::move(name), after - std::min(before, after)});
  }

  [[nodiscard]] ingress_state way_in(const std::shared_ptr<const authenticator>& keys) const {
    ingress_state made;
    made.identity = {cluster_, self, keys};
    made.filter = std::make_unique<early_filter>(cluster_);
    made.check_shares = std::make_unique<check_quota>(cluster_);
    made.checks = std::make_shared<const validator>(cluster_, *keys);
    made.watch = std::make_unique<statement_watch>(cluster_, *made.checks);
    replica_position at;
    at.view = present;
    at.high = sequence_number{cluster_.watermark_window};
    made.filter->on_position(at);
    made.watch->on_position(at);
    return made;
  }

  template <class Visitor>
  void for_each_other(Visitor visit) const {
    for (std::uint32_t number = 1; number < cluster_.replicas; ++number)
      visit(replica_id{number});
  }

  /// Whether a VIEW-CHANGE with so many certificates may be shown.
  [[nodiscard]] bool fits(std::size_t certificates) const {
    return (certificates + 1) * certificate_bytes_ < limits::exhibit_bytes_max;
  }

  void fill_quotas(std::vector<ingress_state>& ways) {
    const message costly = make_.view_change_of(replica_id{1}, present, nullptr, {});
    for (auto& way : ways) {
      for_each_other([&](replica_id each) {
        (void)way.frames.admit(principal::of(each), 0);
        (void)way.quota.admit(principal::of(each), costly, 0);
      });
      for (std::uint32_t number = 0; number < cluster_.clients; ++number)
        (void)way.quota.admit(principal::of(client_id{number}), costly, 0);
    }
  }

  void fill_votes(ingress_state& way) {
    const auto value = testing::named_digest("batch");
    for (const auto view : {present, present.next()}) {
      for (std::uint64_t number = 1; number <= cluster_.watermark_window; ++number) {
        const sequence_number sequence{number};
        const auto proposal = make_.pre_prepare_of(view, sequence, make_.batch_number(number));
        (void)way.watch->on_message(proposal.header.content.replica, proposal);
        way.filter->note_passed(proposal);
        for_each_other([&](replica_id each) {
          const auto content = make_.content_of(each, view, sequence, value);
          const message prepared = prepare{make_.signed_as(message_kind::prepare, content)};
          const message committed = commit{make_.signed_as(message_kind::commit, content)};
          for (const auto* vote : {&prepared, &committed}) {
            (void)way.watch->on_message(each, *vote);
            way.filter->note_passed(*vote);
          }
        });
      }
    }
    for (std::uint64_t number = 1; number <= cluster_.watermark_window; ++number) {
      if (!cluster_.is_checkpoint(sequence_number{number})) continue;
      for_each_other([&](replica_id each) {
        (void)way.watch->on_message(each, make_.checkpoint_of(each, sequence_number{number}, value));
      });
    }
  }

  [[nodiscard]] view_change largest_change(replica_id of, view_number view) const {
    return make_.view_change_of(of, view, nullptr, prepared_);
  }

  void fill_view_changes(ingress_state& way) {
    for_each_other([&](replica_id each) {
      const message value = largest_change(each, present);
      (void)way.watch->on_message(each, value);
      way.filter->note_passed(value);
    });
  }

  void open_view(ingress_state& way) {
    std::vector<view_change> changes;
    for (std::uint32_t number = 1; number <= cluster_.group().quorum(); ++number)
      changes.push_back(largest_change(replica_id{number}, present.next()));
    const auto frame = encode_of(make_.new_view_of(present.next(), std::move(changes)));
    auto decoded = decode(frame);
    const auto* value = std::get_if<message>(&decoded);
    require(value != nullptr, "the largest NEW-VIEW is one");
    (void)way.watch->on_message(std::get<new_view>(*value).replica, *value);
    (void)way.watch->on_verified(*value);
  }

  static frame_ptr encode_of(const new_view& value) {
    return seal(message_kind::new_view, new_view_buffer(value), value.by);
  }

  void fill_documents(ingress_state& way) {
    const auto last_view = view_number{present.value + cluster_.replicas};
    for (std::uint32_t count = 1; count <= cluster_.group().faulty_max(); ++count) {
      const replica_id faulty{cluster_.replicas - count};
      // Only what it really signed is remembered.
      (void)way.watch->on_message(faulty, largest_change(faulty, last_view));
    }
  }

  void fill_ballots(fault_docket& docket) {
    const sequence_number period{cluster_.checkpoint_period};
    for_each_other([&](replica_id from) {
      for (std::uint32_t about = 0; about < cluster_.replicas; ++about) {
        for (std::uint8_t why = 1; why <= grievance_last; ++why) {
          const auto content =
              complaint_of(from, replica_id{about}, static_cast<grievance>(why), period, cluster_.signing.epoch);
          (void)docket.on_complaint(make_.signed_as(message_kind::complaint, content), 0);
        }
        const auto pardon = pardon_of(from, replica_id{about}, period, cluster_.signing.epoch);
        (void)docket.on_pardon(make_.signed_as(message_kind::pardon, pardon), 0);
      }
    });
  }

  /// Two VIEW-CHANGEs of one replica for one view, as long as they may be shown.
  void fill_cases(fault_docket& docket) {
    auto many = prepared_;
    while (fits(many.size() + 1))
      many.push_back(prepared_.front());
    const std::vector fewer(many.begin(), many.end() - 1);
    for (std::uint32_t number = 1; number < cluster_.replicas && docket.open_cases() < fault_docket::open_max;
         ++number) {
      for (std::uint64_t view = 1; view <= fault_docket::open_per_accused_max; ++view) {
        const auto one = make_.view_change_of(replica_id{number}, view_number{view}, nullptr, many);
        const auto other = make_.view_change_of(replica_id{number}, view_number{view}, nullptr, fewer);
        (void)docket.on_found(
            {{exhibit{message_kind::view_change, one.raw}, exhibit{message_kind::view_change, other.raw}}}, 0);
      }
    }
    require(docket.open_cases() == fault_docket::open_max, "as many cases are open as may be");
  }

  testing::request_factory make_;
  cluster_parameters cluster_;
  std::vector<prepared_certificate> prepared_;
  std::size_t certificate_bytes_ = 0;
  guard_memory made_;
};

}  // namespace

std::uint64_t guard_memory::bytes() const {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& each) { return sum + each.bytes; });
}

guard_memory measure_guard_memory(std::uint32_t nodes) {
  const auto replicas = std::min(nodes - 1, limits::replicas_max);
  const auto window = std::min(256U, watermark_window_max_of(group_size{replicas})) / 2 * 2;
  return guard_filler{testing::small_cluster(replicas, nodes - replicas, window / 2, window)}.run();
}

}  // namespace hypermesh::lab
