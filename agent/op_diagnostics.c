/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/guest.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/objects.h"
#include "rpc/exception.h"
#include "virt/domain_stats.h"
#include "virt/error.h"

#include <string.h>

/* get_diagnostics, get_instance_diagnostics, trigger_crash_dump (spec/compute-rpc.md section 4; upstream libvirt/driver.py). */

#define LOGGER "nova.compute.manager"
#define KIB_PER_UNIT (1024 * 1024) /* upstream divides libvirt's KiB by units.Mi */

/* The numbers of a guest that runs; of another one InstanceInvalidState. */
static VirtDomainStats *stats_of_running(Operation *operation, GError **error)
{
    const NovaInstance *instance = operation->instance;
    VirtPowerState state = guest_power_state(operation->agent, instance, NULL);
    VirtDomainStats *stats;

    if (state != VIRT_POWER_RUNNING) {
        nova_exception_set(error, NOVA_EXC_INSTANCE_INVALID_STATE, "attr", "power state", "instance_uuid", instance->uuid, "state",
                           virt_power_state_name((VirtPowerState)instance->power_state), "method", operation->spec->method, NULL);
        return NULL;
    }
    nd_info(LOGGER, "Retrieving diagnostics");
    stats = virt_domain_get_stats(operation->agent->virt, instance->uuid, error);
    if (stats == NULL && virt_error_is_no_domain(*error)) {
        g_clear_error(error);
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", instance->uuid, NULL);
    }
    return stats;
}

/* "<name><suffix>": value; a counter that libvirt did not give (negative) is left out. */
static void set_counter(NdJson *to, const char *name, const char *suffix, gint64 value)
{
    g_autofree char *key = g_strconcat(name, suffix, NULL);

    if (value >= 0)
        nd_json_set_int(to, key, value);
}

/* Of errors -1 means that libvirt does not count them, and callers see it. */
static void set_error_counter(NdJson *to, const char *device, gint64 value)
{
    g_autofree char *key = g_strconcat(device, "_errors", NULL);

    nd_json_set_int(to, key, value);
}

static NdJson *flat_diagnostics(const VirtDomainStats *stats)
{
    NdJson *flat = json_object_new_object();

    for (guint i = 0; i < stats->vcpus->len; i++) {
        const VirtVcpuStats *vcpu = &g_array_index(stats->vcpus, VirtVcpuStats, i);
        g_autofree char *name = g_strdup_printf("cpu%u", vcpu->id);

        set_counter(flat, name, "_time", vcpu->time_ns);
    }
    for (guint i = 0; i < stats->blocks->len; i++) {
        const VirtBlockStats *block = &g_array_index(stats->blocks, VirtBlockStats, i);

        set_counter(flat, block->device, "_read_req", block->read_requests);
        set_counter(flat, block->device, "_read", block->read_bytes);
        set_counter(flat, block->device, "_write_req", block->write_requests);
        set_counter(flat, block->device, "_write", block->write_bytes);
        set_error_counter(flat, block->device, block->errors);
    }
    for (guint i = 0; i < stats->interfaces->len; i++) {
        const VirtInterfaceStats *nic = &g_array_index(stats->interfaces, VirtInterfaceStats, i);

        if (nic->device == NULL)
            continue;
        set_counter(flat, nic->device, "_rx", nic->rx_octets);
        set_counter(flat, nic->device, "_rx_packets", nic->rx_packets);
        set_counter(flat, nic->device, "_rx_errors", nic->rx_errors);
        set_counter(flat, nic->device, "_rx_drop", nic->rx_drop);
        set_counter(flat, nic->device, "_tx", nic->tx_octets);
        set_counter(flat, nic->device, "_tx_packets", nic->tx_packets);
        set_counter(flat, nic->device, "_tx_errors", nic->tx_errors);
        set_counter(flat, nic->device, "_tx_drop", nic->tx_drop);
    }
    nd_json_set_int(flat, "memory", (gint64)stats->max_memory_kib);
    for (guint i = 0; i < stats->memory->len; i++) {
        const VirtMemoryStat *memory = &g_array_index(stats->memory, VirtMemoryStat, i);

        set_counter(flat, "memory-", memory->name, memory->value);
    }
    return flat;
}

