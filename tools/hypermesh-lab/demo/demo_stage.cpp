#include "tools/hypermesh-lab/demo/demo_stage.hpp"

#include <unistd.h>

#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tools/hypermesh/terminal/console.hpp"
#include "tools/hypermesh/terminal/live_screen.hpp"

namespace hypermesh::lab {

namespace {

using outcome = demo_stage::outcome;

constexpr std::chrono::milliseconds look_interval{500};
constexpr std::chrono::milliseconds key_patience{150};
/// The longest time until a step of the script has its effect.
constexpr std::chrono::seconds step_patience{90};
/// The time in which the last reply reaches its page.
constexpr std::chrono::milliseconds reply_time{300};
/// So many further answers show that the group orders operations. They are more than the operations in flight.
constexpr std::uint64_t progress = 32;
/// A group that answers nothing for so long stands still.
constexpr std::chrono::seconds standstill{3};

cli::run_failure failure(std::string what, std::string remedy) {
  return {cli::exit_code::failed, {std::move(what), std::move(remedy)}};
}

const tl::unexpected interrupted{cli::run_failure{cli::exit_code::interrupted, {"interrupted", ""}}};

std::string text_of(const order_reply& reply) {
  return reply ? *reply : fmt::format("{}; {}", reply.error().what, reply.error().remedy);
}

}  // namespace

outcome demo_stage::open(bool takes_orders) {
  takes_orders_ = takes_orders;
  const auto begin = clock::now();
  if (auto done = session_->start(); !done) return done;
  auto started = control_server::start(orders_);
  if (!started) return tl::unexpected(cli::run_failure{cli::exit_code::failed, started.error()});
  server_ = std::move(*started);
  if (auto done = look(); !done) return done;
  narrator_->step("the first operation is committed", std::chrono::duration<double>(clock::now() - begin).count());
  const auto now = picture();
  cli::say(now.load);
  cli::say(fmt::format("page with buttons: {}", now.control_page));
  for (const auto& each : now.replicas) {
    if (!each.page.empty()) cli::say(fmt::format("page of replica {}: {}", each.number, each.page));
  }
  return {};
}

demo_picture demo_stage::picture() const {
  auto now = session_->picture();
  now.control_page = server_->address();
  now.takes_orders = takes_orders_;
  return now;
}

outcome demo_stage::look() {
  if (auto done = session_->look(); !done) return done;
  const auto page = session_->page_to_show();
  server_->publish(panel_json(picture()), page ? page->port : std::uint16_t{0});
  return {};
}

bool demo_stage::carry_out_orders(std::string& message) {
  while (const auto order = orders_.take()) {
    if (!takes_orders_) {
      orders_.reply(order, tl::unexpected(world_error{"the demonstration follows its script",
                                                      "start it without --script, or with --buttons"}));
      continue;
    }
    if (order->request().action == demo_action::quit) {
      quit_ = order;
      return true;
    }
    auto reply = session_->cause(order->request());
    message = text_of(reply);
    // The page asks for the state as soon as it has the reply.
    server_->publish(panel_json(picture()), session_->page_to_show().value_or(links::replica_address{}).port);
    orders_.reply(order, std::move(reply));
  }
  return false;
}

outcome demo_stage::play(bool has_keys) { return has_keys ? play_on_terminal() : play_on_page(); }

outcome demo_stage::play_on_terminal() {
  cli::live_screen screen;
  const auto style = cli::text_style::of(STDOUT_FILENO);
  std::string message;
  auto next = clock::now();
  while (!carry_out_orders(message)) {
    if (clock::now() >= next) {
      if (auto done = look(); !done) return done;
      next = clock::now() + look_interval;
    }
    screen.show(terminal_text(picture(), message, style));
    const auto key = screen.wait_for_key(key_patience);
    if (stop_->requested() || (key && *key == cli::interrupt_key)) return interrupted;
    const auto action = key ? action_of(*key) : std::nullopt;
    if (action == demo_action::quit) break;
    if (action) message = text_of(session_->cause({*action, {}}));
  }
  return {};
}

outcome demo_stage::play_on_page() {
  std::string message;
  std::string last;
  auto next = clock::now();
  while (!carry_out_orders(message)) {
    if (message != last) cli::say(message);
    last = message;
    if (clock::now() >= next) {
      if (auto done = look(); !done) return done;
      next = clock::now() + look_interval;
    }
    if (stop_->wait(key_patience / 3)) return interrupted;
  }
  return {};
}

outcome demo_stage::watch(clock::time_point until, const std::function<bool()>& reached) {
  std::string unused;
  do {
    if (auto done = look(); !done) return done;
    (void)carry_out_orders(unused);
    if (reached()) return {};
    if (auto done = session_->cluster().wait_until(clock::now() + look_interval / 5); !done) return done;
  } while (clock::now() < until);
  return {};
}

outcome demo_stage::cause(const demo_request& wanted, const std::function<bool()>& reached, std::string_view effect) {
  const auto begin = clock::now();
  // A look may find that a replica is late again, so that no further fault is possible yet.
  const auto is_possible = [&] { return decide(wanted, session_->facts()).has_value(); };
  if (auto watched = watch(begin + step_patience, is_possible); !watched) return watched;
  const auto done = session_->cause(wanted);
  if (!done) return tl::unexpected(cli::run_failure{cli::exit_code::failed, done.error()});
  if (auto watched = watch(begin + step_patience, reached); !watched) return watched;
  if (!reached()) {
    return tl::unexpected(failure(fmt::format("{}, but not within {} s: {}", *done, step_patience.count(), effect),
                                  "run it again with less load on this machine; if the error returns, report it"));
  }
  narrator_->step(fmt::format("{}: {}", *done, effect), std::chrono::duration<double>(clock::now() - begin).count());
  return {};
}

outcome demo_stage::follow_script(std::chrono::milliseconds pause) {
  const auto view = [this] { return session_->cluster().view_in(session_->reports()); };
  const auto first = view();
  std::uint64_t answered = 0;
  const auto is_whole = [this] { return session_->facts().is_whole; };
  // The others must commit operations while one replica is away. Those that were in progress do not count.
  const auto goes_on = [&] { return session_->cluster().load().answered() > answered + progress; };
  // In two halves nothing commits, and no half decides anything. Replies that were on their way do not count.
  const auto stands = [this, since = std::optional<std::pair<std::uint64_t, clock::time_point>>{}]() mutable {
    const auto count = session_->cluster().load().answered();
    if (!since || since->first != count) since = {count, clock::now()};
    return clock::now() - since->second > standstill;
  };
  struct step {
    demo_action action;
    std::function<bool()> reached;
    std::string_view effect;
  };
  const std::vector<step> steps = {
      {demo_action::kill, [&] { return view() > first && goes_on(); }, "a new primary leads"},
      {demo_action::heal, is_whole, "the old primary is back"},
      {demo_action::pause, goes_on, "the others continue without it"},
      {demo_action::heal, is_whole, "all replicas answer"},
      {demo_action::cut_off, goes_on, "the others continue without it"},
      {demo_action::heal, is_whole, "it has caught up"},
      {demo_action::split, stands, "no half has a quorum, so nothing is ordered"},
      {demo_action::heal, [&] { return goes_on() && is_whole(); }, "the group continues"},
      {demo_action::lose_disk, is_whole, "the learner is readmitted"},
      {demo_action::heal, [] { return true; }, "no replica is faulty"},
      {demo_action::lie, [this] { return session_->is_liar_convicted(); }, "the liar is convicted"}};
  // Before the first fault, there is time to open a page.
  if (auto done = watch(clock::now() + pause, [] { return false; }); !done) return done;
  for (const auto& each : steps) {
    answered = session_->cluster().load().answered();
    if (auto done = cause({each.action, {}}, each.reached, each.effect); !done) return done;
    if (auto done = watch(clock::now() + pause, [] { return false; }); !done) return done;
  }
  return {};
}

cli::or_run_failure<std::string> demo_stage::end(bool& is_right) {
  // A replica that is still away would be missing in the comparison. One that lied or lost its disk returns as a
  // learner, which votes some time later.
  if (session_->facts().is_harmed()) {
    const auto until = clock::now() + step_patience;
    if (auto done = watch(until, [this] { return session_->cause({demo_action::heal, {}}).has_value(); }); !done)
      return failure_of(done);
  }
  if (auto done = watch(clock::now() + step_patience, [this] { return session_->facts().is_whole; }); !done)
    return failure_of(done);
  // The client of the load may wait some seconds before it dials a replica again that was away.
  if (auto done = session_->cluster().open_observer(); !done) return failure_of(done);
  const auto verdict = session_->cluster().finish();
  if (!verdict) return failure_of(verdict);
  is_right = verdict->is_right();
  return fmt::format("{} operations, {} with a wrong result, {} without an answer; the states of all replicas are {}",
                     cli::grouped(verdict->acknowledged), verdict->wrong_results, verdict->failed,
                     verdict->roots_are_equal ? "equal" : "different");
}

void demo_stage::reply_to_quit(const order_reply& found) {
  if (!quit_) return;
  orders_.reply(quit_, found);
  std::this_thread::sleep_for(reply_time);
}

}  // namespace hypermesh::lab
