#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
exec python3 "${G_TEST_SRCDIR:-$(dirname "$0")/../..}/tests/lint/support_matrix.py"
