#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every shell script of the tree passes shellcheck.
cd "${G_TEST_SRCDIR:-$(dirname "$0")/../..}" || exit 1
command -v shellcheck >/dev/null || { echo "1..0 # SKIP shellcheck is not installed"; exit 0; }
files=$(git -c 'safe.directory=*' ls-files -co --exclude-standard 2>/dev/null) || { echo "1..0 # SKIP not a git checkout"; exit 0; }
scripts=
for file in $files; do
  [ -f "$file" ] || continue
  case $file in
    *.sh) scripts="$scripts $file" ;;
    *.c | *.h | *.py | *.md | *.xz | *.json) ;;
    *) head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*/(ba|da)?sh' && scripts="$scripts $file" ;;
  esac
done
echo "1..1"
# shellcheck disable=SC2086 # a list of names without blanks
if out=$(shellcheck -x -f gcc $scripts 2>&1); then
  echo "ok 1 - shellcheck"
else
  echo "not ok 1 - shellcheck"
  echo "$out" | sed 's/^/# /'
fi
