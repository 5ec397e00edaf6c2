/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"

/*
 * The files that an instance finds on its config drive (upstream nova/api/metadata/base.py, nova/virt/netutils.py): openstack/<date>/… and
 * ec2/<date>/…. Input is plain, so that config drive tests need no cloud; agent/ fills it from the Instance and its network info.
 */
typedef struct {
    const char *uuid;
    const char *name;             /* instance.name: template % id (unused in the files, but instance-id of EC2 is made of id) */
    gint64 id;
    const char *display_name;
    const char *hostname;
    const char *project_id;
    const char *availability_zone; /* NULL = null */
    gint64 launch_index;
    const char *key_name, *key_data; /* NULL none */
    const char *key_type;          /* ssh, x509 */
    const char *user_data;         /* base64 text as in the record, NULL none */
    const char *reservation_id;
    const char *image_ref;
    const char *flavor_name;
    const char *admin_pass;        /* NULL none */
    const char *root_device_name;
    const char *dhcp_domain;       /* [api]dhcp_domain */
    const char *ec2_instance_id;   /* "i-00000001", from the EC2 mapping */
    const char *ec2_image_id;      /* "ami-00000001" */
    const char *ec2_kernel_id, *ec2_ramdisk_id; /* NULL none */
    const char *random_seed;       /* base64 text of 512 bytes; NULL = made here */
    GHashTable *metadata;          /* string -> string, or NULL */
    NdJson *security_groups;       /* array of names, or NULL */
    NdJson *network_info;          /* the VIF list as in the info cache, or NULL */
    NdJson *devices;               /* device metadata: array of {type: "nic"|"disk", bus: "pci"…"none", address, mac, vlan, vf_trusted, serial, path,
                                      tags}, keys that are not set missing; what a version shows of it is decided here. NULL none */
    NdJson *block_device_mapping;  /* EC2's block-device-mapping object {"ami": "vda", "root": "/dev/vda", …}, or NULL */
    NdJson *injected_files;        /* array of [path, base64 text], or NULL */
    NdJson *vendor_data;           /* static vendor data object, or NULL = empty */
    NdJson *vendor_data2;          /* the whole of vendor_data2.json; NULL = {"static": vendor_data} */
    bool no_vendor_data;           /* vendor_data.json is left out */
    const char *skip_versions;     /* [api]config_drive_skip_versions, blank separated; NULL = its default: all of EC2's but the last dated one */
    NdJson *dedicated_cpus;        /* array, or NULL */
} AgentMetadataInput;

/* The files, of VirtFile * (virt/config_drive.h), sorted by path. Errors: ND_ERROR_PARSE (bad base64, bad network info). */
GPtrArray *agent_instance_metadata_files(const AgentMetadataInput *input, GError **error);
