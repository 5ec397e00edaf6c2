/* SPDX-License-Identifier: Apache-2.0 */
#include "virt/machine.h"

#include <string.h>

const char *virt_io_tune_name(VirtIoTune tune)
{
    static const char *const names[VIRT_IO_N] = {
        [VIRT_IO_READ_BYTES] = "read_bytes_sec",
        [VIRT_IO_READ_IOPS] = "read_iops_sec",
        [VIRT_IO_WRITE_BYTES] = "write_bytes_sec",
        [VIRT_IO_WRITE_IOPS] = "write_iops_sec",
        [VIRT_IO_TOTAL_BYTES] = "total_bytes_sec",
        [VIRT_IO_TOTAL_IOPS] = "total_iops_sec",
        [VIRT_IO_READ_BYTES_MAX] = "read_bytes_sec_max",
        [VIRT_IO_WRITE_BYTES_MAX] = "write_bytes_sec_max",
        [VIRT_IO_TOTAL_BYTES_MAX] = "total_bytes_sec_max",
        [VIRT_IO_READ_IOPS_MAX] = "read_iops_sec_max",
        [VIRT_IO_WRITE_IOPS_MAX] = "write_iops_sec_max",
        [VIRT_IO_TOTAL_IOPS_MAX] = "total_iops_sec_max",
        [VIRT_IO_SIZE_IOPS] = "size_iops_sec",
    };
    return names[tune];
}

static void disk_host_free(gpointer data)
{
    VirtDiskHost *host = data;
    g_free(host->name);
    g_free(host->port);
    g_free(host);
}

VirtDisk *virt_disk_new(void)
{
    VirtDisk *disk = g_new0(VirtDisk, 1);
    disk->source_hosts = g_ptr_array_new_with_free_func(disk_host_free);
    for (int i = 0; i < VIRT_IO_N; i++) {
        disk->io_tune[i] = -1;
    }
    return disk;
}

void virt_disk_free(VirtDisk *disk)
{
    if (disk == NULL) {
        return;
    }
    char **const strings[] = {
        &disk->source_type,   &disk->device,        &disk->driver_name,       &disk->driver_format,      &disk->driver_cache,
        &disk->driver_discard, &disk->driver_io,    &disk->source_path,       &disk->source_protocol,    &disk->source_name,
        &disk->auth_username, &disk->auth_secret_type, &disk->auth_secret_uuid, &disk->target_dev,       &disk->target_bus,
        &disk->serial,        &disk->logical_block_size, &disk->physical_block_size, &disk->encryption_format, &disk->encryption_secret_uuid,
        &disk->alias,         &disk->backing_path,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_free(*strings[i]);
    }
    g_ptr_array_unref(disk->source_hosts);
    g_free(disk);
}

VirtInterface *virt_interface_new(void)
{
    VirtInterface *interface = g_new0(VirtInterface, 1);
    interface->virtualport_names = g_ptr_array_new_with_free_func(g_free);
    interface->virtualport_values = g_ptr_array_new_with_free_func(g_free);
    interface->inbound = interface->outbound = (VirtBandwidth){ -1, -1, -1 };
    return interface;
}

void virt_interface_free(VirtInterface *interface)
{
    if (interface == NULL) {
        return;
    }
    char **const strings[] = {
        &interface->type,        &interface->mac,         &interface->model,      &interface->driver_name,      &interface->source,
        &interface->source_mode, &interface->source_path, &interface->target_dev, &interface->virtualport_type, &interface->alias,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_free(*strings[i]);
    }
    g_ptr_array_unref(interface->virtualport_names);
    g_ptr_array_unref(interface->virtualport_values);
    g_free(interface);
}

void virt_interface_add_parameter(VirtInterface *interface, const char *name, const char *value)
{
    g_ptr_array_add(interface->virtualport_names, g_strdup(name));
    g_ptr_array_add(interface->virtualport_values, g_strdup(value));
}

static void controller_free(gpointer data)
{
    VirtController *controller = data;
    g_free(controller->type);
    g_free(controller->model);
    g_free(controller);
}

static void chardev_free(gpointer data)
{
    VirtChardev *chardev = data;
    g_free(chardev->type);
    g_free(chardev->source_path);
    g_free(chardev->host);
    g_free(chardev->service);
    g_free(chardev->log_file);
    g_free(chardev->target_type);
    g_free(chardev->target_name);
    g_free(chardev->alias);
    g_free(chardev);
}

