/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/tracker_private.h"

#include <string.h>

/* What the libvirt driver as such can do, whatever the host (nova.virt.driver CAPABILITY_TRAITS_MAP with the libvirt driver's
 * capabilities). Traits that depend on the host come from virt_host_traits(). `has` false takes the trait off a provider that has it. */
static const struct {
    const char *name;
    bool has;
} capability_traits[] = {
    {"COMPUTE_ACCELERATORS", true},
    {"COMPUTE_DEVICE_TAGGING", true},
    {"COMPUTE_EPHEMERAL_ENCRYPTION", false},
    {"COMPUTE_EPHEMERAL_ENCRYPTION_LUKS", false},
    {"COMPUTE_EPHEMERAL_ENCRYPTION_PLAIN", false},
    {"COMPUTE_IMAGE_TYPE_AKI", true},
    {"COMPUTE_IMAGE_TYPE_AMI", true},
    {"COMPUTE_IMAGE_TYPE_ARI", true},
    {"COMPUTE_IMAGE_TYPE_ISO", true},
    {"COMPUTE_IMAGE_TYPE_PLOOP", false},
    {"COMPUTE_IMAGE_TYPE_RAW", true},
    {"COMPUTE_IMAGE_TYPE_VDI", false},
    {"COMPUTE_IMAGE_TYPE_VHD", false},
    {"COMPUTE_IMAGE_TYPE_VHDX", false},
    {"COMPUTE_IMAGE_TYPE_VMDK", false},
    {"COMPUTE_NET_ATTACH_INTERFACE", true},
    {"COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG", true},
    {"COMPUTE_REMOTE_MANAGED_PORTS", false},
    {"COMPUTE_RESCUE_BFV", true},
    {"COMPUTE_SAME_HOST_COLD_MIGRATE", false},
    {"COMPUTE_SOCKET_PCI_NUMA_AFFINITY", true},
    {"COMPUTE_TRUSTED_CERTS", true},
    {"COMPUTE_VOLUME_ATTACH_WITH_TAG", true},
    {"COMPUTE_VOLUME_EXTEND", true},
    {"COMPUTE_VOLUME_MULTI_ATTACH", true},
    {"COMPUTE_NODE", true},
};

static void put(GHashTable *traits, const char *name, bool has)
{
    if (has)
        g_hash_table_add(traits, g_strdup(name));
    else
        g_hash_table_remove(traits, name);
}

/* qcow2 cannot be booted by back ends that keep raw disks only and do not convert. */
static bool takes_qcow2(const NdConfig *config)
{
    const char *type = nd_config_string(config, "libvirt", "images_type");
    bool raw_only = g_strcmp0(type, "lvm") == 0 || g_strcmp0(type, "rbd") == 0;
    return !(raw_only && !nd_config_bool(config, "DEFAULT", "force_raw_images"));
}

static void put_image_types(const NdConfig *config, GHashTable *traits)
{
    put(traits, "COMPUTE_IMAGE_TYPE_QCOW2", takes_qcow2(config));
    for (const char *const *type = nd_config_list(config, "compute", "image_type_exclude_list"); *type != NULL; type++) {
        g_autofree char *upper = g_ascii_strup(*type, -1);
        g_autofree char *name = g_strconcat("COMPUTE_IMAGE_TYPE_", upper, NULL);
        put(traits, name, false);
    }
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **tracker_traits_wanted(Tracker *tracker, const char *const *present, bool disabled)
{
    g_autoptr(GHashTable) traits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *const *name = present; *name != NULL; name++)
        put(traits, *name, true);
    for (size_t i = 0; i < G_N_ELEMENTS(capability_traits); i++)
        put(traits, capability_traits[i].name, capability_traits[i].has);
    GHashTableIter iter;
    gpointer key, has;
    g_hash_table_iter_init(&iter, tracker->host_traits);
    while (g_hash_table_iter_next(&iter, &key, &has))
        put(traits, key, GPOINTER_TO_INT(has) != 0);
    put_image_types(tracker->config, traits);
    put(traits, "COMPUTE_STATUS_DISABLED", disabled);
    g_autoptr(GPtrArray) list = g_ptr_array_new_with_free_func(g_free);
    g_hash_table_iter_init(&iter, traits);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        g_ptr_array_add(list, g_strdup(key));
    guint length = list->len;
    g_ptr_array_add(list, NULL);
    char **sorted = (char **)g_ptr_array_free(g_steal_pointer(&list), FALSE);
    qsort(sorted, length, sizeof *sorted, compare_names);
    return sorted;
}
