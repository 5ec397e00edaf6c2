#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs rpc_peer.py with a Python that has oslo.messaging; skips with the reason if there is none.
here=$(dirname "$0")
for python in $NOVA_PYTHON /usr/bin/python3 python3; do
    if "$python" -c 'import oslo_messaging' 2>/dev/null; then
        exec "$python" "$here/rpc_peer.py" "${G_TEST_BUILDDIR:-.}/tests/oracle/rpc-peer"
    fi
done
echo "1..0 # SKIP python3-oslo.messaging is not installed"
