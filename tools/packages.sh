# Shared by tools/check, tools/demo and tools/mutants, which source it. Lists the packages of the build on Debian 12 and
# 13.
packages=(
  g++ cmake ninja-build ccache pkgconf patch curl
  libcaf-dev libsodium-dev libflatbuffers-dev flatbuffers-compiler libexpected-dev libfmt-dev
  libcli11-dev libtomlplusplus-dev nlohmann-json3-dev librocksdb-dev
  libmicrohttpd-dev libgnutls28-dev prometheus-cpp-dev zlib1g-dev
  doctest-dev librapidcheck-dev libbenchmark-dev
)

say() { printf '==> %s\n' "$*" >&2; }

# fail <what failed> <what to do>
fail() {
  printf '==> FAILED: %s\n    %s\n' "$1" "$2" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

is_installed() { dpkg-query -W -f '${Status}\n' "$1" 2>/dev/null | grep -q '^install ok installed$'; }

# Installs missing packages. Does nothing when none is missing.
install_packages() {
  command -v dpkg-query >/dev/null || fail "this is not a Debian system" "install the packages by hand: ${packages[*]}"
  local missing=() package
  for package in "${packages[@]}"; do
    is_installed "$package" || missing+=("$package")
  done
  if [ ${#missing[@]} -eq 0 ]; then
    say "packages: all ${#packages[@]} are installed"
    return
  fi
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    fail "packages are missing and there is no sudo" "as root: apt-get install ${missing[*]}"
  fi
  say "packages: installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ||
    fail "apt-get update" "check the network and /etc/apt/sources.list, then run this again"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get install ${missing[*]}" "use Debian 12 or 13; the message above has the reason"
}

# configure <preset>
configure() {
  say "configure: preset $1"
  cmake --preset "$1" >/dev/null || fail "configuring preset $1" "remove build/$1 and run this again; the message above has the reason"
}

# build <preset> <target>...
build() {
  local preset=$1
  shift
  say "build: $preset, ${*:-everything}"
  cmake --build --preset "$preset" -j "$(nproc)" ${1:+--target "$@"} >&2 ||
    fail "building preset $preset" "read the first error above, then repeat this step: cmake --build --preset $preset"
}
