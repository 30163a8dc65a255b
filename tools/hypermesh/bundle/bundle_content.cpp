#include "tools/hypermesh/bundle/bundle_content.hpp"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace hypermesh::cli {

void bundle_content::add(std::string name, std::string what, std::string_view text) {
  if (text.size() > bundle_file_bytes_max || bytes_ + text.size() > bundle_bytes_max) {
    return miss(std::move(name), std::move(what), "it is too large for a bundle");
  }
  auto content = filter_.clean(text);
  // The filter removed every known secret. If one is left, that is a fault of the filter, and the file stays out.
  if (filter_.has_secret(content)) return miss(std::move(name), std::move(what), "a secret could not be removed");
  bytes_ += content.size();
  rows_.push_back({name, filter_.clean(what), content.size(), {}});
  entries_.push_back({std::move(name), std::move(content)});
}

void bundle_content::miss(std::string name, std::string what, std::string_view why) {
  rows_.push_back({std::move(name), filter_.clean(what), 0, filter_.clean(why)});
}

or_reason<std::string> bundle_content::packed(std::string_view folder, std::uint64_t time_s) const {
  std::vector<archive_entry> all;
  const std::string parent{folder};
  all.push_back(
      {parent + "/manifest.json", json_of(rows_).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"});
  for (const auto& each : entries_)
    all.push_back({parent + "/" + each.name, each.content});
  return gzip_of(tar_of(all, time_s));
}

nlohmann::ordered_json json_of(const std::vector<bundle_row>& rows) {
  auto files = nlohmann::ordered_json::array();
  auto missing = nlohmann::ordered_json::array();
  for (const auto& each : rows) {
    if (each.missing.empty()) {
      files.push_back({{"name", each.name}, {"bytes", each.bytes}, {"what", each.what}});
    } else {
      missing.push_back({{"name", each.name}, {"what", each.what}, {"why", each.missing}});
    }
  }
  return {{"files", files}, {"missing", missing}};
}

}  // namespace hypermesh::cli
