/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "agent/instance_name.h"
#include "rpc/exception.h"

#include <string.h>

bool guest_build_init(GuestBuild *build, const GuestHost *host, const GuestInput *input, GError **error)
{
    const char *virt_type = guest_virt_type(host->config, error);
    if (virt_type == NULL) {
        return false;
    }
    if (input->instance->flavor == NULL) {
        nova_exception_set(error, NOVA_EXC_INTERNAL_ERROR, "err", "the instance has no flavor", NULL);
        return false;
    }
    build->host = host;
    build->config = host->config;
    build->input = input;
    build->instance = input->instance;
    build->flavor = input->instance->flavor;
    build->image = input->image;
    build->properties = guest_image_properties(input->image);
    build->virt_type = virt_type;
    build->arch = guest_image_emulated_architecture(input->image);
    build->machine_type = guest_image_machine_type(host->config, input->image);
    build->directory = g_build_filename(nd_config_string(host->config, "DEFAULT", "instances_path"), input->instance->uuid, NULL);
    return true;
}

void guest_build_clear(GuestBuild *build)
{
    g_free(build->directory);
    build->directory = NULL;
}

static bool refuse(GError **error, const char *what)
{
    g_autofree char *text = g_strdup_printf("the instance needs %s, which novad cannot give yet", what);
    nova_exception_set_text(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, text, NULL);
    return false;
}

/* Nothing that was asked for is left out silently. */
bool guest_config_refuse(const GuestBuild *build, GError **error)
{
    const NovaInstance *instance = build->instance;
    const NovaImageMetaProps *properties = build->properties;
    const struct {
        bool wanted;
        const char *what;
    } later[] = {
        { instance->numa_topology != NULL, "a NUMA topology" },
        { guest_flavor_spec(build->flavor, "hw:pmem") != NULL, "persistent memory" },
        { guest_text_is_true(guest_flavor_spec(build->flavor, "hw:mem_encryption")) || properties->hw_mem_encryption, "encrypted memory" },
        { properties->hw_firmware_stateless, "stateless firmware" },
        { instance->pci_devices != NULL && instance->pci_devices->objects != NULL && instance->pci_devices->objects->len > 0, "a PCI device" },
        { guest_text_is_true(guest_flavor_spec(build->flavor, "hw:ephemeral_encryption")) || properties->hw_ephemeral_encryption, "encrypted local disks" },
        { guest_flavor_spec(build->flavor, "accel:device_profile") != NULL, "an accelerator" },
    };
    for (size_t i = 0; i < G_N_ELEMENTS(later); i++) {
        if (later[i].wanted) {
            return refuse(error, later[i].what);
        }
    }
    return true;
}

/* upstream _get_guest_memory_backing_config, without huge pages (they come with a NUMA topology). */
bool guest_config_memory_backing(GuestBuild *build, GError **error)
{
    VirtMemoryBacking *backing = &build->machine->memory_backing;
    bool locked;
    const char *shared = nd_config_string(build->config, "compute", "cpu_shared_set");
    if (guest_text_is_true(guest_flavor_spec(build->flavor, "hw:cpu_realtime"))) {
        if (g_strcmp0(guest_flavor_spec(build->flavor, "hw:emulator_threads_policy"), "share") == 0 && (shared == NULL || *shared == '\0')) {
            nova_exception_set_text(error, NOVA_EXC_REALTIME_MASK_NOT_FOUND_OR_INVALID, "real-time CPUs with shared emulator threads need [compute]cpu_shared_set", NULL);
            return false;
        }
        backing->locked = backing->no_share_pages = true;
    }
    if (nd_config_int(build->config, "libvirt", "file_backed_memory") > 0) {
        backing->source_file = backing->access_shared = backing->allocation_immediate = backing->discard = true;
    }
    if (!guest_constraint_locked_memory(build, &locked, error)) {
        return false;
    }
    backing->locked = backing->locked || locked;
    return true;
}

