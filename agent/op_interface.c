/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/guest.h"
#include "agent/network.h"
#include "agent/method_args.h"
#include "agent/operations.h"
#include "base/log.h"
#include "rpc/conductor.h"
#include "rpc/exception.h"

#define LOGGER "nova.compute.manager"

/* attach_interface, detach_interface, add_fixed_ip_to_instance, remove_fixed_ip_from_instance, inject_network_info
 * (spec/compute-rpc.md section 4). */

typedef struct {
    NdJson *vifs; /* what was allocated: one */
    NdJson *vif;  /* borrowed: attach from vifs, detach from cached */
    NdJson *cached;
    bool plugged; /* attach: the guest has it */
    GError *refused; /* why the hypervisor did not take the device */
} InterfaceData;

static void free_data(gpointer pointer)
{
    InterfaceData *data = pointer;
    json_object_put(data->vifs);
    json_object_put(data->cached);
    g_clear_error(&data->refused);
    g_free(data);
}

static bool prepare(Operation *operation, GError **error)
{
    operation->data = g_new0(InterfaceData, 1);
    return true;
}

/* --- attach --- */

static bool attach_step_allocate(Operation *operation, GError **error)
{
    InterfaceData *data = operation->data;
    g_autoptr(NovaNetworkRequest) request = nova_network_request_new();
    nova_network_request_set_network_id(request, method_args_string(operation->args, "network_id"));
    nova_network_request_set_port_id(request, method_args_string(operation->args, "port_id"));
    nova_network_request_set_address(request, method_args_string(operation->args, "requested_ip"));
    nova_network_request_set_tag(request, method_args_string(operation->args, "tag"));
    g_autoptr(NovaNetworkRequestList) requested = nova_network_request_list_new();
    nova_object_list_append(requested, request);
    if (!network_allocate(operation->agent, operation->context, operation->instance, requested, NULL, &data->vifs, error))
        return false;
    if (json_object_array_length(data->vifs) != 1) {
        nd_err(LOGGER, "allocate_for_instance returned %zu ports", json_object_array_length(data->vifs));
        nova_exception_set(error, NOVA_EXC_INTERFACE_ATTACH_FAILED, "instance_uuid", operation->instance->uuid, NULL);
        return false;
    }
    data->vif = json_object_array_get_idx(data->vifs, 0);
    return true;
}

static void attach_undo_allocate(Operation *operation)
{
    InterfaceData *data = operation->data;
    g_autoptr(GError) error = NULL;
    for (size_t i = 0; data->vifs && i < json_object_array_length(data->vifs); i++) {
        const char *port = nd_json_string(json_object_array_get_idx(data->vifs, i), "id", "");
        if (!network_deallocate_port(operation->agent, operation->context, operation->instance, port, NULL, &error))
            nd_warning(LOGGER, "port %s is left behind: %s", port, error->message);
        g_clear_error(&error);
    }
}

static bool attach_step_plug(Operation *operation, GError **error)
{
    InterfaceData *data = operation->data;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Guest) guest = guest_new(operation->agent, operation->context, operation->instance, NULL, &failure);
    data->plugged = guest && guest_attach_interface(guest, data->vif, &failure);
    if (data->plugged && guest_record_devices(guest, &failure))
        return true;
    nd_warning(LOGGER, "attach interface failed, try to deallocate port %s, reason: %s", nd_json_string(data->vif, "id", ""), failure->message);
    data->refused = g_steal_pointer(&failure);
    nova_exception_set(error, NOVA_EXC_INTERFACE_ATTACH_FAILED, "instance_uuid", operation->instance->uuid, NULL);
    return false;
}

/* Before the port goes. */
static void attach_undo_plug(Operation *operation)
{
    InterfaceData *data = operation->data;
    g_autoptr(GError) error = NULL;
    if (!data->plugged)
        return;
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    if (!guest_detach_interface(guest, data->vif, &error))
        nd_warning(LOGGER, "the interface of port %s is left in the guest: %s", nd_json_string(data->vif, "id", ""), error->message);
}

/* As upstream, only what the hypervisor refused is announced, when its port is gone again; a port that Neutron did not give is not. */
static bool attach_failed(Operation *operation, GError **error G_GNUC_UNUSED)
{
    const InterfaceData *data = operation->data;
    if (data->refused != NULL)
        operation_notify(operation, "interface_attach", OPERATION_NOTIFY_FAILED, data->refused);
    return false;
}

static bool attach_step_finish(Operation *operation, GError **error)
{
    InterfaceData *data = operation->data;
    if (!operation_save(operation, NULL, error))
        return false;
    operation_set_result(operation, json_object_get(data->vif));
    return true;
}

static const OperationStep attach_steps[] = {
    {"allocate", NULL, NULL, attach_step_allocate, attach_undo_allocate},
    {"plug", NULL, NULL, attach_step_plug, attach_undo_plug},
    {"finish", NULL, NULL, attach_step_finish, NULL},
};