static void graphics_free(gpointer data)
{
    VirtGraphicsDevice *graphics = data;
    g_free(graphics->type);
    g_free(graphics->listen);
    g_free(graphics->keymap);
    g_free(graphics);
}

static void input_free(gpointer data)
{
    VirtInput *input = data;
    g_free(input->type);
    g_free(input->bus);
    g_free(input);
}

static void video_free(gpointer data)
{
    VirtVideo *video = data;
    g_free(video->model);
    g_free(video);
}

static void timer_free(gpointer data)
{
    VirtTimer *timer = data;
    g_free(timer->name);
    g_free(timer->tick_policy);
    g_free(timer);
}

static void metadata_ip_free(gpointer data)
{
    VirtMetadataIp *ip = data;
    g_free(ip->type);
    g_free(ip->address);
    g_free(ip);
}

static void metadata_port_free(gpointer data)
{
    VirtMetadataPort *port = data;
    g_free(port->uuid);
    g_ptr_array_unref(port->ips);
    g_free(port);
}

VirtMetadata *virt_metadata_new(void)
{
    VirtMetadata *metadata = g_new0(VirtMetadata, 1);
    metadata->ports = g_ptr_array_new_with_free_func(metadata_port_free);
    return metadata;
}

void virt_metadata_free(VirtMetadata *metadata)
{
    if (metadata == NULL) {
        return;
    }
    g_free(metadata->package);
    g_free(metadata->name);
    g_free(metadata->flavor_name);
    g_free(metadata->user_id);
    g_free(metadata->user_name);
    g_free(metadata->project_id);
    g_free(metadata->project_name);
    g_free(metadata->root_type);
    g_free(metadata->root_uuid);
    g_ptr_array_unref(metadata->ports);
    g_free(metadata);
}

VirtMetadataPort *virt_metadata_add_port(VirtMetadata *metadata, const char *uuid)
{
    VirtMetadataPort *port = g_new0(VirtMetadataPort, 1);
    port->uuid = g_strdup(uuid);
    port->ips = g_ptr_array_new_with_free_func(metadata_ip_free);
    g_ptr_array_add(metadata->ports, port);
    return port;
}

void virt_metadata_port_add_ip(VirtMetadataPort *port, const char *type, const char *address, int version)
{
    VirtMetadataIp *ip = g_new0(VirtMetadataIp, 1);
    ip->type = g_strdup(type);
    ip->address = g_strdup(address);
    ip->version = version;
    g_ptr_array_add(port->ips, ip);
}

static void cpu_feature_free(gpointer data)
{
    VirtCpuFeature *feature = data;
    g_free(feature->name);
    g_free(feature->policy);
    g_free(feature);
}

VirtCpu *virt_cpu_new(void)
{
    VirtCpu *cpu = g_new0(VirtCpu, 1);
    cpu->features = g_ptr_array_new_with_free_func(cpu_feature_free);
    return cpu;
}

void virt_cpu_free(VirtCpu *cpu)
{
    if (cpu == NULL) {
        return;
    }
    g_free(cpu->mode);
    g_free(cpu->match);
    g_free(cpu->model);
    g_free(cpu->vendor);
    g_ptr_array_unref(cpu->features);
    g_free(cpu);
}

void virt_cpu_add_feature(VirtCpu *cpu, const char *name, const char *policy)
{
    for (guint i = 0; i < cpu->features->len; i++) {
        const VirtCpuFeature *known = cpu->features->pdata[i];
        if (strcmp(known->name, name) == 0) {
            return;
        }
    }
    VirtCpuFeature *feature = g_new0(VirtCpuFeature, 1);
    feature->name = g_strdup(name);
    feature->policy = g_strdup(policy);
    g_ptr_array_add(cpu->features, feature);
}

static void tpm_free(VirtTpm *tpm)
{
    if (tpm != NULL) {
        g_free(tpm->model);
        g_free(tpm->version);
        g_free(tpm->secret_uuid);
        g_free(tpm);
    }
}

static void rng_free(VirtRng *rng)
{
    if (rng != NULL) {
        g_free(rng->backend_path);
        g_free(rng);
    }
}

static void iommu_free(VirtIommu *iommu)
{
    if (iommu != NULL) {
        g_free(iommu->model);
        g_free(iommu);
    }
}

