#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs notifications.py with a Python that has nova; skips with the reason otherwise.
here=$(dirname "$0")
for python in $NOVA_PYTHON /usr/bin/python3 python3; do
    if "$python" -c 'import nova.notifications.objects.instance' 2>/dev/null; then
        exec "$python" "$here/notifications.py" "${G_TEST_BUILDDIR:-.}/tests/tools/notify-payload"
    fi
done
echo "1..0 # SKIP python3-nova is not installed"
