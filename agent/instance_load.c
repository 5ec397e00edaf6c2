/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/instance_load.h"

#include "rpc/conductor.h"

#include <string.h>

/* `attr` is the name of the field, and what get_by_uuid is asked to join; old_flavor and new_flavor come with flavor. */
static const struct {
    guint field;
    const char *attr;
    bool joined;
} guest_fields[] = {
    {NOVA_INSTANCE_FLAVOR, "flavor", true},
    {NOVA_INSTANCE_OLD_FLAVOR, "old_flavor", false},
    {NOVA_INSTANCE_NEW_FLAVOR, "new_flavor", false},
    {NOVA_INSTANCE_METADATA, "metadata", true},
    {NOVA_INSTANCE_SYSTEM_METADATA, "system_metadata", true},
    {NOVA_INSTANCE_NUMA_TOPOLOGY, "numa_topology", true},
    {NOVA_INSTANCE_PCI_DEVICES, "pci_devices", true},
    {NOVA_INSTANCE_PCI_REQUESTS, "pci_requests", true},
    {NOVA_INSTANCE_RESOURCES, "resources", true},
    {NOVA_INSTANCE_TRUSTED_CERTS, "trusted_certs", true},
    {NOVA_INSTANCE_VCPU_MODEL, "vcpu_model", true},
};

/* The fields that `instance` lacks and `loaded` has, in the form of an object_action's reply that changes nothing else. */
static NdJson *updates(const NovaInstance *instance, const NovaInstance *loaded)
{
    g_autoptr(NdJson) found = json_object_new_object();
    g_auto(GStrv) changed = nova_object_changes(instance);

    for (gsize i = 0; i < G_N_ELEMENTS(guest_fields); i++) {
        if (!nova_object_is_set(instance, guest_fields[i].field) && nova_object_is_set(loaded, guest_fields[i].field))
            json_object_object_add(found, guest_fields[i].attr, nova_object_field_to_json(loaded, guest_fields[i].field, NOVA_UNCLAMPED));
    }
    NdJson *names = json_object_new_array();
    for (char **name = changed; *name != NULL; name++)
        json_object_array_add(names, json_object_new_string(*name));
    json_object_object_add(found, "obj_what_changed", names);
    return g_steal_pointer(&found);
}

bool instance_load_for_guest(Agent *agent, const RpcContext *context, NovaInstance *instance, GError **error)
{
    const char *attrs[G_N_ELEMENTS(guest_fields) + 1] = {NULL};
    gsize n = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(guest_fields); i++) {
        if (guest_fields[i].joined && !nova_object_is_set(instance, guest_fields[i].field))
            attrs[n++] = guest_fields[i].attr;
    }
    if (n == 0)
        return true;
    g_autoptr(NovaInstance) loaded = conductor_instance_get_by_uuid(agent->conductor, context, instance->uuid, attrs, error);
    if (loaded == NULL)
        return false;
    g_autoptr(NdJson) found = updates(instance, loaded);
    return nova_object_apply_updates(instance, found, NULL, error);
}
