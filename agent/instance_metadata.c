/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/instance_metadata.h"
#include "agent/network_data.h"
#include "base/error.h"
#include "virt/config_drive.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define SEED_BYTES 512
#define DEFAULT_SKIP "1.0 2007-01-19 2007-03-01 2007-08-29 2007-10-10 2007-12-15 2008-02-01 2008-09-01"

/* Versions in order; a file or key "since X" is there in X and all after it, "latest" comes last. */
static const char *const ec2_versions[] = {"1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04", "latest"};
static const char *const openstack_versions[] = {"2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22",
    "2018-08-27", "2020-10-14", "latest"};

/* Dates sort as text, and "latest" after every date. */
static bool since(const char *version, const char *required)
{
    return strcmp(version, required) >= 0;
}

/* All that the files are made of, made once. */
typedef struct {
    const AgentMetadataInput *input;
    GPtrArray *files;  /* of VirtFile */
    GBytes *user_data; /* NULL none */
    char *hostname;
    NdJson *network_data;
    NdJson *content_list;  /* of the injected files */
    NdJson *network_config; /* or NULL */
} Builder;

static void builder_clear(Builder *builder)
{
    g_clear_pointer(&builder->files, g_ptr_array_unref);
    g_clear_pointer(&builder->user_data, g_bytes_unref);
    g_clear_pointer(&builder->hostname, g_free);
    g_clear_pointer(&builder->network_data, json_object_put);
    g_clear_pointer(&builder->content_list, json_object_put);
    g_clear_pointer(&builder->network_config, json_object_put);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Builder, builder_clear)

static void add_bytes(Builder *builder, char *path /* taken */, GBytes *content)
{
    g_autofree char *owned = path;
    g_ptr_array_add(builder->files, virt_file_new(owned, content));
}

static void add_json(Builder *builder, char *path /* taken */, NdJson *json)
{
    char *text = nd_json_to_string(json);
    g_autoptr(GBytes) content = g_bytes_new_take(text, strlen(text));
    add_bytes(builder, path, content);
}

static GBytes *decode(const char *base64, const char *what, GError **error)
{
    gsize length = 0;
    guchar *bytes = g_base64_decode(base64, &length);
    if (length == 0 && *base64 != '\0') {
        g_free(bytes);
        g_set_error(error, ND_ERROR, ND_ERROR_PARSE, "%s is not base64", what);
        return NULL;
    }
    return g_bytes_new_take(bytes, length);
}

/* --- EC2 ----------------------------------------------------------------------------------------------------------------------------------- */

static NdJson *ec2_public_keys(const AgentMetadataInput *input)
{
    NdJson *keys = json_object_new_object(), *first = json_object_new_object();
    g_autofree char *name = g_strconcat("0=", input->key_name, NULL);
    nd_json_set_string(first, "_name", name);
    nd_json_set_string(first, "openssh-key", input->key_data);
    nd_json_set(keys, "0", first);
    return keys;
}

static NdJson *ec2_block_devices(const AgentMetadataInput *input)
{
    if (input->block_device_mapping != NULL)
        return json_object_get(input->block_device_mapping);
    /* upstream block_device.DEFAULT_ROOT_DEV_NAME and _DEFAULT_MAPPINGS */
    static const char *const defaults[][2] = {{"ami", "sda1"}, {"ephemeral0", "sda2"}, {"root", "/dev/sda1"}, {"swap", "sda3"}};
    NdJson *mapping = json_object_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
        nd_json_set_string(mapping, defaults[i][0], defaults[i][1]);
    return mapping;
}

