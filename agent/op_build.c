/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/op_build.h"

#include "agent/external_events.h"
#include "agent/network.h"
#include "agent/notify.h"
#include "agent/operations.h"
#include "agent/server_group.h"
#include "agent/tracker.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/time.h"
#include "objects/network_model.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"
#include "virt/error.h"

#define LOGGER "nova.compute.manager"

/* build_and_run_instance (spec/compute-rpc.md section 4): the steps of upstream's _do_build_and_run_instance. */

static bool prepare(Operation *operation, GError **error)
{
    BuildData *data = g_new0(BuildData, 1);
    operation->data = data;
    data->image = method_args_json(operation->args, "image");
    data->requested = NOVA_NETWORK_REQUEST_LIST(method_args_object(operation->args, "requested_networks"));
    NovaObject *mappings = method_args_object(operation->args, "block_device_mapping");
    data->mappings = mappings ? nova_object_ref(mappings) : nova_block_device_mapping_list_new();
    return true;
}

static void free_data(gpointer pointer)
{
    BuildData *data = pointer;
    g_clear_pointer(&data->claim, tracker_claim_free);
    guest_free(data->guest);
    json_object_put(data->vifs);
    nova_block_device_mapping_list_unref(data->mappings);
    nova_image_meta_unref(data->image_meta);
    g_free(data);
}

/* For a crash before the info cache tells them apart: ports that the user brought are given back, not deleted. */
static bool remember_ports(Operation *operation, NovaNetworkRequestList *requested, GError **error)
{
    bool brought = false;
    for (guint i = 0; requested && i < nova_object_list_length(requested); i++)
        brought = brought || ((NovaNetworkRequest *)nova_object_list_get(requested, i))->port_id != NULL;
    if (!brought)
        return true;
    NdJson *data = json_object_new_object();
    nd_json_set(data, BUILD_REQUESTED_NETWORKS, nova_object_to_json(requested, NOVA_UNCLAMPED));
    return operation_remember(operation, data, error);
}

/* The request may be late: the user has deleted the server meanwhile, or it was delivered before. */
static bool step_begin(Operation *operation, GError **error)
{
    static const char *const expected[] = {"scheduling", OPERATION_EXPECT_NONE, NULL};
    BuildData *data = operation->data;
    g_autoptr(GError) failure = NULL;
    if (!remember_ports(operation, data->requested, error))
        return false;
    nd_debug(LOGGER, "Starting instance...");
    nova_instance_set_vm_state(operation->instance, "building");
    if (operation_save_task_state(operation, OPERATION_TASK_NONE, expected, &failure))
        return true;
    if (!nova_exception_matches(failure, NOVA_EXC_INSTANCE_NOT_FOUND) && !nova_exception_matches(failure, NOVA_EXC_UNEXPECTED_TASK_STATE_ERROR)) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    nd_debug(LOGGER, "the instance is not to be built any more: %s", failure->message);
    build_delete_allocations(operation);
    operation_finish_early(operation);
    return true;
}

static bool abort_build(Operation *operation, const char *reason, GError **error)
{
    nova_exception_set(error, NOVA_EXC_BUILD_ABORT_EXCEPTION, "instance_uuid", operation->instance->uuid, "reason", reason, NULL);
    return false;
}

static bool step_check(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    g_autoptr(NdJson) extra = json_object_new_object();
    nd_json_set_string(extra, "image_name", nd_json_string(data->image, "name", NULL));
    notify_instance_usage(operation->agent, operation->context, operation->instance, "create", OPERATION_NOTIFY_START, NULL, NULL, extra);

    g_autofree char *roles = g_strjoinv(",", (char **)operation->context->roles);
    nova_object_dict_set(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "boot_roles", roles);

    data->image_meta = nova_image_meta_from_dict(data->image, error);
    if (data->image_meta == NULL)
        return false;
    NdJson *accelerators = method_args_json(operation->args, "accel_uuids");
    if (json_object_is_type(accelerators, json_type_array) && json_object_array_length(accelerators) > 0)
        return abort_build(operation, "accelerators (Cyborg) are not supported by novad", error);
    if (operation->instance->trusted_certs)
        return abort_build(operation, "trusted image certificates are not supported on this host", error);
    return true;
}

static bool step_claim(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    data->claim = tracker_claim_instance(operation->agent->tracker, operation->context, operation->instance, error);
    return data->claim != NULL;
}

