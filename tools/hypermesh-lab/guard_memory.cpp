#include "tools/hypermesh-lab/guard_memory.hpp"

#include <malloc.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>

#include "actors/protocol/admission/inbound_pipeline.hpp"
#include "actors/protocol/guard/evidence_pool.hpp"
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

/// The parts of an `inbound_pipeline` that keep data, as separate members.
struct pipeline_parts {
  pipeline_parts(const cluster_parameters& cluster, const authenticator& keys)
      : checks(cluster, keys), filter(cluster), budget(cluster), detector(cluster, checks) {
    replica_position at;
    at.view = present;
    at.high = sequence_number{cluster.watermark_window};
    filter.on_position(at);
    detector.on_position(at);
  }

  validator checks;
  pre_verification_filter filter;
  verification_budget budget;
  costly_message_limit costly;
  frame_rate_limit frames;
  equivocation_detector detector;
};

/// Constructs and fills the parts, one after another.
class guard_filler {
 public:
  explicit guard_filler(const cluster_parameters& cluster) : make_(cluster), cluster_(cluster) {
    made_.replicas = cluster.replicas;
    made_.clients = cluster.clients;
    made_.window = cluster.watermark_window;
    for (std::uint64_t number = 1; number <= cluster.watermark_window; ++number)
      prepared_.push_back(make_.prepared_of(view_number{0}, sequence_number{number}, testing::named_digest("batch")));
    certificate_bytes_ = view_change_buffer(largest_change(self, present)).size() / prepared_.size();
    // The detector does not keep a VIEW-CHANGE that is larger than this.
    while (!fits(prepared_.size()))
      prepared_.pop_back();
  }

