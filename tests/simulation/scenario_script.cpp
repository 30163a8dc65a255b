#include "tests/simulation/scenario_script.hpp"

#include <charconv>
#include <sstream>

namespace hypermesh::testing {

std::string script_command::text(const std::string& argument, std::string otherwise) const {
  const auto found = named.find(argument);
  return found == named.end() ? std::move(otherwise) : found->second;
}

std::uint64_t script_command::number(const std::string& argument, std::optional<std::uint64_t> otherwise) const {
  const auto found = named.find(argument);
  if (found != named.end()) return parse_number(found->second);
  if (!otherwise) throw script_error{name + " needs " + argument + "="};
  return *otherwise;
}

script_command parse_command(const std::string& line) {
  script_command command;
  std::istringstream stream{line};
  stream >> command.name;
  for (std::string word; stream >> word;) {
    const auto equals = word.find('=');
    if (equals == std::string::npos) {
      command.words.push_back(word);
    } else {
      command.named[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return command;
}

std::uint64_t parse_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) throw script_error{"\"" + text + "\" is no number"};
  return value;
}

duration parse_duration(const std::string& text) {
  const auto unit = text.find_first_not_of("0123456789");
  const auto name = unit == std::string::npos ? std::string{} : text.substr(unit);
  const auto value = parse_number(text.substr(0, unit));
  if (name == "us") return value * 1us;
  if (name == "ms") return value * 1ms;
  if (name == "s") return value * 1s;
  throw script_error{"\"" + text + "\" is no duration: use us, ms or s"};
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

std::string run_script(const std::string& script, const block_runner& run) {
  std::istringstream stream{script};
  std::string result;
  std::vector<script_command> commands;
  bool in_output = false;
  for (std::string line; std::getline(stream, line);) {
    if (in_output) {
      // The old expected output is skipped. An empty line ends it.
      if (!line.empty()) continue;
      in_output = false;
    }
    result += line + "\n";
    if (line == "----") {
      auto output = run(commands);
      result += output.empty() ? "ok\n" : output;
      commands.clear();
      in_output = true;
    } else if (!line.empty() && line.front() != '#') {
      commands.push_back(parse_command(line));
    }
  }
  if (!commands.empty()) result += "----\nthe block has no \"----\"\n";
  return result;
}

}  // namespace hypermesh::testing