static void add_ports(VirtMetadata *metadata, const GPtrArray *vifs)
{
    for (guint i = 0; vifs != NULL && i < vifs->len; i++) {
        const NovaVif *vif = vifs->pdata[i];
        VirtMetadataPort *port = virt_metadata_add_port(metadata, vif->id);
        g_autoptr(GPtrArray) ips = nova_vif_fixed_ips(vif);
        for (guint j = 0; j < ips->len; j++) {
            const NovaIp *ip = ips->pdata[j];
            virt_metadata_port_add_ip(port, ip->type, ip->address, ip->version);
        }
    }
}

static char *owner_name(const NovaInstance *instance, const char *key)
{
    const char *name = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, key);
    return g_strdup(name != NULL ? name : "N/A");
}

VirtMetadata *guest_config_metadata(const GuestHost *host, NovaInstance *instance, const GPtrArray *vifs, gint64 creation_time)
{
    VirtMetadata *metadata = virt_metadata_new();
    const NovaFlavor *flavor = instance->flavor;
    metadata->package = g_strdup(host->package_version);
    metadata->name = g_strdup(instance->display_name);
    metadata->creation_time = creation_time;
    if (flavor != NULL) {
        metadata->flavor_name = g_strdup(flavor->name);
        metadata->flavor_memory_mib = flavor->memory_mb;
        metadata->flavor_disk_gib = flavor->root_gb;
        metadata->flavor_swap_mib = flavor->swap;
        metadata->flavor_ephemeral_gib = flavor->ephemeral_gb;
        metadata->flavor_vcpus = flavor->vcpus;
    }
    metadata->user_id = g_strdup(instance->user_id);
    metadata->user_name = owner_name(instance, "owner_user_name");
    metadata->project_id = g_strdup(instance->project_id);
    metadata->project_name = owner_name(instance, "owner_project_name");
    if (instance->image_ref != NULL && *instance->image_ref != '\0') {
        metadata->root_type = g_strdup("image");
        metadata->root_uuid = g_strdup(instance->image_ref);
    }
    add_ports(metadata, vifs);
    return metadata;
}

static bool add_interfaces(GuestBuild *build, GError **error)
{
    const GPtrArray *vifs = build->input->vifs;
    for (guint i = 0; vifs != NULL && i < vifs->len; i++) {
        VirtInterface *interface = guest_config_vif(build, vifs->pdata[i], error);
        if (interface == NULL) {
            return false;
        }
        g_ptr_array_add(build->machine->interfaces, interface);
    }
    return true;
}

static void set_basics(GuestBuild *build)
{
    VirtMachine *machine = build->machine;
    machine->type = g_strdup(build->virt_type);
    machine->name = agent_instance_name(build->config, build->instance);
    machine->uuid = g_strdup(build->instance->uuid);
    machine->memory_kib = (guint64) MAX(build->flavor->memory_mb, 0) * 1024;
    machine->vcpus = (unsigned) CLAMP(build->flavor->vcpus, 0, G_MAXUINT);
    machine->metadata = guest_config_metadata(build->host, build->instance, build->input->vifs, build->input->creation_time);
    for (char **event = build->host->perf_events; event != NULL && *event != NULL; event++) {
        g_ptr_array_add(machine->perf_events, g_strdup(*event));
    }
}

VirtMachine *guest_config(const GuestHost *host, const GuestInput *input, GError **error)
{
    g_auto(GuestBuild) build = { 0 };
    g_autoptr(VirtMachine) machine = virt_machine_new();
    build.machine = machine;
    if (!guest_build_init(&build, host, input, error) || !guest_config_refuse(&build, error)) {
        return NULL;
    }
    set_basics(&build);
    if (!guest_config_cpuset(&build, error) || !guest_config_memory_backing(&build, error) || !guest_config_cpu_tune(&build, error) ||
        !guest_config_cpu(&build, error) || !guest_config_os(&build, error) || !guest_config_features(&build, error)) {
        return NULL;
    }
    guest_config_clock(&build);
    if (!guest_config_storage(&build, error) || !add_interfaces(&build, error) || !guest_config_consoles(&build, error) ||
        !guest_config_devices(&build, error)) {
        return NULL;
    }
    return g_steal_pointer(&machine);
}