static NdJson *ec2_metadata(const Builder *builder, const char *version)
{
    const AgentMetadataInput *input = builder->input;
    NdJson *data = json_object_new_object();
    const char *floating = agent_first_floating_ip(input->network_info);
    nd_json_set_string(data, "ami-id", input->ec2_image_id);
    nd_json_set_int(data, "ami-launch-index", input->launch_index);
    nd_json_set_string(data, "ami-manifest-path", "FIXME");
    nd_json_set_string(data, "instance-id", input->ec2_instance_id);
    nd_json_set_string(data, "hostname", builder->hostname);
    nd_json_set_string(data, "local-ipv4", agent_first_fixed_ipv4(input->network_info));
    nd_json_set_string(data, "reservation-id", input->reservation_id);
    nd_json_set(data, "security-groups", input->security_groups != NULL ? json_object_get(input->security_groups) : json_object_new_array());
    if (input->key_name != NULL && *input->key_name != '\0')
        nd_json_set(data, "public-keys", ec2_public_keys(input));
    if (since(version, "2007-01-19")) {
        nd_json_set_string(data, "local-hostname", builder->hostname);
        nd_json_set_string(data, "public-hostname", builder->hostname);
        nd_json_set_string(data, "public-ipv4", floating != NULL ? floating : "");
    }
    if (since(version, "2007-08-29"))
        nd_json_set_string(data, "instance-type", input->flavor_name);
    if (since(version, "2007-12-15")) {
        nd_json_set(data, "block-device-mapping", ec2_block_devices(input));
        if (input->ec2_kernel_id != NULL && *input->ec2_kernel_id != '\0')
            nd_json_set_string(data, "kernel-id", input->ec2_kernel_id);
        if (input->ec2_ramdisk_id != NULL && *input->ec2_ramdisk_id != '\0')
            nd_json_set_string(data, "ramdisk-id", input->ec2_ramdisk_id);
    }
    if (since(version, "2008-02-01")) {
        NdJson *placement = json_object_new_object();
        nd_json_set_string(placement, "availability-zone", input->availability_zone);
        nd_json_set(data, "placement", placement);
    }
    if (since(version, "2008-09-01"))
        nd_json_set_string(data, "instance-action", "none");
    return data;
}

static void add_ec2(Builder *builder)
{
    const char *skip = builder->input->skip_versions != NULL ? builder->input->skip_versions : DEFAULT_SKIP;
    g_auto(GStrv) skipped = g_strsplit(skip, " ", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(ec2_versions); i++) {
        const char *version = ec2_versions[i];
        if (g_strv_contains((const char *const *)skipped, version))
            continue;
        if (builder->user_data != NULL)
            add_bytes(builder, g_strdup_printf("ec2/%s/user-data", version), builder->user_data);
        g_autoptr(NdJson) data = ec2_metadata(builder, version);
        add_json(builder, g_strdup_printf("ec2/%s/meta-data.json", version), data);
    }
}

/* --- OpenStack ----------------------------------------------------------------------------------------------------------------------------- */

/* One device as a version shows it, or NULL if it does not. */
static NdJson *device_metadata(NdJson *device, const char *version)
{
    bool nic = g_strcmp0(nd_json_string(device, "type", NULL), "nic") == 0;
    NdJson *shown = json_object_new_object(), *tags = nd_json_member(device, "tags"), *vlan = nd_json_member(device, "vlan");
    bool more = tags != NULL;
    if (nic && vlan != NULL && since(version, "2017-02-22")) {
        nd_json_set(shown, "vlan", json_object_get(vlan));
        more = true;
    }
    if (nic && since(version, "2018-08-27")) {
        nd_json_set_bool(shown, "vf_trusted", nd_json_bool(device, "vf_trusted", false));
        more = true;
    }
    if (nic && !more) { /* nothing that the guest would not know by itself */
        json_object_put(shown);
        return NULL;
    }
    nd_json_set_string(shown, "type", nic ? "nic" : "disk");
    static const char *const keys[] = {"mac", "serial", "path"};
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
        if (nd_json_member(device, keys[i]) != NULL || json_object_object_get_ex(device, keys[i], NULL))
            nd_json_set(shown, keys[i], json_object_get(nd_json_member(device, keys[i])));
    nd_json_set_string(shown, "bus", nd_json_string(device, "bus", "none"));
    nd_json_set_string(shown, "address", nd_json_string(device, "address", "none"));
    if (tags != NULL)
        nd_json_set(shown, "tags", json_object_get(tags));
    return shown;
}