  guard_memory run() {
    const auto keys = make_.keys().of(principal::of(self));
    std::vector<std::unique_ptr<pipeline_parts>> ways;
    count("inbound pipelines, empty", [&] {
      for (int number = 0; number < 2; ++number)
        ways.push_back(std::make_unique<pipeline_parts>(cluster_, *keys));
    });
    count("quotas of all senders", [&] { fill_quotas(ways); });
    auto& way = *ways.front();
    count("votes, proposals, checkpoints", [&] { fill_votes(way); });
    count("view changes of the maximum size", [&] { fill_view_changes(way); });
    count("an opened view", [&] { open_view(way); });
    count("documents of f faulty replicas", [&] { fill_documents(way); });
    evidence_pool pool{cluster_, self, *keys};
    count("evidence pool", [&] { fill_cases(pool); });
    count("complaints of all replicas about all others", [&] { fill_group_requests(pool); });
    std::unique_ptr<peer_trust> book;
    std::unique_ptr<reputation_ledger> ledger;
    count("trust and agreed reputation", [&] {
      book = std::make_unique<peer_trust>(cluster_);
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

  template <class Visitor>
  void for_each_other(Visitor visit) const {
    for (std::uint32_t number = 1; number < cluster_.replicas; ++number)
      visit(replica_id{number});
  }

  /// Whether a VIEW-CHANGE with this many certificates fits into an evidence item.
  [[nodiscard]] bool fits(std::size_t certificates) const {
    return (certificates + 1) * certificate_bytes_ < limits::evidence_item_bytes_max;
  }

  void fill_quotas(const std::vector<std::unique_ptr<pipeline_parts>>& ways) {
    const message costly = make_.view_change_of(replica_id{1}, present, nullptr, {});
    for (const auto& way : ways) {
      for_each_other([&](replica_id each) {
        (void)way->frames.admit(principal::of(each), moment{});
        (void)way->costly.admit(principal::of(each), costly, moment{});
      });
      for (std::uint32_t number = 0; number < cluster_.clients; ++number)
        (void)way->costly.admit(principal::of(client_id{number}), costly, moment{});
    }
  }

  void fill_votes(pipeline_parts& way) {
    const auto value = testing::named_digest("batch");
    for (const auto view : {present, present.next()}) {
      for (std::uint64_t number = 1; number <= cluster_.watermark_window; ++number) {
        const sequence_number sequence{number};
        const auto proposal = make_.pre_prepare_of(view, sequence, make_.batch_number(number));
        (void)way.detector.on_message(proposal.header.content.replica, proposal);
        way.filter.note_passed(proposal);
        for_each_other([&](replica_id each) {
          const auto content = make_.content_of(each, view, sequence, value);
          const message prepared = prepare{make_.signed_as(message_kind::prepare, content)};
          const message committed = commit{make_.signed_as(message_kind::commit, content)};
          for (const auto* vote : {&prepared, &committed}) {
            (void)way.detector.on_message(each, *vote);
            way.filter.note_passed(*vote);
          }
        });
      }
    }
    for (std::uint64_t number = 1; number <= cluster_.watermark_window; ++number) {
      if (!cluster_.is_checkpoint(sequence_number{number})) continue;
      for_each_other([&](replica_id each) {
        (void)way.detector.on_message(each, make_.checkpoint_of(each, sequence_number{number}, value));
      });
    }
  }

  [[nodiscard]] view_change largest_change(replica_id of, view_number view) const {
    return make_.view_change_of(of, view, nullptr, prepared_);
  }

  void fill_view_changes(pipeline_parts& way) {
    for_each_other([&](replica_id each) {
      const auto change = std::make_shared<const view_change>(largest_change(each, present));
      remember(way, item_of(change));
      way.filter.note_passed(*change);
    });
  }

  void open_view(pipeline_parts& way) {
    std::vector<view_change> changes;
    for (std::uint32_t number = 1; number <= cluster_.group().quorum(); ++number)
      changes.push_back(largest_change(replica_id{number}, present.next()));
    const auto frame = encode_of(make_.new_view_of(present.next(), std::move(changes)));
    auto decoded = decode(frame);
    require(decoded.has_value(), "the largest NEW-VIEW decodes as a message");
    const auto opened = std::make_shared<const new_view>(std::move(std::get<new_view>(*decoded)));
    const auto own = remember(way, item_of(opened));
    const auto verified = way.checks.verify_new_view(principal::of(opened->replica), opened, own);
    (void)way.detector.on_opened(verified.value());
  }

  /// The detector sees only documents with a genuine signature.
  static std::optional<authentic_item> remember(pipeline_parts& way, evidence_item document) {
    auto own = way.checks.authenticate(std::move(document));
    require(own.has_value(), "the named replica has signed the document");
    (void)way.detector.on_document(*own);
    return own;
  }

  static frame_ptr encode_of(const new_view& value) {
    return seal(message_kind::new_view, new_view_buffer(value), value.by);
  }

  void fill_documents(pipeline_parts& way) {
    const auto last_view = view_number{present.value + cluster_.replicas};
    for (std::uint32_t count = 1; count <= cluster_.group().faulty_max(); ++count) {
      const replica_id faulty{cluster_.replicas - count};
      // The detector keeps only documents with a valid signature.
      remember(way, item_of(std::make_shared<const view_change>(largest_change(faulty, last_view))));
    }
  }

  void fill_group_requests(evidence_pool& evidence_pool) {
    const sequence_number period{cluster_.checkpoint_period};
    for_each_other([&](replica_id from) {
      for (std::uint32_t about = 0; about < cluster_.replicas; ++about) {
        for (std::uint8_t why = 1; why <= complaint_reason_last; ++why) {
          const auto content =
              complaint_of(from, replica_id{about}, static_cast<complaint_reason>(why), period, cluster_.signing.epoch);
          (void)evidence_pool.on_complaint(make_.signed_as(message_kind::complaint, content), moment{});
        }
        const auto release = release_of(from, replica_id{about}, period, cluster_.signing.epoch);
        (void)evidence_pool.on_release(make_.signed_as(message_kind::release, release), moment{});
      }
    });
  }

  /// Opens cases with two VIEW-CHANGEs of one replica for one view. Each VIEW-CHANGE is as long as an evidence item may
  /// be.
  void fill_cases(evidence_pool& evidence_pool) {
    auto many = prepared_;
    while (fits(many.size() + 1))
      many.push_back(prepared_.front());
    const std::vector fewer(many.begin(), many.end() - 1);
    for (std::uint32_t number = 1; number < cluster_.replicas && evidence_pool.open_cases() < evidence_pool::open_max;
         ++number) {
      for (std::uint64_t view = 1; view <= evidence_pool::open_per_accused_max; ++view) {
        const auto one = make_.view_change_of(replica_id{number}, view_number{view}, nullptr, many);
        const auto other = make_.view_change_of(replica_id{number}, view_number{view}, nullptr, fewer);
        (void)evidence_pool.on_found(
            {{item_of(std::make_shared<const view_change>(one)), item_of(std::make_shared<const view_change>(other))}},
            moment{});
      }
    }
    require(evidence_pool.open_cases() == evidence_pool::open_max, "the pool has as many open cases as its bound");
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
