#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes ./configure. Needs autoconf, automake, pkg-config and autoconf-archive.
set -e
cd "$(dirname "$0")"
for tool in autoconf automake pkg-config; do
  command -v "$tool" >/dev/null || { echo "autogen.sh: '$tool' is missing" >&2; exit 1; }
done
mkdir -p m4 build-aux
autoreconf --force --install --warnings=all