static NdJson *devices_metadata(const AgentMetadataInput *input, const char *version)
{
    NdJson *list = json_object_new_array();
    size_t count = input->devices != NULL ? json_object_array_length(input->devices) : 0;
    for (size_t i = 0; i < count; i++) {
        NdJson *shown = device_metadata(json_object_array_get_idx(input->devices, i), version);
        if (shown != NULL)
            json_object_array_add(list, shown);
    }
    return list;
}

static char *random_seed(const AgentMetadataInput *input)
{
    guint8 bytes[SEED_BYTES];
    if (input->random_seed != NULL)
        return g_strdup(input->random_seed);
    for (size_t done = 0; done < sizeof bytes;) {
        ssize_t got = getrandom(bytes + done, sizeof bytes - done, 0);
        if (got < 0 && errno != EINTR)
            return NULL;
        done += got > 0 ? (size_t)got : 0;
    }
    return g_base64_encode(bytes, sizeof bytes);
}

static void set_keys(NdJson *data, const AgentMetadataInput *input)
{
    if (input->key_name == NULL || *input->key_name == '\0' || input->key_data == NULL)
        return;
    NdJson *public_keys = json_object_new_object(), *keys = json_object_new_array(), *key = json_object_new_object();
    nd_json_set_string(public_keys, input->key_name, input->key_data);
    nd_json_set_string(key, "name", input->key_name);
    nd_json_set_string(key, "type", input->key_type != NULL ? input->key_type : "ssh");
    nd_json_set_string(key, "data", input->key_data);
    json_object_array_add(keys, key);
    nd_json_set(data, "public_keys", public_keys);
    nd_json_set(data, "keys", keys);
}

static NdJson *user_metadata(GHashTable *metadata)
{
    NdJson *json = json_object_new_object();
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, metadata);
    while (g_hash_table_iter_next(&iter, &key, &value))
        nd_json_set_string(json, key, value);
    return json;
}

static NdJson *openstack_metadata(const Builder *builder, const char *version)
{
    const AgentMetadataInput *input = builder->input;
    NdJson *data = json_object_new_object();
    nd_json_set_string(data, "uuid", input->uuid);
    if (input->metadata != NULL && g_hash_table_size(input->metadata) > 0)
        nd_json_set(data, "meta", user_metadata(input->metadata));
    if (builder->content_list != NULL)
        nd_json_set(data, "files", json_object_get(builder->content_list));
    if (input->admin_pass != NULL && *input->admin_pass != '\0')
        nd_json_set_string(data, "admin_pass", input->admin_pass);
    if (builder->network_config != NULL)
        nd_json_set(data, "network_config", json_object_get(builder->network_config));
    set_keys(data, input);
    nd_json_set_string(data, "hostname", builder->hostname);
    nd_json_set_string(data, "name", input->display_name);
    nd_json_set_int(data, "launch_index", input->launch_index);
    nd_json_set_string(data, "availability_zone", input->availability_zone);
    if (since(version, "2013-04-04")) {
        g_autofree char *seed = random_seed(input);
        nd_json_set_string(data, "random_seed", seed);
    }
    if (since(version, "2015-10-15"))
        nd_json_set_string(data, "project_id", input->project_id);
    if (since(version, "2016-06-30"))
        nd_json_set(data, "devices", devices_metadata(input, version));
    if (since(version, "2020-10-14"))
        nd_json_set(data, "dedicated_cpus", input->dedicated_cpus != NULL ? json_object_get(input->dedicated_cpus) : json_object_new_array());
    return data;
}

static NdJson *vendor_data_of(const AgentMetadataInput *input)
{
    return input->vendor_data != NULL ? json_object_get(input->vendor_data) : json_object_new_object();
}

