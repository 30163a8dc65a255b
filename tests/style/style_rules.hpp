#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// The rules of the repository that a machine can check. Each rule is a pure function from the files to the violations.
namespace hypermesh::style {

/// A file: its path from the top of the repository, with `/`, and its text.
struct source_file {
  std::string path;
  std::string text;
};

/// All files of the repository, without dot-folders and build/.
using source_tree = std::vector<source_file>;

struct violation {
  std::string path;
  /// The line, counted from 1; 0 when the whole file or folder is meant.
  std::size_t line = 0;
  /// Describes the fault and the correction.
  std::string reason;

  friend bool operator==(const violation&, const violation&) = default;
};

using violations = std::vector<violation>;

inline constexpr std::size_t file_lines_max = 500;
inline constexpr std::size_t function_lines_max = 70;

/// Includes follow the order `schemas (generated) <- messages <- actors/protocol <- actors <- runtime <- tools`. The
/// public headers in runtime/include may be included from everywhere, and include only the standard library,
/// tl::expected and each other; those in hypermesh/caf also CAF.
[[nodiscard]] violations check_includes(const source_tree& tree);
/// Some words may not occur in some places: clocks in the protocol, left-over marks, sleeping, and so on.
[[nodiscard]] violations check_tokens(const source_tree& tree);
/// No file is longer than file_lines_max, and no function is longer than function_lines_max.
[[nodiscard]] violations check_sizes(const source_tree& tree);
/// The top level contains only what the design allows, and each folder there has a README.md.
[[nodiscard]] violations check_layout(const source_tree& tree);
/// C++ and schema files, and the folders they are in, have snake_case names.
[[nodiscard]] violations check_names(const source_tree& tree);

/// Each attack of the design that the product withstands is named by a test case.
[[nodiscard]] violations check_attacks(const source_tree& tree);

/// Applies to each enum of the product whose values are used as numbers: it has an underlying type, or a number is cast
/// to it. Such an enum has a constant `<name>_last` in the same file that names its last enumerator. So a table that is
/// sized by this constant, or a check against it, cannot be forgotten when an enumerator is added.
[[nodiscard]] violations check_enums(const source_tree& tree);

/// Each file of `actors/protocol` is in a room, and rooms include each other only along the arrows of the README. The
/// README gives the sizes of the rooms. The rooms that an auditor of safety reads have at most 5,000 code lines.
[[nodiscard]] violations check_rooms(const source_tree& tree);

/// The files of a folder stand in the namespace of the folder. Only what hosts use stands directly in `hypermesh`.
[[nodiscard]] violations check_namespaces(const source_tree& tree);

/// Each folder with code has a README.md.
[[nodiscard]] violations check_readmes(const source_tree& tree);

/// Each attack, invariant, requirement and section of a paper that a file cites is defined in THREATS.md, INVARIANTS.md
/// or PROTOCOL.md, and each test that THREATS.md names exists.
[[nodiscard]] violations check_citations(const source_tree& tree);

/// The least share of comment lines in the sources of a room of `actors/protocol`, in percent of all lines.
inline constexpr std::size_t comment_percent_min = 15;
/// Rooms with fewer lines of sources are exempt from this rule.
inline constexpr std::size_t comment_rule_lines_min = 150;

/// Words that were replaced by words of the field must not be used again.
[[nodiscard]] violations check_words(const source_tree& tree);

/// The sources of each room of `actors/protocol` have enough comments: comment_percent_min.
[[nodiscard]] violations check_comments(const source_tree& tree);

using rule = violations (*)(const source_tree&);

struct named_rule {
  std::string_view name;
  rule check;
};

inline constexpr named_rule all_rules[] = {
    {"includes", check_includes},     {"tokens", check_tokens}, {"sizes", check_sizes},
    {"layout", check_layout},         {"names", check_names},   {"attacks", check_attacks},
    {"enums", check_enums},           {"rooms", check_rooms},   {"readmes", check_readmes},
    {"citations", check_citations},   {"words", check_words},   {"comments", check_comments},
    {"namespaces", check_namespaces},
};

}  // namespace hypermesh::style
