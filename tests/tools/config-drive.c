/* SPDX-License-Identifier: Apache-2.0 */
/* config-drive iso9660|vfat OUTPUT < case.json: writes the config drive of one case, for tests/oracle/config_drive.py. Keys of the case are those of
 * AgentMetadataInput; "metadata" is an object of strings. */
#include "config.h"

#include "agent/instance_metadata.h"
#include "virt/config_drive.h"

#include <stdio.h>

#define CASE_LIMIT (1 << 20)

static GHashTable *string_table(NdJson *object)
{
    if (object == NULL)
        return NULL;
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    json_object_object_foreach(object, key, value) g_hash_table_insert(table, g_strdup(key), g_strdup(json_object_get_string(value)));
    return table;
}

static bool run(const char *format, const char *output, NdJson *c, GError **error)
{
    g_autoptr(GHashTable) metadata = string_table(nd_json_object(c, "metadata"));
    const AgentMetadataInput input = {
        .uuid = nd_json_string(c, "uuid", NULL),
        .display_name = nd_json_string(c, "display_name", NULL),
        .hostname = nd_json_string(c, "hostname", NULL),
        .project_id = nd_json_string(c, "project_id", NULL),
        .availability_zone = nd_json_string(c, "availability_zone", NULL),
        .launch_index = nd_json_int(c, "launch_index", 0),
        .key_name = nd_json_string(c, "key_name", NULL),
        .key_data = nd_json_string(c, "key_data", NULL),
        .key_type = nd_json_string(c, "key_type", NULL),
        .user_data = nd_json_string(c, "user_data", NULL),
        .reservation_id = nd_json_string(c, "reservation_id", NULL),
        .flavor_name = nd_json_string(c, "flavor_name", NULL),
        .admin_pass = nd_json_string(c, "admin_pass", NULL),
        .dhcp_domain = nd_json_string(c, "dhcp_domain", NULL),
        .ec2_instance_id = nd_json_string(c, "ec2_instance_id", NULL),
        .ec2_image_id = nd_json_string(c, "ec2_image_id", NULL),
        .ec2_kernel_id = nd_json_string(c, "ec2_kernel_id", NULL),
        .ec2_ramdisk_id = nd_json_string(c, "ec2_ramdisk_id", NULL),
        .metadata = metadata,
        .security_groups = nd_json_array(c, "security_groups"),
        .network_info = nd_json_array(c, "network_info"),
        .devices = nd_json_array(c, "devices"),
        .block_device_mapping = nd_json_object(c, "block_device_mapping"),
        .injected_files = nd_json_array(c, "injected_files"),
        .vendor_data = nd_json_object(c, "vendor_data"),
        .vendor_data2 = nd_json_object(c, "vendor_data2"),
        .skip_versions = nd_json_string(c, "skip_versions", NULL),
        .dedicated_cpus = nd_json_array(c, "dedicated_cpus"),
    };
    g_autoptr(GPtrArray) files = agent_instance_metadata_files(&input, error);
    VirtConfigDriveFormat kind = strcmp(format, "vfat") == 0 ? VIRT_CONFIG_DRIVE_VFAT : VIRT_CONFIG_DRIVE_ISO9660;
    return files != NULL && virt_config_drive_write(output, kind, files, "OpenStack Nova 26.2.2", error);
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) config = NULL;
    g_autofree char *text = g_malloc(CASE_LIMIT);
    size_t length = fread(text, 1, CASE_LIMIT, stdin);
    if (argc != 3 || !nd_json_parse(text, length, NULL, &config, &error) || !run(argv[1], argv[2], config, &error)) {
        g_printerr("config-drive: %s\n", error != NULL ? error->message : "usage: config-drive iso9660|vfat OUTPUT < case.json");
        return 1;
    }
    return 0;
}
