/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"

#include <string.h>

static void set_metadata(NovaInstance *instance, const char *key, const char *value)
{
    nova_object_dict_set(instance, NOVA_INSTANCE_SYSTEM_METADATA, key, value);
}

/* upstream _cpu_config_to_vcpu_model: a model that is there already is filled anew. */
static void record_cpu(NovaInstance *instance, const VirtCpu *cpu)
{
    if (cpu == NULL) {
        return;
    }
    g_autoptr(NovaVirtCPUModel) model = instance->vcpu_model != NULL ? nova_virt_cpu_model_ref(instance->vcpu_model) : nova_virt_cpu_model_new();
    nova_virt_cpu_model_set_arch(model, NULL);
    nova_virt_cpu_model_set_vendor(model, cpu->vendor);
    nova_virt_cpu_model_set_model(model, cpu->model);
    nova_virt_cpu_model_set_mode(model, cpu->mode);
    nova_virt_cpu_model_set_match(model, cpu->match);
    g_autoptr(NovaVirtCPUTopology) topology = cpu->sockets != 0 ? nova_virt_cpu_topology_new() : NULL;
    if (topology != NULL) {
        nova_virt_cpu_topology_set_sockets(topology, cpu->sockets);
        nova_virt_cpu_topology_set_cores(topology, cpu->cores);
        nova_virt_cpu_topology_set_threads(topology, cpu->threads);
    }
    nova_virt_cpu_model_set_topology(model, topology);
    g_autoptr(GPtrArray) features = g_ptr_array_new_with_free_func((GDestroyNotify) nova_object_unref);
    for (guint i = 0; i < cpu->features->len; i++) {
        const VirtCpuFeature *feature = cpu->features->pdata[i];
        NovaVirtCPUFeature *entry = nova_virt_cpu_feature_new();
        nova_virt_cpu_feature_set_name(entry, feature->name);
        nova_virt_cpu_feature_set_policy(entry, feature->policy);
        g_ptr_array_add(features, entry);
    }
    nova_virt_cpu_model_set_features(model, features);
    nova_instance_set_vcpu_model(instance, model);
}

static void record_device(NovaInstance *instance, const GuestDiskInfo *disks, const char *name,
    void (*set)(NovaInstance *instance, const char *value))
{
    const GuestDisk *disk = guest_disk_info_find(disks, name);
    if (disk != NULL) {
        g_autofree char *path = g_strconcat("/dev/", disk->dev, NULL);
        set(instance, path);
    }
}

void guest_config_record(const GuestHost *host, const GuestInput *input, const VirtMachine *machine)
{
    NovaInstance *instance = input->instance;
    if (!nova_object_has(guest_image_properties(input->image), NOVA_IMAGE_META_PROPS_HW_MACHINE_TYPE)) {
        set_metadata(instance, "image_hw_machine_type", guest_image_machine_type(host->config, input->image));
    }
    record_cpu(instance, machine->cpu);
    record_device(instance, input->disks, "disk.local", nova_instance_set_default_ephemeral_device);
    if (!input->disks->rescue || input->disks->stable_rescue) {
        record_device(instance, input->disks, "disk.swap", nova_instance_set_default_swap_device);
    }
}

/* upstream REGISTER_IMAGE_PROPERTY_DEFAULTS */
static const char *const default_keys[] = {
    "image_hw_machine_type", "image_hw_cdrom_bus", "image_hw_disk_bus", "image_hw_input_bus", "image_hw_pointer_model", "image_hw_video_model",
    "image_hw_vif_model",
};

static bool has_default(const NovaInstance *instance, const char *key)
{
    return instance->system_metadata != NULL && g_hash_table_contains(instance->system_metadata, key);
}

bool guest_config_has_defaults(const NovaInstance *instance)
{
    for (size_t i = 0; i < G_N_ELEMENTS(default_keys); i++) {
        if (!has_default(instance, default_keys[i])) {
            return false;
        }
    }
    return true;
}

bool guest_config_register_defaults(const GuestHost *host, NovaInstance *instance, const NovaImageMeta *image, const GuestDiskInfo *disks,
    const VirtMachine *machine)
{
    GuestInput input = { .instance = instance, .image = image };
    g_auto(GuestBuild) build = { 0 };
    if (guest_config_has_defaults(instance) || !guest_build_init(&build, host, &input, NULL)) {
        return false;
    }
    const char *pointer = NULL, *bus = NULL;
    if (guest_config_pointer(&build, machine->os.type, &pointer, &bus) && strcmp(pointer, "tablet") == 0) {
        pointer = "usbtablet";
    }
    const char *const values[G_N_ELEMENTS(default_keys)] = {
        build.machine_type, disks->cdrom_bus, disks->disk_bus, bus, pointer, guest_config_video_model(&build, NULL), guest_config_vif_model(&build),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(default_keys); i++) {
        if (!has_default(instance, default_keys[i])) {
            set_metadata(instance, default_keys[i], values[i]);
        }
    }
    return true;
}
