#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares novad's objects with upstream's own classes (python3-nova, Zed). Prints TAP.

    objects.py PATH-OF-objects-roundtrip [SEED]

Everything is made from a seed, so that a failure can be repeated.
"""
import collections
import copy
import datetime
import json
import random
import subprocess
import sys
import warnings

warnings.filterwarnings('ignore')

try:
    from nova import context
    from nova import objects
    from nova.network import model as network_model
    from nova.objects import base as nova_base
    from nova import utils
    from oslo_versionedobjects import base as ovo_base
    from oslo_versionedobjects import fields as ovo_fields
except ImportError as exc:
    print('1..0 # SKIP python3-nova cannot be imported: %s' % exc)
    sys.exit(0)

objects.register_all()
# Upstream's Flavor calls non-empty extra_specs and projects changed right after reading, whatever `changes` said; that is no part of the wire.
objects.Flavor.obj_what_changed = ovo_base.VersionedObject.obj_what_changed
CTX = context.get_admin_context()
CLASSES = {name: found[0] for name, found in nova_base.NovaObjectRegistry.obj_classes().items()}
VARIANTS = 25


class Novad:
    """The C side, one answer a question."""

    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **question):
        self.process.stdin.write(json.dumps(question) + '\n')
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def result(self, ok, name, detail=None):
        self.count += 1
        print('%sok %d - %s' % ('' if ok else 'not ', self.count, name))
        if not ok:
            self.failed += 1
            for line in str(detail).splitlines()[:12]:
                print('# ' + line[:1500])

    def problems(self, name, problems):
        self.result(not problems, name, '\n'.join(problems[:5]))


# --- comparing ---------------------------------------------------------------------------------------------------------------------------

def sets_of(value):
    """Names of the set fields of a class, by class name."""
    cls = CLASSES.get(value)
    return {n for n, f in cls.fields.items() if type_name(f) == 'set'} if cls else set()


def normal(value):
    """Changes and sets in a fixed order; texts that hold JSON as JSON."""
    if isinstance(value, dict):
        out = {k: normal(v) for k, v in value.items()}
        if 'nova_object.changes' in out:
            out['nova_object.changes'] = sorted(out['nova_object.changes'])
        if 'nova_object.name' in out:
            data = out['nova_object.data']
            if 'traits_required' in data:
                data['traits_required'].sort()  # in the order of a dict
            for name in sets_of(out['nova_object.name']) & set(data):
                if data[name] is not None:
                    data[name] = sorted(data[name], key=str)
            for name, field in CLASSES[out['nova_object.name']].fields.items():
                if data.get(name) is not None and type_name(field) in ('networkmodel', 'networkvifmodel'):
                    data[name] = json.loads(data[name])
                if data.get(name) and type_name(field) in ('list', 'dict') and \
                        type_name(field._type._element_type) == 'set':
                    inner = data[name]
                    data[name] = {k: sorted(v) for k, v in inner.items()} if isinstance(inner, dict) else [sorted(v) for v in inner]
        return out
    if isinstance(value, (list, tuple)):
        return [normal(v) for v in value]
    return value


def wire(obj):
    """The primitive as it is after a trip through JSON."""
    return json.loads(json.dumps(obj.obj_to_primitive()))


def from_wire(primitive):
    return nova_base.NovaObject.obj_from_primitive(copy.deepcopy(primitive), context=CTX)


def differences(a, b):
    if normal(a) == normal(b):
        return None
    return 'upstream %s\nnovad    %s' % (json.dumps(normal(a), sort_keys=True), json.dumps(normal(b), sort_keys=True))


# --- random values -----------------------------------------------------------------------------------------------------------------------

def type_name(field):
    return type(field._type).__name__.lower()


WORDS = ['', 'a', 'host-1', 'Ünïcödé ☃', 'with "quotes" and \\', 'line\nbreak', 'x' * 300, '/dev/vda', '<xml/>', '\U0001f600']


def rnd_uuid(rng):
    return '%08x-%04x-4%03x-a%03x-%012x' % (rng.getrandbits(32), rng.getrandbits(16), rng.getrandbits(12), rng.getrandbits(12),
                                            rng.getrandbits(48))


def rnd_vif(rng):
    ip = network_model.FixedIP(address='10.0.0.%d' % rng.randrange(2, 250))
    if rng.random() < 0.3:
        ip.add_floating_ip(network_model.IP(address='192.0.2.%d' % rng.randrange(250), type='floating'))
    subnet = network_model.Subnet(cidr='10.0.0.0/24', dns=[network_model.IP(address='8.8.8.8', type='dns')] * rng.randrange(3),
                                  gateway=rng.choice([None, network_model.IP(address='10.0.0.1', type='gateway')]),
                                  routes=[network_model.Route(cidr='10.1.0.0/16', gateway=network_model.IP(address='10.0.0.9',
                                                              type='gateway'))] * rng.randrange(2), dhcp_server='10.0.0.2')
    subnet.add_ip(ip)
    network = network_model.Network(id=rnd_uuid(rng), bridge=rng.choice(['br-int', None]), label='net', mtu=1450, injected=False,
                                    tenant_id='t', physical_network=rng.choice([None, 'physnet1']), tunneled=True)
    network.add_subnet(subnet)
    if rng.random() < 0.3:
        network.add_subnet(network_model.Subnet(cidr='fd00::/64', ips=[network_model.FixedIP(address='fd00::5')]))
    return network_model.VIF(id=rnd_uuid(rng), address='fa:16:3e:00:00:%02x' % rng.randrange(256),
                             network=network if rng.random() < 0.9 else None, type=rng.choice(['ovs', 'bridge', None]),
                             details=rng.choice([{}, {'port_filter': True, 'ovs_hybrid_plug': False, 'bound_drivers': {'0': 'ovs'}}]),
                             devname='tap1', active=rng.random() < 0.5, vnic_type=rng.choice(['normal', 'direct']),
                             profile=rng.choice([None, {}, {'allocation': {'a': 'b'}, 'pci_slot': '0000:00:01.1'}]),
                             preserve_on_delete=rng.random() < 0.5, delegate_create=True, extra_key='kept')


def rnd_value(rng, field, depth):
    if field.nullable and rng.random() < 0.2:
        return None
    kind = type_name(field)
    simple = {
        'integer': lambda: rng.choice([0, 1, -1, 7, 4096, 2 ** 31, 2 ** 53, 2 ** 63 - 1, -2 ** 63]),
        'nonnegativeinteger': lambda: rng.randrange(2 ** 40),
        'float': lambda: rng.choice([0.0, 1.0, 1.5, 0.1, 16.0, 1e300, -2.5, 3.3333333333333335]),
        'nonnegativefloat': lambda: rng.choice([0.0, 1.0, 1.5, 0.1]),
        'boolean': lambda: rng.random() < 0.5,
        'flexibleboolean': lambda: rng.random() < 0.5,
        'string': lambda: rng.choice(WORDS),
        'sensitivestring': lambda: rng.choice(WORDS),
        'uuid': lambda: rnd_uuid(rng),
        'macaddress': lambda: ':'.join('%02x' % rng.getrandbits(8) for _ in range(6)),
        'pciaddress': lambda: '0000:%02x:1f.7' % rng.getrandbits(8),
        'usbaddress': lambda: '%x:%x' % (rng.getrandbits(4), rng.getrandbits(4)),
        'scsiaddress': lambda: '1:0:%x:2' % rng.getrandbits(4),
        'ideaddress': lambda: rng.choice(['0:0', '0:1', '1:0', '1:1']),
        'xenaddress': lambda: rng.choice(['000100', '51712']),
        'resourceclass': lambda: rng.choice(['VCPU', 'CUSTOM_PMEM_4GB']),
        'versionpredicate': lambda: rng.choice(['>=1.0', '>=1.0,<2.0', '!=3.1.4']),
        'datetime': lambda: datetime.datetime(rng.randrange(1970, 2100), 2, rng.randrange(1, 28), 3, 4, rng.randrange(60)),
        'ipaddress': lambda: rng.choice(['192.0.2.1', 'fd00::1:2', '::', '::ffff:1.2.3.4']),
        'ipv4address': lambda: '192.0.2.%d' % rng.randrange(256),
        'ipv6address': lambda: rng.choice(['fe80::1', '2001:db8:0:0:1::2']),
        'networkmodel': lambda: network_model.NetworkInfo([rnd_vif(rng) for _ in range(rng.randrange(3))]),
        'networkvifmodel': lambda: rnd_vif(rng),
    }
    if kind in simple:
        return simple[kind]()
    if kind == 'object':
        return rnd_object(rng, rng.choice(names_for(field._type)), depth + 1)
    if kind in ('list', 'set'):
        n = rng.randrange(4)
        values = [rnd_value(rng, field._type._element_type, depth + 1) for _ in range(n)]
        return set(values) if kind == 'set' else values
    if kind in ('dict', 'dictofstringsfield'):
        return {rng.choice(WORDS) + str(i): rnd_value(rng, field._type._element_type, depth + 1) for i in range(rng.randrange(4))}
    if hasattr(field._type, '_valid_values'):
        return rng.choice([v for v in field._type._valid_values if v != '_unused'])
    raise SystemExit('no random value for %s' % kind)


def names_for(object_type):
    """Classes that may stand in an object field."""
    name = object_type._obj_name
    if not object_type._subclasses:
        return [name]
    wanted = CLASSES[name]
    return [n for n, c in CLASSES.items() if issubclass(c, wanted) and c is not wanted]


def may_hold_objects(field):
    kind = type_name(field)
    return kind == 'object' or (kind in ('list', 'set', 'dict') and may_hold_objects(field._type._element_type))


def rnd_object(rng, name, depth=0):
    obj = CLASSES[name](CTX)
    obj.obj_reset_changes()
    chance = rng.choice([0.1, 0.5, 0.9, 1.0]) if depth < 2 else 0.4
    for field_name, field in sorted(obj.fields.items()):
        nested = may_hold_objects(field)
        if rng.random() > chance or (nested and (depth > 3 or (depth > 1 and rng.random() < 0.7))):
            if field_name == 'objects' and name.endswith('List'):
                obj.objects = []  # upstream's lists cannot be asked for changes without
            continue
        if nested and depth > 3:
            continue
        setattr(obj, field_name, rnd_value(rng, field, depth))
    if rng.random() < 0.5:
        obj.obj_reset_changes(recursive=rng.random() < 0.5)
    elif rng.random() < 0.5 and obj._changed_fields:
        obj.obj_reset_changes(fields=rng.sample(sorted(obj._changed_fields), rng.randrange(len(obj._changed_fields) + 1)))
    return obj


# --- the comparisons ---------------------------------------------------------------------------------------------------------------------

def our_type(field):
    """An upstream field's type in the words of the C schema."""
    kind = type_name(field)
    words = {'integer': 'int', 'nonnegativeinteger': 'int', 'float': 'float', 'nonnegativefloat': 'float', 'boolean': 'bool',
             'flexibleboolean': 'fbool', 'datetime': 'dt'}
    if kind in words:
        text = words[kind]
    elif kind == 'object':
        text = field._type._obj_name
    elif kind in ('list', 'set', 'dict'):
        text = '%s[%s]' % (kind, our_type(field._type._element_type))
    elif hasattr(field._type, '_valid_values'):
        text = 'enum'
    else:
        text = 'str'
    return text + ('?' if field.nullable else '')