static bool get_diagnostics(Operation *operation, GError **error)
{
    g_autoptr(VirtDomainStats) stats = stats_of_running(operation, error);

    if (stats == NULL)
        return false;
    operation_set_result(operation, flat_diagnostics(stats));
    return true;
}

static const OperationStep diagnostics_steps[] = {{"read", NULL, NULL, get_diagnostics, NULL}};

const OperationSpec operation_get_diagnostics = {
    .method = "get_diagnostics",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = diagnostics_steps,
    .n_steps = G_N_ELEMENTS(diagnostics_steps),
};

static GPtrArray *new_list(void)
{
    return g_ptr_array_new_with_free_func(nova_object_unref);
}

static GPtrArray *cpu_details(const VirtDomainStats *stats)
{
    GPtrArray *list = new_list();

    for (guint i = 0; i < stats->vcpus->len; i++) {
        const VirtVcpuStats *vcpu = &g_array_index(stats->vcpus, VirtVcpuStats, i);
        NovaCpuDiagnostics *cpu = nova_cpu_diagnostics_new();

        nova_cpu_diagnostics_set_id(cpu, vcpu->id);
        nova_cpu_diagnostics_set_time(cpu, vcpu->time_ns);
        nova_object_set_null(cpu, NOVA_CPU_DIAGNOSTICS_UTILISATION);
        g_ptr_array_add(list, cpu);
    }
    return list;
}

static GPtrArray *disk_details(const VirtDomainStats *stats)
{
    GPtrArray *list = new_list();

    for (guint i = 0; i < stats->blocks->len; i++) {
        const VirtBlockStats *block = &g_array_index(stats->blocks, VirtBlockStats, i);
        NovaDiskDiagnostics *disk = nova_disk_diagnostics_new();

        nova_disk_diagnostics_set_read_bytes(disk, block->read_bytes);
        nova_disk_diagnostics_set_read_requests(disk, block->read_requests);
        nova_disk_diagnostics_set_write_bytes(disk, block->write_bytes);
        nova_disk_diagnostics_set_write_requests(disk, block->write_requests);
        nova_disk_diagnostics_set_errors_count(disk, block->errors);
        g_ptr_array_add(list, disk);
    }
    return list;
}

static void set_or_null(void *object, guint field, gint64 value)
{
    if (value >= 0)
        nova_object_set_int(object, field, value);
    else
        nova_object_set_null(object, field);
}

static GPtrArray *nic_details(const VirtDomainStats *stats)
{
    GPtrArray *list = new_list();

    for (guint i = 0; i < stats->interfaces->len; i++) {
        const VirtInterfaceStats *counted = &g_array_index(stats->interfaces, VirtInterfaceStats, i);
        NovaNicDiagnostics *nic = nova_nic_diagnostics_new();

        nova_nic_diagnostics_set_mac_address(nic, counted->mac);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_RX_OCTETS, counted->rx_octets);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_RX_ERRORS, counted->rx_errors);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_RX_DROP, counted->rx_drop);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_RX_PACKETS, counted->rx_packets);
        nova_object_set_null(nic, NOVA_NIC_DIAGNOSTICS_RX_RATE);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_TX_OCTETS, counted->tx_octets);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_TX_ERRORS, counted->tx_errors);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_TX_DROP, counted->tx_drop);
        set_or_null(nic, NOVA_NIC_DIAGNOSTICS_TX_PACKETS, counted->tx_packets);
        nova_object_set_null(nic, NOVA_NIC_DIAGNOSTICS_TX_RATE);
        g_ptr_array_add(list, nic);
    }
    return list;
}

