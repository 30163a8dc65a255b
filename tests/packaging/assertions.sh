# shellcheck shell=bash
# Shared by the scripts of this folder, which source it.

# needs <program>: skips the test if the program is not installed.
needs() {
  command -v "$1" >/dev/null && return
  echo "skipped: $1 is not installed; fix: apt-get install ${2:-$1}"
  exit 77
}

failed=0

# wrong <message>: the test fails, and goes on.
wrong() {
  printf 'WRONG: %s\n' "$*" >&2
  failed=1
}

# equal <what> <expected> <actual>
equal() {
  if [ "$2" != "$3" ]; then wrong "$1: expected '$2', got '$3'"; fi
}

finish() {
  if [ "$failed" -eq 0 ]; then echo ok; fi
  exit "$failed"
}
