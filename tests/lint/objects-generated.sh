#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# objects/generated/ must be what tools/gen-objects.py makes of objects/spec/.
top=${G_TEST_SRCDIR:-$(dirname "$0")/../..}
if ! command -v python3 >/dev/null; then
    echo "1..0 # SKIP no python3"
    exit 0
fi
echo "1..1"
if reason=$(PYTHONDONTWRITEBYTECODE=1 python3 "$top/tools/gen-objects.py" --check 2>&1); then
    echo "ok 1 - objects/generated is up to date"
else
    echo "not ok 1 - $reason"
fi