static void set_memory(NovaDiagnostics *diagnostics, const VirtDomainStats *stats)
{
    g_autoptr(NovaMemoryDiagnostics) memory = nova_memory_diagnostics_new();

    nova_memory_diagnostics_set_maximum(memory, (gint64)(stats->max_memory_kib / KIB_PER_UNIT));
    nova_memory_diagnostics_set_used(memory, (gint64)(stats->memory_kib / KIB_PER_UNIT));
    nova_diagnostics_set_memory_details(diagnostics, memory);
}

static NovaDiagnostics *new_diagnostics(Operation *operation, const VirtDomainStats *stats)
{
    const NovaInstance *instance = operation->instance;
    NovaDiagnostics *diagnostics = nova_diagnostics_new();
    g_autoptr(GPtrArray) cpus = cpu_details(stats), disks = disk_details(stats), nics = nic_details(stats);

    nova_diagnostics_set_state(diagnostics, virt_power_state_name(stats->power_state));
    nova_diagnostics_set_driver(diagnostics, "libvirt");
    nova_diagnostics_set_hypervisor(diagnostics, nd_config_string(operation->agent->config, "libvirt", "virt_type"));
    nova_diagnostics_set_hypervisor_os(diagnostics, "linux");
    nova_diagnostics_set_config_drive(diagnostics, instance->config_drive != NULL && instance->config_drive[0] != '\0');
    if (nova_object_has(instance, NOVA_INSTANCE_LAUNCHED_AT))
        nova_diagnostics_set_uptime(diagnostics, (nd_time_now() - instance->launched_at) / G_USEC_PER_SEC);
    else
        nova_object_set_null(diagnostics, NOVA_DIAGNOSTICS_UPTIME);
    set_memory(diagnostics, stats);
    nova_diagnostics_set_num_cpus(diagnostics, cpus->len);
    nova_diagnostics_set_num_disks(diagnostics, disks->len);
    nova_diagnostics_set_num_nics(diagnostics, nics->len);
    nova_diagnostics_set_cpu_details(diagnostics, cpus);
    nova_diagnostics_set_disk_details(diagnostics, disks);
    nova_diagnostics_set_nic_details(diagnostics, nics);
    return diagnostics;
}

static bool get_instance_diagnostics(Operation *operation, GError **error)
{
    g_autoptr(VirtDomainStats) stats = stats_of_running(operation, error);
    g_autoptr(NovaDiagnostics) diagnostics = NULL;

    if (stats == NULL)
        return false;
    diagnostics = new_diagnostics(operation, stats);
    operation_set_result(operation, nova_object_to_json(diagnostics, operation->agent->release));
    return true;
}

static const OperationStep instance_diagnostics_steps[] = {{"read", NULL, NULL, get_instance_diagnostics, NULL}};

const OperationSpec operation_get_instance_diagnostics = {
    .method = "get_instance_diagnostics",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = instance_diagnostics_steps,
    .n_steps = G_N_ELEMENTS(instance_diagnostics_steps),
};

/* --- trigger_crash_dump: what comes of it is the guest's affair, so no state changes --- */

static bool inject_nmi(Operation *operation, GError **error)
{
    const char *uuid = operation->instance->uuid;
    g_autoptr(GError) failure = NULL;

    if (virt_domain_inject_nmi(operation->agent->virt, uuid, &failure))
        return true;
    if (virt_error_is_libvirt(failure, VIR_ERR_NO_SUPPORT))
        nova_exception_set(error, NOVA_EXC_TRIGGER_CRASH_DUMP_NOT_SUPPORTED, NULL);
    else if (virt_error_is_libvirt(failure, VIR_ERR_OPERATION_INVALID))
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_RUNNING, "instance_id", uuid, NULL);
    else if (virt_error_is_no_domain(failure))
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", uuid, NULL);
    else
        g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static const OperationStep crash_dump_steps[] = {{"inject", NULL, NULL, inject_nmi, NULL}};

const OperationSpec operation_trigger_crash_dump = {
    .method = "trigger_crash_dump",
    .notify = "trigger_crash_dump",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_ACTION_EVENT | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = crash_dump_steps,
    .n_steps = G_N_ELEMENTS(crash_dump_steps),
};
