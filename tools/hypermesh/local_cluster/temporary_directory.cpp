#include "tools/hypermesh/local_cluster/temporary_directory.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

namespace hypermesh::cli {

or_error<std::unique_ptr<temporary_directory>> temporary_directory::make() {
  std::error_code failed;
  const auto parent = std::filesystem::temp_directory_path(failed);
  if (failed)
    return tl::unexpected(world_error{"no directory for temporary files was found", "set TMPDIR to a directory"});
  auto name = (parent / "hypermesh-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    return tl::unexpected(
        world_error{fmt::format("cannot create a directory in {}: {}", parent.string(), std::strerror(errno)),
                    "set TMPDIR to a writable directory"});
  }
  return std::unique_ptr<temporary_directory>{new temporary_directory{name}};
}

temporary_directory::~temporary_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hypermesh::cli