def compare_schema(novad, tap):
    schema = novad.ask(schema=True)['schema']
    problems = []
    known = {n for n, s in schema.items() if s['versions'][0]}
    for name in sorted(known):
        ours, cls = schema[name], CLASSES[name]
        if ours['versions'][0] != cls.VERSION:
            problems.append('%s is %s, upstream %s' % (name, ours['versions'][0], cls.VERSION))
        fields = {n: f for n, f in ours['fields'].items() if f['since'] == 0}
        if set(fields) != set(cls.fields):
            problems.append('%s: only here %s, only upstream %s' % (name, set(fields) - set(cls.fields), set(cls.fields) - set(fields)))
            continue
        for field_name, mine in fields.items():
            theirs = cls.fields[field_name]
            where = '%s.%s' % (name, field_name)
            if mine['type'] != our_type(theirs):
                problems.append('%s: %s, upstream %s' % (where, mine['type'], our_type(theirs)))
            if mine['read_only'] != theirs.read_only:
                problems.append('%s: read_only %s' % (where, mine['read_only']))
            has_default = theirs.default is not ovo_fields.UnspecifiedDefault
            if has_default != (mine['default'] is not None):
                problems.append('%s: default %s, upstream %s' % (where, mine['default'], theirs.default))
            elif has_default and not isinstance(theirs.default, (set, nova_base.NovaObject)) and \
                    json.loads(mine['default']) != theirs.default:
                problems.append('%s: default %s, upstream %s' % (where, mine['default'], theirs.default))
            if 'values' in mine and not set(theirs._type._valid_values) - {'_unused'} <= set(mine['values']) | {'_unused'}:
                problems.append('%s: upstream also has %s' % (where, set(theirs._type._valid_values) - set(mine['values'])))
    tap.problems('field tables of %d classes are upstream\'s' % len(known), problems)
    return sorted(known)


