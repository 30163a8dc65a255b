// A machine of a host: accounts with a fixed sum of money. Usage: own_machine CLUSTER, which was made with
// `hypermesh init CLUSTER --host-machine bank`. The class has 45 lines; everything below it only tries it.
#include <charconv>
#include <iostream>
#include <map>
#include <sstream>

#include <hypermesh/consensus_client.hpp>
#include <hypermesh/consensus_manager.hpp>

using namespace hypermesh;

/// "move FROM TO AMOUNT" moves money, "balance NAME" reads. Everybody starts with 100, up to 1,000 accounts. An ordered
/// map and whole numbers, no clock and no randomness: so equal operations give equal states at all replicas.
class bank final : public small_state_machine {
 public:
  [[nodiscard]] std::string_view name() const override { return "bank"; }

  operation_result apply(const operation_context&, byte_span operation) override {
    std::istringstream words{std::string{as_text(operation)}};
    std::string verb, from, to;
    std::uint64_t amount = 0;
    if (!(words >> verb >> from >> to >> amount) || verb != "move") return query(operation);
    if (from.size() > 32 || to.size() > 32 || amount > balance(from)) return refused("not enough money");
    const std::size_t fresh = (from != to && !accounts_.contains(to) ? 1U : 0U) + (accounts_.contains(from) ? 0U : 1U);
    if (accounts_.size() + fresh > 1'000) return refused("too many accounts");
    const auto left = balance(from) - amount;
    accounts_[from] = left;
    accounts_[to] = balance(to) + amount;
    return {operation_status::applied, to_byte_vector(std::to_string(balance(from)))};
  }

  [[nodiscard]] operation_result query(byte_span operation) const override {
    std::istringstream words{std::string{as_text(operation)}};
    std::string verb, who;
    if (!(words >> verb >> who) || verb != "balance") return {operation_status::malformed, to_byte_vector("unknown")};
    return {operation_status::applied, to_byte_vector(std::to_string(balance(who)))};
  }

  [[nodiscard]] byte_vector save() const override {
    std::string text;
    for (const auto& [who, has] : accounts_)
      text += who + ' ' + std::to_string(has) + '\n';
    return to_byte_vector(text);
  }

  [[nodiscard]] or_reason<void> load(byte_span saved) override {
    std::map<std::string, std::uint64_t> accounts;
    std::istringstream lines{std::string{as_text(saved)}};
    std::string who;
    for (std::uint64_t has = 0; lines >> who >> has;)
      accounts[who] = has;
    if (!lines.eof()) return invalid("an account is malformed");
    accounts_ = std::move(accounts);
    return {};
  }

 private:
  [[nodiscard]] std::uint64_t balance(const std::string& who) const {
    const auto found = accounts_.find(who);
    return found == accounts_.end() ? 100 : found->second;
  }
  static operation_result refused(std::string_view why) { return {operation_status::refused, to_byte_vector(why)}; }

  std::map<std::string, std::uint64_t> accounts_;
};

namespace {

int report(const world_error& error) {
  std::cerr << "error: " << error.what << "\nfix: " << error.remedy << '\n';
  return 1;
}

std::string text_of(const submit_outcome& outcome) {
  if (const auto* error = std::get_if<client_error>(&outcome)) return std::string{to_string(*error)};
  return std::string{as_text(std::get<operation_result>(outcome).payload)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::string cluster = argc > 1 ? argv[1] : "cluster";
  std::vector<std::unique_ptr<consensus_manager>> replicas;
  for (int number = 0; number < 4; ++number) {
    auto started = consensus_manager::start({cluster + "/replica-" + std::to_string(number) + "/node.toml"},
                                            std::make_unique<bank>());
    if (!started) return report(started.error());
    replicas.push_back(std::move(*started));
  }
  const auto connected = consensus_client::connect({cluster + "/client-0/client.toml"});
  if (!connected) return report(connected.error());
  auto& client = **connected;
  for (const auto* operation : {"move alice bob 30", "move alice bob 80", "balance bob"}) {
    std::cout << operation << ": " << text_of(client.submit(to_byte_vector(operation)).get()) << std::endl;
  }
}
