#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The status column of base/options_*.c is true: HONOURED options are read by code, options that are read are HONOURED.
src=${G_TEST_SRCDIR:-.}
if ! python3 -c '' 2>/dev/null; then
	echo "1..0 # SKIP no python3"
	exit 0
fi
echo "1..1"
if faults=$(python3 "$src/tools/check-options" "$src"); then
	echo "ok 1 - the status of each option"
else
	echo "not ok 1 - the status of each option"
	echo "$faults" | sed 's/^/# /'
	exit 1
fi
