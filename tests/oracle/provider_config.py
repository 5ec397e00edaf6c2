#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Upstream takes and refuses the same provider.yaml files as tests/unit/test-provider-config.c says of them: good-*.yaml and bad-*.yaml."""
import glob
import os
import sys

from nova import exception
from nova.compute import provider_config

TOP = os.path.abspath(os.environ.get("G_TEST_SRCDIR") or os.path.join(os.path.dirname(__file__), "..", ".."))


def taken(path):
    try:
        # pylint: disable=protected-access
        provider_config._validate_provider_config(provider_config._parse_provider_yaml(path), path)
        return True
    except (exception.ProviderConfigException, TypeError, ValueError) as error:
        print(f"# {os.path.basename(path)}: {str(error).splitlines()[0][:150]}")
        return False


def main():
    paths = sorted(glob.glob(os.path.join(TOP, "tests", "golden", "provider-config", "*.yaml")))
    print(f"1..{len(paths)}")
    failed = 0
    for number, path in enumerate(paths, 1):
        name = os.path.basename(path)
        good = taken(path) == name.startswith("good-")
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    return 1 if failed or not paths else 0


sys.exit(main())
