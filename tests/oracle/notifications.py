#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the payloads of novad's notifications with those that upstream's classes (python3-nova) make of the same instance. Prints TAP.

    notifications.py PATH-OF-notify-payload
"""
import datetime
import glob
import json
import os
import re
import subprocess
import sys
import warnings

warnings.filterwarnings('ignore')

from unittest import mock

import nova.conf
from nova import context
from nova import objects
from nova import notifications
from nova import rpc
from nova.network import model as network_model
from nova.notifications.objects import instance as payloads

CONF = nova.conf.CONF
CONF([], project='nova', default_config_files=[])
objects.register_all()
rpc.NOTIFIER = mock.Mock()  # payloads are only made when somebody wants them
CONF.set_override('notification_format', 'both', group='notifications')

UUID = '11111111-2222-4333-8444-555555555555'
NOW = datetime.datetime(2026, 11, 22, 21, 44, 1, tzinfo=datetime.timezone.utc)


def flavor():
    return objects.Flavor(
        id=1, name='m1.nano', memory_mb=128, vcpus=1, root_gb=1, ephemeral_gb=2, flavorid='42', swap=0, rxtx_factor=1.0, vcpu_weight=0,
        disabled=False, is_public=True, extra_specs={'hw:cpu_policy': 'shared'}, projects=['p1'], description=None, created_at=None,
        updated_at=None, deleted_at=None, deleted=False)


def network_info():
    subnet = network_model.Subnet(cidr='10.0.0.0/24', version=4, ips=[network_model.FixedIP(address='10.0.0.5', version=4)])
    subnet6 = network_model.Subnet(cidr='fd00::/64', version=6, ips=[network_model.FixedIP(address='fd00::5', version=6)])
    network = network_model.Network(id='n1', bridge='br', label='public', subnets=[subnet, subnet6])
    return network_model.NetworkInfo([network_model.VIF(
        id='33333333-2222-4333-8444-555555555555', address='fa:16:3e:00:00:01', network=network, devname='tap33333333-22')])


def instance(**changes):
    values = dict(
        id=26, uuid=UUID, user_id='u1', project_id='p1', reservation_id='r-1', display_name='srv', display_description='d', hostname='srv',
        host='h', node='n', os_type=None, architecture='x86_64', availability_zone='nova', image_ref='44444444-2222-4333-8444-555555555555',
        key_name='k', kernel_id='', ramdisk_id='', created_at=NOW, launched_at=NOW, terminated_at=None, deleted_at=None, updated_at=NOW,
        vm_state='active', power_state=1, task_state=None, progress=0, metadata={'a': 'b'}, locked=False, auto_disk_config=False,
        instance_type_id=1, access_ip_v4=None, access_ip_v6=None, cell_name=None, deleted=False,
        system_metadata={'image_base_image_ref': 'x', 'image_hw_disk_bus': 'virtio', 'locked_reason': None, 'boot_roles': 'member'},
        keypairs=objects.KeyPairList(objects=[objects.KeyPair(user_id='u1', name='k', public_key='ssh', fingerprint='f', type='ssh')]),
        tags=objects.TagList(objects=[objects.Tag(resource_id=UUID, tag='blue')]), trusted_certs=None, old_flavor=None, new_flavor=None)
    values.update(changes)
    made = objects.Instance(**values)
    made.flavor = flavor()
    made.info_cache = objects.InstanceInfoCache(instance_uuid=UUID, network_info=network_info())
    return made


CASES = {
    'a running server': {},
    'one that is being stopped': dict(task_state='powering-off', progress=50),
    'one that was never launched': dict(launched_at=None, host=None, node=None, vm_state='building', power_state=0, task_state='spawning'),
    'a deleted one': dict(vm_state='deleted', power_state=0, terminated_at=NOW, deleted_at=NOW, deleted=True),
    'paused, locked with a reason, automatic disk': dict(
        vm_state='paused', power_state=3, locked=True, auto_disk_config=True, system_metadata={'locked_reason': 'because'}),
    'with addresses and certificates': dict(
        access_ip_v4='192.0.2.1', access_ip_v6='2001:db8::1', trusted_certs=objects.TrustedCerts(ids=['c1', 'c2'])),
    'suspended without image': dict(vm_state='suspended', power_state=7, image_ref='', metadata={}),
}

# The classes of agent/op_snapshot.c and agent/op_rescue.c.
CLASSES = {
    'snapshot': {'name': 'InstanceActionSnapshotPayload', 'version': '1.9', 'members': {'snapshot_image_id': UUID}},
    'rescue': {'name': 'InstanceActionRescuePayload', 'version': '1.3', 'members': {'rescue_image_ref': None}},
}


# The classes that the source names, with their versions.
AGENT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'agent')
VERSIONS = sorted({found for path in glob.glob(os.path.join(AGENT, '*.c')) for found in re.findall(
    r'"(Instance\w*Payload|AuditPeriodPayload)", "([\d.]+)"', open(path, encoding='utf-8').read())})


def plain(value):
    """As the JSON that goes to the bus."""
    return json.loads(json.dumps(value, default=str))


def data(payload):
    payload.obj_reset_changes(recursive=True)
    return plain(payload.obj_to_primitive())


def differences(expected, actual, path=''):
    if isinstance(expected, dict) and isinstance(actual, dict):
        for key in sorted(set(expected) | set(actual)):
            if key not in expected:
                yield '%s.%s is not upstream\'s: %r' % (path, key, actual[key])
            elif key not in actual:
                yield '%s.%s is missing, should be %r' % (path, key, expected[key])
            else:
                yield from differences(expected[key], actual[key], '%s.%s' % (path, key))
    elif isinstance(expected, list) and isinstance(actual, list) and len(expected) == len(actual):
        for i, pair in enumerate(zip(expected, actual)):
            yield from differences(*pair, '%s[%d]' % (path, i))
    elif expected != actual or type(expected) is not type(actual):
        yield '%s is %r, should be %r' % (path, actual, expected)


def main():
    process = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    ctx = context.RequestContext(user_id='u1', project_id='p1', request_id='req-1')
    message = {'_context_' + key: value for key, value in ctx.to_dict().items()}
    volume = objects.BlockDeviceMapping(device_name='/dev/vdb', boot_index=None, delete_on_termination=True, volume_id=UUID, tag='t')
    local = objects.BlockDeviceMapping(device_name='/dev/vda', boot_index=0, delete_on_termination=True, volume_id=None, tag=None)
    bdms = objects.BlockDeviceMappingList(objects=[volume, local])
    failed = count = 0
    print('1..%d' % (len(CASES) * 5 + len(VERSIONS)))
    for name, changes in CASES.items():
        for form in ('legacy', 'action', 'create', 'snapshot', 'rescue'):
            count += 1
            made = instance(**changes)
            create = form == 'create'
            question = dict(instance=made.obj_to_primitive(), message=message, create=create, instance_name=made.name, image_ref_url='http://g/i',
                            network_info=network_info(), extra={'message': 'Success'}, bdms=bdms.obj_to_primitive() if create else None)
            if form in CLASSES:
                question['class'] = CLASSES[form]
            process.stdin.write(json.dumps(question, default=str) + '\n')
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
            if 'error' in answer:
                found = [answer['error']]
            elif form == 'legacy':
                with mock.patch('nova.image.glance.API.generate_image_url', return_value='http://g/i'):
                    expected = notifications.info_from_instance(ctx, made, network_info(), populate_image_ref_url=True, message='Success')
                found = list(differences(plain(expected), answer['legacy']))
            else:
                if create:
                    payload = payloads.InstanceCreatePayload(ctx, made, None, bdms)
                elif form == 'snapshot':
                    payload = payloads.InstanceActionSnapshotPayload(ctx, made, None, snapshot_image_id=UUID)
                elif form == 'rescue':
                    payload = payloads.InstanceActionRescuePayload(ctx, made, None, rescue_image_ref=None)
                else:
                    payload = payloads.InstanceActionPayload(ctx, made, None)
                found = list(differences(data(payload), answer['versioned']))
            print('%s %d - %s of %s' % ('not ok' if found else 'ok', count, form, name))
            for line in found:
                print('# ' + line)
            failed += bool(found)
    for name, version in VERSIONS:
        count += 1
        right = getattr(payloads, name).VERSION == version
        print('%s %d - version of %s' % ('ok' if right else 'not ok', count, name))
        failed += not right
    process.stdin.close()
    return 1 if failed or process.wait() else 0


sys.exit(main())
