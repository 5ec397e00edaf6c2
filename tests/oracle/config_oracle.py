#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares novad's configuration with Debian's oslo.config and nova.

usage: config_oracle.py table|files CONFIG-DUMP CORPUS

table: every option that nova-compute registers is in novad's table with the same type, default, choices and range.
files: each case of the corpus (a folder with files, or one .conf) gives the same values, or fails in both.
Output is TAP.
"""

import json
import os
import subprocess
import sys
import tempfile

try:
    from oslo_config import cfg, types
    import nova.conf
    from nova import config as nova_config
except ImportError as missing:
    print('1..0 # SKIP %s' % missing)
    sys.exit(0)

import importlib

CONF = nova.conf.CONF
for module in ('nova.cmd.compute', 'nova.virt.libvirt.driver', 'oslo_log.log', 'oslo_messaging._drivers.impl_rabbit',
               'oslo_concurrency.lockutils', 'oslo_reports.opts', 'os_brick.opts', 'oslo_messaging.notify.notifier'):
    importlib.import_module(module)

TYPES = {
    'StrOpt': 'string', 'BoolOpt': 'boolean', 'IntOpt': 'integer', 'FloatOpt': 'float', 'ListOpt': 'list', 'DictOpt': 'dict',
    'MultiStrOpt': 'multi string', 'PortOpt': 'port', 'HostAddressOpt': 'host address', 'HostDomainOpt': 'host domain',
    'HostnameOpt': 'hostname', 'IPOpt': 'ip address', 'URIOpt': 'uri',
}

# Options whose default is not oslo.config's, and why.
OTHER_DEFAULTS = {
    ('DEFAULT', 'state_path'): 'the packages set /var/lib/nova; there is no folder of Python code',
    ('DEFAULT', 'config_file'): 'what was found is no default',
    ('DEFAULT', 'config_dir'): 'what was found is no default',
}
# Values that differ in form: arguments; names made numbers; names that only one release spells so.
NOT_COMPARED = ('config_file', 'config_dir', 'config_source', 'capabilities', 'rabbit_quroum_max_memory_length', 'rabbit_quroum_max_memory_bytes')
# Placeholders for facts of the host, compared by the files test.
HOST_FACTS = ('@host_name', '@my_address')
OTHER_PATTERNS = {('cinder', 'catalog_info'): 'newer releases allow a hyphen in the type'}


class Tap:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, name, faults):
        self.count += 1
        print('%s %d - %s' % ('not ok' if faults else 'ok', self.count, name))
        for fault in faults:
            print('#   %s' % fault)
        self.failed += bool(faults)

    def end(self):
        print('1..%d' % self.count)
        sys.exit(1 if self.failed else 0)


def options():
    for info, group in CONF._all_opt_infos():
        yield (group.name if group else 'DEFAULT'), info['opt'], info.get('default', info['opt'].default)


def type_name(option):
    kind = type(option).__name__
    if kind in TYPES:
        return TYPES[kind]
    if kind == 'MultiOpt' and isinstance(option.type, types.Dict):
        return 'multi dict'
    if isinstance(option.type, types.Integer):
        return 'integer'
    if kind == 'Opt' and isinstance(option.type, types.List):
        return 'list'
    return 'string'


def default_text(value):
    if value is None:
        return None
    if isinstance(value, bool):
        return 'true' if value else 'false'
    if isinstance(value, (list, tuple)):
        return ','.join(str(item) for item in value)
    if isinstance(value, dict):
        return ','.join('%s:%s' % pair for pair in value.items())
    return str(value)


def compare_row(group, option, default, row):
    faults = []
    name = '[%s] %s' % (group, option.dest)
    if row['type'] != type_name(option):
        faults.append('%s: type %s, not %s' % (name, row['type'], type_name(option)))
    text = default_text(default)
    if row['type'].startswith('multi') and not text:
        text = None
    if row['default'] != text and (group, option.dest) not in OTHER_DEFAULTS and row['default'] not in HOST_FACTS:
        faults.append('%s: default %r, not %r' % (name, row['default'], text))
    kind = getattr(option.type, 'item_type', None) or option.type
    choices = getattr(kind, 'choices', None)
    choices = ','.join(str(c) for c in choices if c is not None) if choices else None
    if row['choices'] != choices:
        faults.append('%s: choices %r, not %r' % (name, row['choices'], choices))
    if isinstance(option.type, types.Number) and not choices and row['type'] != 'port':
        for mine, its in (('minimum', option.type.min), ('maximum', option.type.max)):
            if row[mine] != its:
                faults.append('%s: %s %r, not %r' % (name, mine, row[mine], its))
    pattern = getattr(option.type, 'regex', None)
    if row['pattern'] != (pattern.pattern if pattern else None) and (group, option.dest) not in OTHER_PATTERNS:
        faults.append('%s: pattern %r' % (name, row['pattern']))
    if row['mutable'] != bool(option.mutable):
        faults.append('%s: mutable is %s' % (name, row['mutable']))
    if option.secret and not row['secret']:
        faults.append('%s: is a secret' % name)
    return faults + compare_deprecated(group, option, row)


def compare_deprecated(group, option, row):
    places = set()
    for place in (row['deprecated'] or '').split():
        places.add(tuple(place.split('.', 1)) if '.' in place else (group, place))
    wanted = {(old.group or group, old.name or option.dest) for old in option.deprecated_opts if old.group or old.name}
    wanted.discard((group, option.dest))
    missing = {place for place in wanted if place not in places}
    return ['[%s] %s: lacks the old names %s' % (group, option.dest, sorted(missing))] if missing else []


def table(dump, tap):
    rows = json.loads(subprocess.check_output([dump, '--table']))
    by_group = {}
    for group, option, default in options():
        faults = by_group.setdefault(group, [])
        row = rows.get(group, {}).get(option.dest)
        if row is None:
            if not any(option.dest in (other['deprecated'] or '').split() for other in rows.get(group, {}).values()):
                faults.append('[%s] %s is missing' % (group, option.dest))
        else:
            faults.extend(compare_row(group, option, default, row))
    for group in sorted(by_group):
        tap.result('table [%s]' % group, by_group[group])


def read_with_oslo(arguments):
    """The values of all options, or the exception of those that cannot be read."""
    CONF.reset()
    CONF(arguments, project='nova', prog='nova-compute', version='0')
    values = {}
    for group, option, _ in options():
        where = CONF if group == 'DEFAULT' else CONF[group]
        try:
            value = getattr(where, option.dest)
        except Exception as error:  # every kind is a bad value here
            value = error
        values.setdefault(group, {})[option.dest] = value
    return values


def same(mine, its, kind):
    if isinstance(its, Exception):
        return False
    if kind == 'multi string':
        return mine == list(its or [])
    if kind == 'multi dict':
        return [types.Dict()(text) for text in mine] == list(its or [])
    if kind == 'float' and its is not None and mine is not None:
        return str(mine) == str(its) or float(mine) == its
    return mine == its


def run_novad(dump, arguments, environment):
    done = subprocess.run([dump] + arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def compare_values(theirs, mine):
    faults = []
    bad = {}
    for problem in mine['problems']:
        if problem['severity'] > 0:
            bad[problem['message'].split(':')[0].split(' (')[0]] = problem
    for group, option, _ in options():
        name = '[%s] %s' % (group, option.dest)
        if option.dest in NOT_COMPARED or (group, option.dest) in OTHER_DEFAULTS:
            continue
        if option.dest not in theirs.get(group, {}):
            continue  # registered while reading
        its = theirs[group][option.dest]
        if group == 'DEFAULT' and option.dest in ('instances_path',) and 'state_path' not in str(its) and str(its).startswith('/usr/lib'):
            continue
        ours = mine['values'].get(group, {}).get(option.dest)
        if isinstance(its, Exception):
            if name not in bad and 'in \'$' not in str(its) and not dependent(its):
                faults.append('%s: oslo.config refuses it (%s), novad has %r' % (name, its, ours))
        elif name in bad:
            faults.append('%s: novad refuses it (%s), oslo.config has %r' % (name, bad[name]['message'], its))
        elif not same(ours, its, type_name(option)) and not in_python_folder(its):
            faults.append('%s: novad has %r, oslo.config %r' % (name, ours, its))
    return faults


def dependent(error):
    """A default that refers to a broken option: novad reports the latter only."""
    return not isinstance(error, cfg.ConfigFileValueError) and not isinstance(error, cfg.ConfigSourceValueError)


def in_python_folder(value):
    """State below nova's Python code, oslo.config's default for what packages put into /var/lib/nova."""
    return isinstance(value, str) and value.startswith('/usr/lib/python3/dist-packages')


def run_case(dump, folder, tap):
    """A case: *.conf files, read in order of name as --config-file; "arguments" and "environment" files change that."""
    arguments, environment = [], {'PATH': os.environ['PATH'], 'HOME': folder, 'LC_ALL': 'C.UTF-8'}
    if os.path.exists(os.path.join(folder, 'arguments')):
        with open(os.path.join(folder, 'arguments')) as stream:
            arguments = [word.replace('@DIR@', folder) for word in stream.read().split()]
    else:
        for name in sorted(os.listdir(folder)):
            if name.endswith('.conf'):
                arguments += ['--config-file', os.path.join(folder, name)]
        arguments += ['--config-dir', '/var/empty' if os.path.isdir('/var/empty') else tempfile.gettempdir() + '/novad-empty']
        os.makedirs(arguments[-1], exist_ok=True)
    if os.path.exists(os.path.join(folder, 'environment')):
        with open(os.path.join(folder, 'environment')) as stream:
            for line in stream.read().splitlines():
                key, value = line.split('=', 1)
                environment[key] = value
    saved = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        theirs = read_with_oslo(arguments)
    except (Exception, SystemExit) as error:
        theirs = error
    os.environ.clear()
    os.environ.update(saved)
    environment.update({key: value for key, value in saved.items() if key.endswith('SAN_OPTIONS') or key == 'LD_PRELOAD'})
    mine = run_novad(dump, arguments, environment)
    name = 'files %s' % os.path.basename(folder)
    if isinstance(theirs, BaseException):
        fatal = mine is None or any(p['severity'] == 2 for p in mine['problems']) or any(p['severity'] for p in mine['problems'])
        tap.result(name, [] if fatal else ['oslo.config fails (%s), novad does not' % theirs])
    elif mine is None:
        tap.result(name, ['novad fails, oslo.config does not'])
    else:
        tap.result(name, compare_values(theirs, mine))


def files(dump, corpus, tap):
    for name in sorted(os.listdir(corpus)):
        path = os.path.join(corpus, name)
        if os.path.isdir(path):
            run_case(dump, path, tap)
        elif name.endswith('.conf'):
            with tempfile.TemporaryDirectory() as folder:
                case = os.path.join(folder, name[:-5])
                os.mkdir(case)
                with open(path, 'rb') as source, open(os.path.join(case, 'nova.conf'), 'wb') as target:
                    target.write(source.read())
                run_case(dump, case, tap)


def main():
    nova_config.parse_args(['nova-compute', '--config-file', '/dev/null'])
    tap = Tap()
    if sys.argv[1] == 'table':
        table(sys.argv[2], tap)
    else:
        files(sys.argv[2], sys.argv[3], tap)
    tap.end()


if __name__ == '__main__':
    main()
