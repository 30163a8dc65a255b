// A counter on four replicas in one process. Usage: counter CLUSTER, which `hypermesh init` made.
#include <hypermesh/consensus_client.hpp>
#include <hypermesh/consensus_manager.hpp>
#include <iostream>
using namespace hypermesh;

struct counter final : small_state_machine {
  std::uint64_t count = 0;
  [[nodiscard]] std::string_view name() const override { return "counter"; }
  operation_result apply(const operation_context&, byte_span operation) override {
    if (as_text(operation) == "add") ++count;
    return query(operation);
  }
  [[nodiscard]] operation_result query(byte_span) const override { return {operation_status::applied, save()}; }
  [[nodiscard]] byte_vector save() const override { return to_byte_vector(std::to_string(count)); }
  [[nodiscard]] or_reason<void> load(byte_span saved) override {
    count = std::stoull(std::string{as_text(saved)});
    return {};
  }
};

int main(int argc, char** argv) {
  const std::string cluster = argc > 1 ? argv[1] : "cluster";
  std::vector<std::unique_ptr<consensus_manager>> replicas;
  for (int number = 0; number < 4; ++number) {
    auto started = consensus_manager::start({cluster + "/replica-" + std::to_string(number) + "/node.toml"},
                                            std::make_unique<counter>());
    if (!started) return std::cerr << started.error().what << "; fix: " << started.error().remedy << '\n', 1;
    replicas.push_back(std::move(*started));
  }
  auto client = consensus_client::connect({cluster + "/client-0/client.toml"});
  if (!client) return std::cerr << client.error().what << "; fix: " << client.error().remedy << '\n', 1;
  for (int times = 0; times < 3; ++times) {
    const auto outcome = (*client)->submit(to_byte_vector("add")).get();
    if (const auto* error = std::get_if<client_error>(&outcome)) return std::cerr << to_string(*error) << '\n', 1;
    std::cout << as_text(std::get<operation_result>(outcome).payload) << std::endl;
  }
}