def round_trips(novad, tap, name, seed):
    rng = random.Random('%s %s' % (seed, name))
    problems = []
    for _ in range(VARIANTS):
        obj = rnd_object(rng, name)
        primitive = wire(obj)
        answer = novad.ask(object=primitive, clone=rng.random() < 0.5, clamp=rng.choice(['zed', '2026.2', None]))
        if 'object' not in answer:
            problems.append('%s for %s' % (answer['error'], json.dumps(primitive)))
            continue
        found = differences(primitive, answer['object'])
        if found:
            problems.append(found)
            continue
        again = wire(from_wire(answer['object']))
        found = differences(wire(from_wire(primitive)), again)
        if found:
            problems.append('read back: ' + found)
    tap.problems('%s: %d objects there and back' % (name, VARIANTS), problems)


def save_forms(novad, tap, names, seed):
    """What the conductor sees as changed, and the values, are the same in the save form."""
    problems = []
    for name in names:
        rng = random.Random('%s save %s' % (seed, name))
        for _ in range(8):
            obj = rnd_object(rng, name)
            answer = novad.ask(object=wire(obj), save=True)
            small = from_wire(answer['object'])
            full = from_wire(wire(obj))
            if small.obj_what_changed() != full.obj_what_changed():
                problems.append('%s: %s, not %s' % (name, small.obj_what_changed(), full.obj_what_changed()))
            before = wire(obj)['nova_object.data']
            for key, value in answer['object']['nova_object.data'].items():
                if normal_field(name, key, before[key]) != normal_field(name, key, value):
                    problems.append('%s.%s differs in the save form' % (name, key))
    tap.problems('save forms keep changes and values', problems)


