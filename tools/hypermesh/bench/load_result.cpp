#include "tools/hypermesh/bench/load_result.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace hypermesh::cli {

namespace {

/// The mean of two means, weighted by numbers of operations.
double joined_mean(double left, std::uint64_t left_count, double right, std::uint64_t right_count) {
  const auto count = left_count + right_count;
  if (count == 0) return 0;
  return (left * static_cast<double>(left_count) + right * static_cast<double>(right_count)) /
         static_cast<double>(count);
}

}  // namespace

std::uint64_t load_result::failed() const {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : failures)
    sum += count;
  return sum;
}

void load_result::fail(const std::string& reason, std::uint64_t count) {
  const bool is_known = failures.contains(reason) || failures.size() < failure_names_max;
  failures[is_known ? reason : failures.begin()->first] += count;
}

void load_result::add(const load_result& other) {
  operation_bytes = joined_mean(operation_bytes, latency.count(), other.operation_bytes, other.latency.count());
  result_bytes = joined_mean(result_bytes, latency.count(), other.result_bytes, other.latency.count());
  latency.add(other.latency);
  reads += other.reads;
  reads_ordered += other.reads_ordered;
  intended += other.intended;
  answered_in_time += other.answered_in_time;
  late_us_max = std::max(late_us_max, other.late_us_max);
  for (const auto& [name, count] : other.failures)
    fail(name, count);
}

std::string text_of(const load_result& result) {
  const auto numbers = result.latency.numbers();
  nlohmann::json json;
  json["buckets"] = numbers.buckets;
  json["sum"] = numbers.sum;
  json["max"] = numbers.max;
  json["reads"] = result.reads;
  json["reads_ordered"] = result.reads_ordered;
  json["intended"] = result.intended;
  json["answered_in_time"] = result.answered_in_time;
  json["failures"] = result.failures;
  json["late_us_max"] = result.late_us_max;
  json["operation_bytes"] = result.operation_bytes;
  json["result_bytes"] = result.result_bytes;
  return json.dump();
}

or_reason<load_result> read_load_result(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    latency_recorder::content numbers;
    json.at("buckets").get_to(numbers.buckets);
    json.at("sum").get_to(numbers.sum);
    json.at("max").get_to(numbers.max);
    auto latency = latency_recorder::of(numbers);
    if (!latency) return failure_of(latency);
    load_result result;
    result.latency = *latency;
    json.at("reads").get_to(result.reads);
    json.at("reads_ordered").get_to(result.reads_ordered);
    json.at("intended").get_to(result.intended);
    json.at("answered_in_time").get_to(result.answered_in_time);
    json.at("failures").get_to(result.failures);
    json.at("late_us_max").get_to(result.late_us_max);
    json.at("operation_bytes").get_to(result.operation_bytes);
    json.at("result_bytes").get_to(result.result_bytes);
    return result;
  } catch (const nlohmann::json::exception&) {
    return invalid("the text is no result of a load process");
  }
}

}  // namespace hypermesh::cli