static void add_openstack(Builder *builder)
{
    g_autoptr(NdJson) vendor_data = vendor_data_of(builder->input), vendor_data2 = NULL;
    if (builder->input->vendor_data2 != NULL) {
        vendor_data2 = json_object_get(builder->input->vendor_data2);
    } else {
        vendor_data2 = json_object_new_object();
        nd_json_set(vendor_data2, "static", vendor_data_of(builder->input));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(openstack_versions); i++) {
        const char *version = openstack_versions[i];
        g_autoptr(NdJson) metadata = openstack_metadata(builder, version);
        add_json(builder, g_strdup_printf("openstack/%s/meta_data.json", version), metadata);
        if (builder->user_data != NULL)
            add_bytes(builder, g_strdup_printf("openstack/%s/user_data", version), builder->user_data);
        if (since(version, "2013-10-17") && !builder->input->no_vendor_data)
            add_json(builder, g_strdup_printf("openstack/%s/vendor_data.json", version), vendor_data);
        if (since(version, "2015-10-15"))
            add_json(builder, g_strdup_printf("openstack/%s/network_data.json", version), builder->network_data);
        if (since(version, "2016-10-06"))
            add_json(builder, g_strdup_printf("openstack/%s/vendor_data2.json", version), vendor_data2);
    }
}

/* openstack/content/0000 ...: the interfaces file, if there is one, then the injected files in order. */
static bool add_content(Builder *builder, GError **error)
{
    guint number = 0;
    g_autofree char *interfaces = NULL;
    if (!agent_network_interfaces_text(builder->input->network_info, &interfaces, error))
        return false;
    if (interfaces != NULL) {
        g_autoptr(GBytes) content = g_bytes_new(interfaces, strlen(interfaces));
        g_autofree char *path = g_strdup_printf("/content/%04u", number);
        builder->network_config = json_object_new_object();
        nd_json_set_string(builder->network_config, "name", "network_config");
        nd_json_set_string(builder->network_config, "content_path", path);
        add_bytes(builder, g_strdup_printf("openstack/content/%04u", number++), content);
    }
    NdJson *injected = builder->input->injected_files;
    size_t count = injected != NULL ? json_object_array_length(injected) : 0;
    for (size_t i = 0; i < count; i++) {
        NdJson *pair = json_object_array_get_idx(injected, i);
        bool is_pair = json_object_is_type(pair, json_type_array) && json_object_array_length(pair) == 2;
        const char *path = is_pair ? json_object_get_string(json_object_array_get_idx(pair, 0)) : NULL;
        const char *base64 = is_pair ? json_object_get_string(json_object_array_get_idx(pair, 1)) : NULL;
        if (path == NULL || base64 == NULL) {
            g_set_error_literal(error, ND_ERROR, ND_ERROR_PARSE, "an injected file is no pair of path and content");
            return false;
        }
        g_autoptr(GBytes) content = decode(base64, "an injected file", error);
        if (content == NULL)
            return false;
        if (builder->content_list == NULL)
            builder->content_list = json_object_new_array();
        g_autofree char *content_path = g_strdup_printf("/content/%04u", number);
        NdJson *entry = json_object_new_object();
        nd_json_set_string(entry, "path", path);
        nd_json_set_string(entry, "content_path", content_path);
        json_object_array_add(builder->content_list, entry);
        add_bytes(builder, g_strdup_printf("openstack/content/%04u", number++), content);
    }
    return true;
}

static int compare_files(gconstpointer a, gconstpointer b)
{
    return strcmp((*(const VirtFile *const *)a)->path, (*(const VirtFile *const *)b)->path);
}

GPtrArray *agent_instance_metadata_files(const AgentMetadataInput *input, GError **error)
{
    g_auto(Builder) builder = {.input = input, .files = g_ptr_array_new_with_free_func((GDestroyNotify)virt_file_free)};
    bool domain = input->dhcp_domain != NULL && *input->dhcp_domain != '\0';
    builder.hostname = domain ? g_strconcat(input->hostname != NULL ? input->hostname : "", ".", input->dhcp_domain, NULL) : g_strdup(input->hostname);
    if (input->user_data != NULL) {
        builder.user_data = decode(input->user_data, "user data", error);
        if (builder.user_data == NULL)
            return NULL;
    }
    builder.network_data = agent_network_data(input->network_info, error);
    if (builder.network_data == NULL || !add_content(&builder, error)) {
        g_prefix_error(error, "instance metadata: ");
        return NULL;
    }
    add_ec2(&builder);
    add_openstack(&builder);
    g_ptr_array_sort(builder.files, compare_files);
    return g_steal_pointer(&builder.files);
}
