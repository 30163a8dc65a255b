#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tools/hypermesh-lab/demo/control_server.hpp"
#include "tools/hypermesh-lab/demo/demo_session.hpp"

namespace hypermesh::lab {

/// A demonstration and the page that shows and controls it. Use it from the main thread.
class demo_stage {
 public:
  using clock = demo_session::clock;
  using outcome = demo_session::outcome;

  demo_stage(demo_session& session, cli::interruption& stop, cli::run_narrator& narrator)
      : session_(&session), stop_(&stop), narrator_(&narrator) {}

  /// Starts the cluster and the page, and prints the addresses. Unless `takes_orders`, the page only shows.
  [[nodiscard]] outcome open(bool takes_orders);

  /// Lets a viewer cause faults with keys and with the buttons of the page, or with the buttons only, until it quits.
  [[nodiscard]] outcome play(bool has_keys);
  /// Causes each fault once, waits for the effect of each, and for `pause` after it.
  [[nodiscard]] outcome follow_script(std::chrono::milliseconds pause);

  /// Ends all faults, ends the load, and compares the states. The sentence says what was found.
  [[nodiscard]] cli::or_run_failure<std::string> end(bool& is_right);
  /// Tells the page that asked for the end what was found, and lets the reply leave.
  void reply_to_quit(const order_reply& found);

 private:
  /// Waits until `reached`, looking at the cluster meanwhile, but not after `until`.
  [[nodiscard]] outcome watch(clock::time_point until, const std::function<bool()>& reached);
  [[nodiscard]] outcome cause(const demo_request& wanted, const std::function<bool()>& reached,
                              std::string_view effect);
  [[nodiscard]] outcome look();
  /// Carries out the orders of pages. True if one of them ends the demonstration.
  [[nodiscard]] bool carry_out_orders(std::string& message);
  [[nodiscard]] outcome play_on_terminal();
  [[nodiscard]] outcome play_on_page();
  [[nodiscard]] demo_picture picture() const;

  demo_session* session_;
  cli::interruption* stop_;
  cli::run_narrator* narrator_;
  bool takes_orders_ = true;
  order_inbox orders_;
  std::unique_ptr<control_server> server_;
  /// The order of the page that ended the demonstration.
  std::shared_ptr<order_inbox::order> quit_;
};

}  // namespace hypermesh::lab
