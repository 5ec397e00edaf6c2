#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# novad's configuration beside Debian's oslo.config: the table of options, and a corpus of files.
src=${G_TEST_SRCDIR:-.} build=${G_TEST_BUILDDIR:-.}
python=/usr/bin/python3
if ! $python -c 'import oslo_config, nova.conf' 2>/dev/null; then
	echo "1..0 # SKIP python3-nova is not installed"
	exit 0
fi
# Two TAP streams become one.
{
	$python "$src/tests/oracle/config_oracle.py" table "$build/tests/tools/config-dump" - || echo "not ok - table"
	$python "$src/tests/oracle/config_oracle.py" files "$build/tests/tools/config-dump" "$src/tests/golden/config" || echo "not ok - files"
} 2>/dev/null | awk '
	/^1\.\./ { next }
	/^(ok|not ok) / { n++; failed += /^not/; sub(/^(ok|not ok) [0-9]*/, (/^not/ ? "not ok " : "ok ") n) }
	{ print }
	END { print "1.." n; exit (failed > 0 || n < 60) }'
