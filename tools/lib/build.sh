# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What tools/demo and tools/check share: messages, the packages to build with, the build.

TOP=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
export LAB=${LAB:-/var/lib/novalab}
LAB_TOOL=$TOP/tests/lab/lab
BUILD_LOGS=$LAB/log/build
export LAB_TOOL

# shellcheck disable=SC2034 # read by the tools
BUILD_PACKAGES=(
  build-essential autoconf automake pkg-config git libglib2.0-dev libjson-c-dev libxml2-dev uuid-dev librabbitmq-dev libssl-dev
  libcurl4-openssl-dev libvirt-dev libmnl-dev libarchive-dev libyaml-dev zlib1g-dev libsystemd-dev xz-utils python3
)

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

need_debian_root() {
  [ "$(id -u)" = 0 ] || die "run this as root, for example with sudo: it installs packages and starts libvirtd"
  command -v apt-get >/dev/null || die "this needs Debian 12 (bookworm); apt-get is missing"
  # shellcheck source=/dev/null
  [ "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" = bookworm ] ||
    printf 'warning: made for Debian 12 (bookworm); another release may have another OpenStack\n' >&2
}

apt_missing() { # PACKAGE...: installs those that are not there
  local missing=() package log=$LAB/log/apt.log
  mkdir -p "$LAB/log"
  for package; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  local install=(apt-get -o DPkg::Lock::Timeout=600 install -y --no-install-recommends "${missing[@]}")
  DEBIAN_FRONTEND=noninteractive "${install[@]}" >>"$log" 2>&1 || {
    apt-get -o DPkg::Lock::Timeout=600 update >>"$log" 2>&1
    DEBIAN_FRONTEND=noninteractive "${install[@]}" >>"$log" 2>&1 || { tail -n 15 "$log" >&2; return 1; }
  }
}

# build_tree FOLDER [CONFIGURE-OPTION...]: configures when needed, and makes all; the log is $BUILD_LOGS/FOLDER.log
build_tree() {
  local folder=$TOP/$1 log=$BUILD_LOGS/$1.log; shift
  mkdir -p "$folder" "$BUILD_LOGS"
  {
    if [ ! -x "$TOP/configure" ] || [ "$TOP/configure.ac" -nt "$TOP/configure" ]; then (cd "$TOP" && ./autogen.sh) || return 1; fi
    if [ ! -e "$folder/Makefile" ] || [ "$(cat "$folder/.options" 2>/dev/null)" != "$*" ]; then
      (cd "$folder" && ../configure "$@") || return 1
      printf '%s\n' "$*" >"$folder/.options"
    fi
    make -C "$folder" -j"$(nproc)" all || return 1
  } >"$log" 2>&1 </dev/null || { tail -n 25 "$log" >&2; printf 'the whole log: %s\n' "$log" >&2; return 1; }
}