static void undo_claim(Operation *operation)
{
    BuildData *data = operation->data;
    g_autoptr(GError) error = NULL;
    if (data->claim && !tracker_claim_abort(operation->agent->tracker, operation->context, data->claim, operation->instance, &error))
        nd_warning(LOGGER, "the claim of a failed build is not fully taken back: %s", error->message);
}

static bool step_group_policy(Operation *operation, GError **error)
{
    NdJson *filters = method_args_json(operation->args, "filter_properties");
    return server_group_check_policy(operation->agent, operation->context, operation->instance,
                                     NOVA_REQUEST_SPEC(method_args_object(operation->args, "request_spec")), filters, error);
}

/* --- network --- */

static bool network_is_allocated(const NovaInstance *instance)
{
    const char *text = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "network_allocated");
    return text && g_ascii_strcasecmp(text, "true") == 0;
}

/* network_allocate_retries more attempts with a growing pause, as upstream; the pause ends when the daemon stops. */
static bool allocate_with_retries(Operation *operation, BuildData *data, GError **error)
{
    int attempts = 1 + (int)nd_config_int(operation->agent->config, "DEFAULT", "network_allocate_retries");
    gint64 pause_s = 1;
    for (int attempt = 1;; attempt++) {
        g_autoptr(GError) failure = NULL;
        if (network_allocate(operation->agent, operation->context, operation->instance, data->requested,
                             method_args_json(operation->args, "security_groups"), &data->vifs, &failure))
            return true;
        if (attempt >= attempts || operation_stopping(operation)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        nd_warning(LOGGER, "Instance failed network setup (attempt %d of %d): %s", attempt, attempts, failure->message);
        if (!agent_events_pause(operation->agent->events, operation->instance->uuid, pause_s * G_USEC_PER_SEC, error))
            return false;
        pause_s = MIN(pause_s * 2, 30);
    }
}

static bool step_network(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    if (network_is_allocated(operation->instance))
        return network_bind_to_host(operation->agent, operation->context, operation->instance, error) &&
               network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, &data->vifs, error);
    if (network_request_is_none(data->requested)) {
        nd_debug(LOGGER, "No network configured!");
        data->vifs = json_object_new_array();
        return true;
    }
    if (!allocate_with_retries(operation, data, error))
        return false;
    nova_object_dict_set(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "network_allocated", "True");
    return true;
}

static void undo_network(Operation *operation)
{
    BuildData *data = operation->data;
    g_autoptr(GError) error = NULL;
    if (network_request_is_none(data->requested))
        return;
    if (network_deallocate(operation->agent, operation->context, operation->instance, data->requested, &error))
        nova_object_dict_set(operation->instance, NOVA_INSTANCE_SYSTEM_METADATA, "network_allocated", "False");
    else
        nd_err(LOGGER, "Failed to deallocate networks: %s", error->message);
}

/* --- disks --- */

/* Which device each disk becomes; the records follow. */
static bool step_block_devices(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    NovaInstance *instance = operation->instance;
    GuestParts parts = {data->image_meta, data->vifs, data->mappings};
    data->guest = guest_new(operation->agent, operation->context, instance, &parts, error);
    if (data->guest == NULL)
        return false;
    const GuestDisk *root = guest_disk_info_find(data->guest->disks, "root");
    if (root && root->dev && instance->root_device_name == NULL) {
        g_autofree char *name = g_strconcat("/dev/", root->dev, NULL);
        nova_instance_set_root_device_name(instance, name);
    }
    guest_block_devices_store(data->guest->disks->devices, data->mappings);
    for (guint i = 0; i < nova_object_list_length(data->mappings); i++) {
        NovaBlockDeviceMapping *mapping = nova_object_list_get(data->mappings, i);
        if (g_strcmp0(mapping->destination_type, "volume") == 0)
            return abort_build(operation, "Cinder volumes are not supported by novad yet", error);
        if (nova_object_has_changes(mapping) &&
            !conductor_bdm_save(operation->agent->conductor, operation->context, mapping, error))
            return false;
    }
    return true;
}

/* --- guest --- */

static bool step_spawn(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    GuestSpawnOptions options = {
        .admin_password = method_args_string(operation->args, "admin_password"),
        .injected_files = method_args_json(operation->args, "injected_files"),
    };
    gint64 begun = g_get_monotonic_time();
    if (!guest_spawn(data->guest, &options, error))
        return false;
    nd_info(LOGGER, "Took %.2f seconds to spawn the instance on the hypervisor.", (double)(g_get_monotonic_time() - begun) / G_USEC_PER_SEC);
    return true;
}