const OperationSpec operation_attach_interface = {
    .method = "attach_interface",
    .notify = "interface_attach",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_ACTION_EVENT | OPERATION_INSTANCE_FAULT,
    .steps = attach_steps,
    .n_steps = G_N_ELEMENTS(attach_steps),
    .prepare = prepare,
    .on_failure = attach_failed,
    .free_data = free_data,
};

/* --- detach --- */

static bool detach_step_find(Operation *operation, GError **error)
{
    InterfaceData *data = operation->data;
    const char *port_id = method_args_string(operation->args, "port_id");
    g_autoptr(NovaInstanceInfoCache) cache =
        conductor_info_cache_get(operation->agent->conductor, operation->context, operation->instance->uuid, error);
    if (cache == NULL)
        return false;
    nova_instance_set_info_cache(operation->instance, cache);
    nova_object_unmark_changed(operation->instance, NOVA_INSTANCE_INFO_CACHE);
    data->cached = network_cached(operation->instance);
    for (size_t i = 0; i < json_object_array_length(data->cached); i++) {
        NdJson *vif = json_object_array_get_idx(data->cached, i);
        if (g_strcmp0(nd_json_string(vif, "id", NULL), port_id) == 0)
            data->vif = vif;
    }
    if (data->vif) { /* a port that is not attached is announced by nothing */
        operation_notify(operation, "interface_detach", OPERATION_NOTIFY_START, NULL);
        return true;
    }
    g_autofree char *text = g_strdup_printf("Port %s is not attached", port_id);
    nova_exception_set_text(error, NOVA_EXC_PORT_NOT_FOUND, text, "port_id", port_id, NULL);
    return false;
}

static bool detach_step_unplug(Operation *operation, GError **error)
{
    InterfaceData *data = operation->data;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Guest) guest = guest_new_to_destroy(operation->agent, operation->context, operation->instance);
    if (guest_detach_interface(guest, data->vif, &failure))
        return true;
    nd_warning(LOGGER, "Detach interface failed, port_id=%s, reason: %s", nd_json_string(data->vif, "id", ""), failure->message);
    nova_exception_set(error, NOVA_EXC_INTERFACE_DETACH_FAILED, "instance_uuid", operation->instance->uuid, NULL);
    return false;
}

static bool detach_step_release(Operation *operation, GError **error)
{
    if (!network_deallocate_port(operation->agent, operation->context, operation->instance, method_args_string(operation->args, "port_id"), NULL,
                                 error) ||
        !operation_save(operation, NULL, error))
        return false;
    operation_notify(operation, "interface_detach", OPERATION_NOTIFY_END, NULL);
    return true;
}

static const OperationStep detach_steps[] = {
    {"find", NULL, NULL, detach_step_find, NULL},
    {"unplug", NULL, NULL, detach_step_unplug, NULL},
    {"release", NULL, NULL, detach_step_release, NULL},
};

const OperationSpec operation_detach_interface = {
    .method = "detach_interface",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_ACTION_EVENT | OPERATION_INSTANCE_FAULT,
    .steps = detach_steps,
    .n_steps = G_N_ELEMENTS(detach_steps),
    .prepare = prepare,
    .free_data = free_data,
};

/* --- fixed addresses --- */

static bool touch(Operation *operation, GError **error)
{
    nova_instance_set_updated_at(operation->instance, g_get_real_time());
    return operation_save(operation, NULL, error);
}

static bool add_step(Operation *operation, GError **error)
{
    return network_add_fixed_ip(operation->agent, operation->context, operation->instance, method_args_string(operation->args, "network_id"),
                                error) &&
           touch(operation, error);
}

static bool remove_step(Operation *operation, GError **error)
{
    return network_remove_fixed_ip(operation->agent, operation->context, operation->instance, method_args_string(operation->args, "address"),
                                   error) &&
           touch(operation, error);
}

static const OperationStep add_steps[] = {{"add", NULL, NULL, add_step, NULL}};
static const OperationStep remove_steps[] = {{"remove", NULL, NULL, remove_step, NULL}};

/* nova-api starts no action for these two, so there is none that could get an event. */
const OperationSpec operation_add_fixed_ip_to_instance = {
    .method = "add_fixed_ip_to_instance",
    .notify = "create_ip",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT,
    .steps = add_steps,
    .n_steps = G_N_ELEMENTS(add_steps),
};

const OperationSpec operation_remove_fixed_ip_from_instance = {
    .method = "remove_fixed_ip_from_instance",
    .notify = "delete_ip",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT,
    .steps = remove_steps,
    .n_steps = G_N_ELEMENTS(remove_steps),
};

/* --- inject_network_info: nothing to put into a libvirt guest; the info cache is brought up to date, as upstream does --- */

static bool inject_step(Operation *operation, GError **error)
{
    return network_refresh(operation->agent, operation->context, operation->instance, NETWORK_REFRESH_CACHED, NULL, error);
}

static const OperationStep inject_steps[] = {{"refresh", NULL, NULL, inject_step, NULL}};

const OperationSpec operation_inject_network_info = {
    .method = "inject_network_info",
    .flags = OPERATION_INSTANCE_FAULT,
    .steps = inject_steps,
    .n_steps = G_N_ELEMENTS(inject_steps),
};