def normal_field(cls, field, value):
    return normal({'nova_object.name': cls, 'nova_object.data': {field: value}})['nova_object.data'][field]


def conductor_updates(old, new):
    """What a conductor answers to an object_action that turned `old` into `new` (the rules: spec/objects.md section 4)."""
    updates = {}
    for name, field in new.fields.items():
        if not new.obj_attr_is_set(name):
            continue
        if not old.obj_attr_is_set(name) or getattr(old, name) != getattr(new, name):
            updates[name] = field.to_primitive(new, name, getattr(new, name))
    updates['obj_what_changed'] = new.obj_what_changed()
    return json.loads(json.dumps(updates, default=list))


def take_updates(obj, updates):
    """What upstream's agent does with them."""
    for key, value in updates.items():
        if key in obj.fields:
            setattr(obj, key, obj.fields[key].from_primitive(obj, key, value))
    obj.obj_reset_changes()
    obj._changed_fields = set(updates['obj_what_changed'])


def updates(novad, tap, names, seed):
    problems = []
    for name in names:
        rng = random.Random('%s updates %s' % (seed, name))
        for _ in range(6):
            old, new = rnd_object(rng, name), rnd_object(rng, name)
            new.obj_reset_changes(recursive=True)
            old.obj_reset_changes(recursive=True)
            change = conductor_updates(old, new)
            change['unknown_field'] = 1
            answer = novad.ask(object=wire(old), updates=change)
            mine = from_wire(wire(old))
            try:
                take_updates(mine, change)
            except Exception as exc:  # upstream refuses, for example a read-only field that is set already
                if 'read' not in str(exc).lower():
                    problems.append('%s: upstream refused: %s' % (name, exc))
                continue
            found = differences(wire(mine), answer.get('object', answer))
            if found:
                problems.append('%s: %s' % (name, found))
    tap.problems('updates of a conductor are taken over as upstream does', problems)