static void undo_spawn(Operation *operation)
{
    BuildData *data = operation->data;
    g_autoptr(GError) error = NULL;
    if (data->guest && !guest_destroy(data->guest, true, &error)) {
        nd_warning(LOGGER, "Could not clean up failed build, not rescheduling. Error: %s", error->message);
        data->dirty = true;
    }
}

/* [DEFAULT]default_access_ip_network_name: addresses of that network become the server's access addresses. */
static void set_access_ips(Operation *operation, const BuildData *data)
{
    const char *wanted = nd_config_string(operation->agent->config, "DEFAULT", "default_access_ip_network_name");
    NovaInstance *instance = operation->instance;
    if (wanted == NULL || instance->access_ip_v4 || instance->access_ip_v6)
        return;
    for (guint i = 0; i < data->guest->interfaces->len; i++) {
        const NovaVif *vif = g_ptr_array_index(data->guest->interfaces, i);
        if (vif->network == NULL || g_strcmp0(vif->network->label, wanted) != 0)
            continue;
        g_autoptr(GPtrArray) ips = nova_vif_fixed_ips(vif);
        for (guint j = 0; j < ips->len; j++) {
            const NovaIp *ip = g_ptr_array_index(ips, j);
            if (ip->version == 4 && instance->access_ip_v4 == NULL)
                nova_instance_set_access_ip_v4(instance, ip->address);
            if (ip->version == 6 && instance->access_ip_v6 == NULL)
                nova_instance_set_access_ip_v6(instance, ip->address);
        }
        return;
    }
}

static bool step_finish(Operation *operation, GError **error)
{
    static const char *const expected[] = {"spawning", NULL};
    BuildData *data = operation->data;
    NovaInstance *instance = operation->instance;
    nova_object_dict_remove(instance, NOVA_INSTANCE_SYSTEM_METADATA, "network_allocated");
    set_access_ips(operation, data);
    nova_instance_set_power_state(instance, guest_power_state(operation->agent, instance, NULL));
    nova_instance_set_vm_state(instance, "active");
    /* A config drive that the configuration forced is the instance's own from now on (bug 1835822 upstream). */
    if (guest_needs_config_drive(operation->agent->config, instance) && (instance->config_drive == NULL || *instance->config_drive == '\0'))
        nova_instance_set_config_drive(instance, "True");
    nova_instance_set_launched_at(instance, nd_time_now());
    return operation_save_task_state(operation, OPERATION_TASK_NONE, expected, error);
}

static bool step_announce(Operation *operation, GError **error)
{
    BuildData *data = operation->data;
    tracker_build_succeeded(operation->agent->tracker);
    tracker_scheduler_update(operation->agent->tracker, operation->context, operation->instance);
    g_autoptr(NdJson) extra = json_object_new_object();
    nd_json_set_string(extra, "message", "Success");
    notify_instance_usage(operation->agent, operation->context, operation->instance, "create", OPERATION_NOTIFY_END, NULL, data->vifs, extra);
    nd_info(LOGGER, "Took %.2f seconds to build instance.", (double)(g_get_monotonic_time() - operation->begun_us) / G_USEC_PER_SEC);
    return true;
}

static const char *const from_none[] = {OPERATION_EXPECT_NONE, NULL};
static const char *const from_mapping[] = {"block_device_mapping", NULL};

static const OperationStep steps[] = {
    {"begin", NULL, NULL, step_begin, NULL},
    {"check", NULL, NULL, step_check, NULL},
    {"claim", NULL, NULL, step_claim, undo_claim},
    {"group-policy", NULL, NULL, step_group_policy, NULL},
    {"network", "networking", from_none, step_network, undo_network},
    {"block-devices", "block_device_mapping", NULL, step_block_devices, NULL},
    {"spawn", "spawning", from_mapping, step_spawn, undo_spawn},
    {"finish", NULL, NULL, step_finish, NULL},
    {"announce", NULL, NULL, step_announce, NULL},
};

const OperationSpec operation_build_and_run_instance = {
    .method = "build_and_run_instance",
    .event = "compute__do_build_and_run_instance",
    .flags = OPERATION_STANDARD,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
    .prepare = prepare,
    .on_failure = build_on_failure,
    .free_data = free_data,
    .recovery = OPERATION_RECOVER_UNDO,
    .recover = build_recover,
};
