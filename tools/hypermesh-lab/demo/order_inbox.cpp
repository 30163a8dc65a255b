#include "tools/hypermesh-lab/demo/order_inbox.hpp"

#include <utility>

namespace hypermesh::lab {

namespace {

order_reply refused(std::string what, std::string remedy) {
  return tl::unexpected(world_error{std::move(what), std::move(remedy)});
}

}  // namespace

order_reply order_inbox::send(const demo_request& request, std::chrono::milliseconds patience) {
  std::unique_lock lock{guard_};
  if (is_closed_) return refused("the demonstration has ended", "start it again");
  if (waiting_.size() >= waiting_max) return refused("too many orders wait", "wait until they are done");
  const auto sent = std::make_shared<order>(request);
  waiting_.push_back(sent);
  replied_.wait_for(lock, patience, [&] { return sent->reply_.has_value() || is_closed_; });
  if (sent->reply_) return *std::move(sent->reply_);
  std::erase(waiting_, sent);
  if (is_closed_) return refused("the demonstration has ended", "start it again");
  return refused("the demonstration did not answer in time", "look at the terminal that started it");
}

std::shared_ptr<order_inbox::order> order_inbox::take() {
  const std::scoped_lock lock{guard_};
  if (waiting_.empty()) return nullptr;
  auto oldest = std::move(waiting_.front());
  waiting_.pop_front();
  return oldest;
}

void order_inbox::reply(const std::shared_ptr<order>& to, order_reply reply) {
  {
    const std::scoped_lock lock{guard_};
    to->reply_ = std::move(reply);
  }
  replied_.notify_all();
}

void order_inbox::close() {
  {
    const std::scoped_lock lock{guard_};
    is_closed_ = true;
    waiting_.clear();
  }
  replied_.notify_all();
}

}  // namespace hypermesh::lab