ODD = [None, True, False, 0, 1, -5, 2.7, '', '12', ' 12 ', '+3', '-7', '1.5', 'abc', 'true', 'Yes', 'off', '0', [], {}, [1], {'a': 1}, ['a'],
       {'a': None}, '2020-01-02T03:04:05Z', '2020-01-02 03:04:05', '2020-01-02T03:04:05.678+02:00', '2020-13-01T00:00:00Z',
       '10.0.0.1', '::1', '10.0.0.300', 'FA-16-3E-00-00-01', 'fa:16:3e:00:00:0g', 'i386', 'AMD64', 'Linux', 'lsilogicsas', 'VirtualE1000',
       'PV', 'kvm', '0000:00:1F.2', 'custom_x', 'luks', '1e3', 'nan', '>=1', '>>1', 10 ** 25]


# Upstream's leniencies that novad does not share, each harmless: it only refuses or reads a value that no sender makes.
def tolerated(kind, value, ours, theirs):
    if kind in ('string', 'sensitivestring', 'uuid') and theirs is not None and ours is None:
        return not isinstance(value, (str, int, float)) or kind == 'uuid'  # uuid: str() of a list
    if kind in ('ipaddress', 'ipv4address', 'ipv6address', 'versionpredicate', 'datetime') and ours is None:
        return not isinstance(value, str) or value in ('0', '12', '1.5', '-7', '+3', ' 12 ', '1e3', 'nan', '')
    if value == 10 ** 25:
        return True  # no sender has numbers past 64 bits
    if kind == 'datetime' and value.endswith('+02:00'):
        return True  # the same instant; upstream keeps the offset in what it writes
    if kind in ('usbaddress', 'scsiaddress', 'ideaddress', 'xenaddress') and ours is None:
        return True  # upstream looks at the beginning only
    if kind == 'instancepowerstate' and theirs and ours is None:
        return True  # index numbers in odd forms; only a compute makes a Diagnostics
    if kind in ('list', 'set', 'dict'):
        return True  # elements are compared by the scalar cases
    if kind in ('float', 'nonnegativefloat') and value == 'nan':
        return ours is None  # NaN is no JSON
    return False


def only_field(primitive, name):
    data = primitive['nova_object.data']
    primitive['nova_object.data'] = {name: data[name]}
    primitive.pop('nova_object.changes', None)