VirtMachine *virt_machine_new(void)
{
    VirtMachine *machine = g_new0(VirtMachine, 1);
    machine->id = -1;
    machine->cpu_tune = (VirtCpuTune){ VIRT_UNSAID, VIRT_UNSAID, VIRT_UNSAID };
    machine->os.boot_devices = g_ptr_array_new_with_free_func(g_free);
    machine->timers = g_ptr_array_new_with_free_func(timer_free);
    machine->disks = g_ptr_array_new_with_free_func((GDestroyNotify) virt_disk_free);
    machine->controllers = g_ptr_array_new_with_free_func(controller_free);
    machine->interfaces = g_ptr_array_new_with_free_func((GDestroyNotify) virt_interface_free);
    machine->chardevs = g_ptr_array_new_with_free_func(chardev_free);
    machine->inputs = g_ptr_array_new_with_free_func(input_free);
    machine->graphics = g_ptr_array_new_with_free_func(graphics_free);
    machine->videos = g_ptr_array_new_with_free_func(video_free);
    machine->perf_events = g_ptr_array_new_with_free_func(g_free);
    return machine;
}

static void os_clear(VirtOs *os)
{
    g_free(os->type);
    g_free(os->arch);
    g_free(os->machine);
    g_free(os->kernel);
    g_free(os->initrd);
    g_free(os->cmdline);
    g_free(os->loader);
    g_free(os->loader_type);
    g_free(os->nvram);
    g_free(os->nvram_template);
    g_ptr_array_unref(os->boot_devices);
}

static void sysinfo_clear(VirtSysinfo *sysinfo)
{
    g_free(sysinfo->manufacturer);
    g_free(sysinfo->product);
    g_free(sysinfo->version);
    g_free(sysinfo->serial);
    g_free(sysinfo->uuid);
    g_free(sysinfo->family);
}

void virt_machine_free(VirtMachine *machine)
{
    if (machine == NULL) {
        return;
    }
    char **const strings[] = {
        &machine->type,         &machine->name,     &machine->uuid,           &machine->cpuset,          &machine->features.ioapic_driver,
        &machine->clock_offset, &machine->emulator, &machine->watchdog_model, &machine->watchdog_action, &machine->balloon_model,
        &machine->features.hyperv_vendor_id,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_free(*strings[i]);
    }
    GPtrArray *const arrays[] = {
        machine->timers, machine->disks,    machine->controllers, machine->interfaces,  machine->chardevs,
        machine->inputs, machine->graphics, machine->videos,      machine->perf_events,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(arrays); i++) {
        g_ptr_array_unref(arrays[i]);
    }
    virt_metadata_free(machine->metadata);
    sysinfo_clear(&machine->sysinfo);
    os_clear(&machine->os);
    virt_cpu_free(machine->cpu);
    tpm_free(machine->tpm);
    rng_free(machine->rng);
    iommu_free(machine->iommu);
    g_free(machine);
}

VirtController *virt_machine_add_controller(VirtMachine *machine, const char *type, const char *model, int index)
{
    VirtController *controller = g_new0(VirtController, 1);
    controller->type = g_strdup(type);
    controller->model = g_strdup(model);
    controller->index = index;
    g_ptr_array_add(machine->controllers, controller);
    return controller;
}

VirtChardev *virt_machine_add_chardev(VirtMachine *machine, VirtChardevKind kind, const char *type)
{
    VirtChardev *chardev = g_new0(VirtChardev, 1);
    chardev->kind = kind;
    chardev->type = g_strdup(type);
    chardev->target_port = -1;
    g_ptr_array_add(machine->chardevs, chardev);
    return chardev;
}

VirtInput *virt_machine_add_input(VirtMachine *machine, const char *type, const char *bus)
{
    VirtInput *input = g_new0(VirtInput, 1);
    input->type = g_strdup(type);
    input->bus = g_strdup(bus);
    g_ptr_array_add(machine->inputs, input);
    return input;
}

VirtGraphicsDevice *virt_machine_add_graphics(VirtMachine *machine, const char *type, const char *listen)
{
    VirtGraphicsDevice *graphics = g_new0(VirtGraphicsDevice, 1);
    graphics->type = g_strdup(type);
    graphics->listen = g_strdup(listen);
    graphics->port = graphics->tls_port = -1;
    g_ptr_array_add(machine->graphics, graphics);
    return graphics;
}

VirtTimer *virt_machine_add_timer(VirtMachine *machine, const char *name, const char *tick_policy, VirtState present)
{
    VirtTimer *timer = g_new0(VirtTimer, 1);
    timer->name = g_strdup(name);
    timer->tick_policy = g_strdup(tick_policy);
    timer->present = present;
    g_ptr_array_add(machine->timers, timer);
    return timer;
}
