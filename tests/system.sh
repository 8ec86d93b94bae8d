#!/usr/bin/env bash
# Installs the programs that the tests need, where they are missing: on Debian and Ubuntu, as root or by sudo. Elsewhere,
# or without that right, it ends with the line to type. `tests/system.sh browsers` installs those of `make browsers`.
set -euo pipefail

# Program (or file, by its path), package, and what for. SYSTEM_ROOT is for the tests of this script.
needs='
chromium chromium the tests of the pages and of the publisher drive it
curl curl deployments fetch certificates with it
faketime faketime the soak lets the clock of a stack jump with its library
java openjdk-17-jre-headless Apache Spark runs on it
/usr/share/java/sqlite-jdbc.jar libxerial-sqlite-jdbc-java Spark opens the lake with it
'
target="test"
if [[ ${1:-} == browsers ]]; then
  target="browsers"
  needs='
firefox-esr firefox-esr a visit to the shop is made in it
WebKitWebDriver webkit2gtk-driver a visit to the shop is made in WebKitGTK
Xvfb xvfb WebKitGTK needs a display
'
fi

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# Sets `packages` to those whose programs are missing.
look() {
  local program package reason
  packages=
  while read -r program package reason; do
    if [[ -n $program && ! -f ${SYSTEM_ROOT:-}$program ]] && ! command -v "$program" >/dev/null; then
      packages+=" $package"
      printf 'the tests need %s: %s\n' "$program" "$reason"
    fi
  done <<<"$needs"
}

look
[[ -n $packages ]] || exit 0
command -v apt-get >/dev/null || fail "with this system's package manager, install$packages; then run 'make $target' again"

sudo=
if [[ $(id -u) != 0 ]]; then
  command -v sudo >/dev/null || fail "as root, run 'apt-get install -y$packages'; then run 'make $target' again"
  # Where there is no terminal, nobody can type a password.
  [[ -t 0 ]] || sudo -n true 2>/dev/null || fail "run 'sudo apt-get install -y$packages'; then run 'make $target' again"
  sudo=sudo
fi
printf 'installing them: %s\n' "${sudo:+sudo }apt-get install -y$packages"
# shellcheck disable=SC2086  # both are words, or nothing
if ! { $sudo apt-get update -qq && $sudo apt-get install -y -qq $packages; }; then
  fail "apt-get did not install$packages: the lines above say why"
fi
look
[[ -z $packages ]] || fail "${packages# } is installed, but not where PATH leads"