def coercions(novad, tap, names):
    problems, seen, compared = [], collections.Counter(), 0
    for name in names:
        for field_name, field in CLASSES[name].fields.items():
            kind = type_name(field)
            key = (kind, field.nullable, str(getattr(field._type, '_valid_values', '')), str(field.default))
            seen[key] += 1
            if kind in ('object', 'networkmodel', 'networkvifmodel') or seen[key] > 1:
                continue
            for value in ODD:
                primitive = {'nova_object.name': name, 'nova_object.namespace': 'nova', 'nova_object.version': CLASSES[name].VERSION,
                             'nova_object.data': {field_name: value}}
                try:
                    theirs = wire(from_wire(primitive))
                    only_field(theirs, field_name)  # some constructors set other fields to their defaults
                except Exception:
                    theirs = None
                ours = novad.ask(object=primitive).get('object')
                compared += 1
                if (theirs is None) != (ours is None) or (theirs and differences(theirs, ours)):
                    if not tolerated(kind, value, ours, theirs):
                        problems.append('%s.%s (%s) = %r: upstream %s, novad %s' % (
                            name, field_name, kind, value, theirs and theirs['nova_object.data'], ours and ours['nova_object.data']))
    tap.problems('%d odd values are read or refused as upstream does' % compared, problems)


def manifests(novad, tap, names):
    problems = []
    for name in names:
        theirs = ovo_base.obj_tree_get_versions(name)
        ours = novad.ask(manifest=name, release='zed')['manifest']
        if ours != theirs:
            problems.append('%s: %s\nupstream %s' % (name, ours, theirs))
    tap.problems('manifests of %d roots' % len(names), problems)


IMAGE_VALUES = {
    'architecture': ['x86_64', 'i386', 'bogus'], 'hw_disk_bus': ['virtio', 'scsi', 'none'], 'hw_vif_model': ['virtio', 'VirtualE1000', 'bad'],
    'hw_cpu_sockets': ['2', 'two', '4'], 'hw_qemu_guest_agent': ['yes', 'no', 'maybe'], 'hypervisor_type': ['qemu', 'xapi'],
    'vm_mode': ['hvm', 'pv'], 'vmware_adaptertype': ['ide', 'lsiLogicsas', 'paraVirtual', ''], 'os_type': ['Linux', 'windows', 'BeOS'],
    'hw_numa_nodes': ['2'], 'hw_numa_cpus.0': ['0-3,^2', '5', 'x', '3-1', ',1,,2'], 'hw_numa_cpus.1': ['4,6'], 'hw_numa_mem.0': ['512', 'no'],
    'hw_numa_mem.1': ['1024'], 'hw_numa_mem.3': ['9'], 'trait:HW_CPU_X86_AVX2': ['required', 'forbidden'], 'trait:CUSTOM_A': ['required'],
    'img_config_drive': ['mandatory', 'optional', 'x'], 'os_distro': ['debian'], 'hw_machine_type': ['q35'], 'unknown_key': ['anything'],
    'hw_watchdog_action': ['reset'], 'hypervisor_version_requires': ['>=1.3', 'garbage'], 'hw_boot_menu': ['true'], 'img_bdm_v2': ['True'],
    'hw_video_ram': ['64'], 'hw_tpm_version': ['2.0'], 'os_secure_boot': ['required'], 'hw_rng_model': ['virtio'], 'bdm_v2': [True, 'False'],
    'mappings': [[{'virtual': 'ami', 'device': 'sda1'}]], 'block_device_mapping': [[{'boot_index': '0', 'volume_id': None}]],
    'hw_mem_page_size': ['2MB', 2048], 'hw_serial_port_count': [2, '3'], 'img_hide_hypervisor_id': ['1'], 'hw_pointer_model': ['usbtablet'],
    'signature_verified': [False], 'base_image_ref': ['abc'], 'hw_architecture': ['aarch64'], 'hw_scsi_model': ['virtio-scsi'],
}


def rnd_properties(rng):
    return {k: rng.choice(v) for k, v in IMAGE_VALUES.items() if rng.random() < 0.15}


