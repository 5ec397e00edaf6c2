#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs objects.py with a Python that has nova; skips with the reason if there is none.
here=$(dirname "$0")
for python in $NOVA_PYTHON /usr/bin/python3 python3; do
    if "$python" -c 'import nova.objects' 2>/dev/null; then
        exec "$python" "$here/objects.py" "${G_TEST_BUILDDIR:-.}/tests/tools/objects-roundtrip"
    fi
done
echo "1..0 # SKIP python3-nova is not installed"