def images(novad, tap, seed):
    rng = random.Random('%s images' % seed)
    problems, good, bad = [], 0, 0
    for _ in range(1200):
        image = {'id': rnd_uuid(rng), 'name': rng.choice(['cirros', None]), 'size': rng.choice([1024, None]), 'min_ram': 0, 'min_disk': 1,
                 'disk_format': rng.choice(['qcow2', 'raw', None, 'vhd']), 'container_format': 'bare', 'status': 'active', 'checksum': None,
                 'created_at': '2020-01-02T03:04:05Z', 'deleted': False, 'owner': 'me', 'protected': rng.choice([True, 'no']),
                 'tags': ['x'], 'properties': rnd_properties(rng)}
        for key in list(image):
            if rng.random() < 0.1:
                del image[key]
        try:
            theirs = wire(objects.ImageMeta.from_dict(copy.deepcopy(image)))
            good += 1
        except Exception:
            theirs = None
            bad += 1
        ours = novad.ask(image=image).get('object')
        if ours:
            ours['nova_object.data']['properties']['nova_object.version'] = objects.ImageMetaProps.VERSION
        if (theirs is None) != (ours is None):
            problems.append('%s: upstream %s, novad %s' % (image, theirs, ours))
        elif theirs and differences(theirs, ours):
            problems.append('%s\n%s' % (image, differences(theirs, ours)))
    tap.problems('ImageMeta of Glance images, %d good and %d bad' % (good, bad), problems)


def kept_images(novad, tap, seed):
    rng = random.Random('%s kept' % seed)
    problems = []
    for _ in range(300):
        image = {'min_ram': 64, 'min_disk': rng.choice([0, 5]), 'disk_format': rng.choice(['qcow2', 'vhd']), 'container_format': 'bare',
                 'properties': {k: v for k, v in rnd_properties(rng).items() if not isinstance(v, list)}}
        image['properties']['long'] = 'é' * rng.choice([3, 127, 128, 200]) + 'a'
        flavor = rng.choice([None, objects.Flavor(root_gb=rng.choice([0, 3, 20]))])
        theirs = {k: str(v) for k, v in utils.get_system_metadata_from_image(image, flavor).items()}
        question = {'keep_image': image}
        if flavor:
            question['flavor'] = wire(flavor)
        ours = novad.ask(**question)['metadata']
        if ours != theirs:
            problems.append('%s: upstream %s, novad %s' % (image, theirs, ours))
        instance = objects.Instance(CTX, uuid=rnd_uuid(rng), image_ref=rng.choice([None, '', rnd_uuid(rng)]),
                                    system_metadata=dict(theirs, image_none=None, boot_roles='admin', owner_project_name='x'))
        try:
            expected = wire(objects.ImageMeta.from_instance(instance))
        except Exception:
            expected = None
        found = novad.ask(instance_image=wire(instance)).get('object')
        if found:
            found['nova_object.data']['properties']['nova_object.version'] = objects.ImageMetaProps.VERSION
        if (expected is None) != (found is None) or (expected and differences(expected, found)):
            problems.append('%s: upstream %s, novad %s' % (theirs, expected, found))
    tap.problems('images in system_metadata', problems)


def network_infos(novad, tap, seed):
    rng = random.Random('%s networks' % seed)
    problems = []
    for _ in range(200):
        info = network_model.NetworkInfo([rnd_vif(rng) for _ in range(rng.randrange(4))])
        answer = novad.ask(network_info=info.json())
        if 'network_info' not in answer or json.loads(answer['network_info']) != json.loads(info.json()):
            problems.append('%s\n%s' % (info.json(), answer))
        elif network_model.NetworkInfo.hydrate(answer['network_info']) != info:
            problems.append('upstream reads another network_info from %s' % answer)
    tap.problems('network_info there and back', problems)


def main():
    seed = sys.argv[2] if len(sys.argv) > 2 else 'novad'
    novad, tap = Novad(sys.argv[1]), Tap()
    print('# seed %s' % seed)
    names = compare_schema(novad, tap)
    for name in names:
        round_trips(novad, tap, name, seed)
    manifests(novad, tap, names)
    save_forms(novad, tap, names, seed)
    updates(novad, tap, names, seed)
    coercions(novad, tap, names)
    images(novad, tap, seed)
    kept_images(novad, tap, seed)
    network_infos(novad, tap, seed)
    tap.result(novad.close() == 0, 'novad\'s side ended well')
    print('1..%d' % tap.count)
    sys.exit(1 if tap.failed else 0)


if __name__ == '__main__':
    main()
