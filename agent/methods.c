/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/methods.h"

#include "agent/operations.h"

#include <string.h>

/* The newest compute RPC version served (spec/versions.md section 4); callers of every release from Zed on are satisfied by it. */
#define COMPUTE_RPC_VERSION "6.5"

static bool refuse(Operation *operation, GError **error)
{
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_UNSUPPORTED, "%s is not implemented", operation->spec->method);
    return false;
}

static const OperationStep refuse_steps[] = {{"refuse", NULL, NULL, refuse, NULL}};

/*
 * Methods that novad does not have yet. They fail as they would in a driver that cannot do it: NotImplementedError, with event and fault, and
 * the task state is given back, so that the server does not stick. The list shrinks with each operation that is added.
 */
#define REFUSED(method_name, method_flags) \
    static const OperationSpec refused_##method_name = { \
        .method = #method_name, .flags = (method_flags), .steps = refuse_steps, .n_steps = G_N_ELEMENTS(refuse_steps)}

#define WE OPERATION_WRAP_EXCEPTION
#define RT OPERATION_REVERT_TASK_STATE
#define EV OPERATION_ACTION_EVENT
#define EM OPERATION_ERROR_OUT_MIGRATION
#define IF OPERATION_INSTANCE_FAULT

REFUSED(prep_snapshot_based_resize_at_dest, WE | EV | IF);
REFUSED(prep_snapshot_based_resize_at_source, WE | RT | EV | IF);
REFUSED(finish_snapshot_based_resize_at_dest, WE | RT | EV | EM | IF);
REFUSED(confirm_snapshot_based_resize_at_source, WE | EV | IF);
REFUSED(revert_snapshot_based_resize_at_dest, WE | RT | EV | EM | IF);
REFUSED(finish_revert_snapshot_based_resize_at_source, WE | RT | EV | EM | IF);
REFUSED(check_can_live_migrate_destination, WE | EV | IF);
REFUSED(check_can_live_migrate_source, WE | EV | IF);
REFUSED(pre_live_migration, WE | EV | IF);
REFUSED(live_migration, WE | EV | EM | IF | RT);
REFUSED(live_migration_force_complete, WE | EV | IF);
REFUSED(live_migration_abort, WE | EV | IF);
REFUSED(post_live_migration_at_destination, WE | EV | IF);
REFUSED(rollback_live_migration_at_destination, WE | EV | IF);
REFUSED(drop_move_claim_at_destination, 0);
REFUSED(remove_volume_connection, WE);
REFUSED(reserve_block_device_name, WE | RT | IF); /* nova-api reserves the volume in Cinder next, which a refused attach_volume would not take back */
REFUSED(attach_volume, WE | EV | IF);
REFUSED(detach_volume, WE | EV | IF);
REFUSED(swap_volume, WE | EV | IF);
REFUSED(volume_snapshot_create, WE);
REFUSED(volume_snapshot_delete, WE);
REFUSED(allow_share, WE | EV | IF);
REFUSED(deny_share, WE | EV | IF);

/* clang-format off */
static const MethodSpec methods[] = {
    /* life */
    {"build_and_run_instance",
     "instance:Instance, image:any?, request_spec:RequestSpec?, filter_properties:any?, accel_uuids:any?=, admin_password:str?=, injected_files:any?=, "
     "requested_networks:NetworkRequestList?=, security_groups:any?=, block_device_mapping:BlockDeviceMappingList?=, node:str?=, limits:any?=, host_list:any?=",
     METHOD_LANE, &operation_build_and_run_instance, METHOD_BUILDS},
    {"terminate_instance", "instance:Instance, bdms:BlockDeviceMappingList?", METHOD_LANE, &operation_terminate_instance, 0},
    {"stop_instance", "instance:Instance, clean_shutdown:bool", METHOD_LANE, &operation_stop_instance, 0},
    {"start_instance", "instance:Instance", METHOD_LANE, &operation_start_instance, 0},
    {"reboot_instance", "instance:Instance, block_device_info:any?, reboot_type:str", METHOD_LANE, &operation_reboot_instance, 0},
    {"pause_instance", "instance:Instance", METHOD_LANE, &operation_pause_instance, 0},
    {"unpause_instance", "instance:Instance", METHOD_LANE, &operation_unpause_instance, 0},
    {"suspend_instance", "instance:Instance", METHOD_LANE, &operation_suspend_instance, 0},
    {"resume_instance", "instance:Instance", METHOD_LANE, &operation_resume_instance, 0},
    {"rescue_instance", "instance:Instance, rescue_password:str?, rescue_image_ref:str?, clean_shutdown:bool", METHOD_LANE, &operation_rescue_instance, 0},
    {"unrescue_instance", "instance:Instance", METHOD_LANE, &operation_unrescue_instance, 0},
    {"soft_delete_instance", "instance:Instance", METHOD_LANE, &operation_soft_delete_instance, 0},
    {"restore_instance", "instance:Instance", METHOD_LANE, &operation_restore_instance, 0},
    {"trigger_crash_dump", "instance:Instance", METHOD_LANE, &operation_trigger_crash_dump, 0},
    {"set_admin_password", "instance:Instance, new_pass:str?", METHOD_LANE, &operation_set_admin_password, 0},
    /* images */
    {"snapshot_instance", "image_id:str, instance:Instance", METHOD_LANE, &operation_snapshot_instance, METHOD_SNAPSHOTS},
    {"backup_instance", "image_id:str, instance:Instance, backup_type:str, rotation:int", METHOD_LANE, &operation_backup_instance, METHOD_SNAPSHOTS},
    {"shelve_instance", "instance:Instance, image_id:str?, clean_shutdown:bool, accel_uuids:any?=", METHOD_LANE, &operation_shelve_instance, 0},
    {"shelve_offload_instance", "instance:Instance, clean_shutdown:bool, accel_uuids:any?=", METHOD_LANE, &operation_shelve_offload_instance, 0},
    {"unshelve_instance", "instance:Instance, image:any?, filter_properties:any?, node:str?, request_spec:RequestSpec, accel_uuids:any?=", METHOD_LANE,
     &operation_unshelve_instance, 0},
    {"rebuild_instance",
     "instance:Instance, orig_image_ref:str?, image_ref:str?, injected_files:any?, new_pass:str?, orig_sys_metadata:any?, bdms:BlockDeviceMappingList?, "
     "recreate:bool?, on_shared_storage:bool?, preserve_ephemeral:bool?, migration:Migration?, scheduled_node:str?, limits:any?, request_spec:RequestSpec?, "
     "accel_uuids:any?=, reimage_boot_volume:bool?=, target_state:str?=",
     METHOD_LANE, &operation_rebuild_instance, 0},
    {"cache_images", "image_ids:list", METHOD_HOST, &operation_cache_images, 0},
    /* moves */
    {"prep_resize",
     "instance:Instance, image:any?, flavor:Flavor, request_spec:RequestSpec?, filter_properties:any?, node:str?, clean_shutdown:bool, migration:Migration?, "
     "host_list:any?=",
     METHOD_LANE, &operation_prep_resize, 0},
    {"resize_instance", "instance:Instance, image:any?, migration:Migration, flavor:Flavor, clean_shutdown:bool, request_spec:RequestSpec?=", METHOD_LANE,
     &operation_resize_instance, 0},
    {"finish_resize", "instance:Instance, image:any?, migration:Migration, disk_info:any?, request_spec:RequestSpec?=", METHOD_LANE, &operation_finish_resize, 0},
    {"confirm_resize", "instance:Instance, migration:Migration", METHOD_LANE, &operation_confirm_resize, 0},
    {"revert_resize", "instance:Instance, migration:Migration, request_spec:RequestSpec?=", METHOD_LANE, &operation_revert_resize, 0},
    {"finish_revert_resize", "instance:Instance, migration:Migration, request_spec:RequestSpec?=", METHOD_LANE, &operation_finish_revert_resize, 0},
    {"prep_snapshot_based_resize_at_dest", "instance:Instance, flavor:Flavor, nodename:str, migration:Migration, limits:any?, request_spec:RequestSpec?=",
     METHOD_LANE, &refused_prep_snapshot_based_resize_at_dest, 0},
    {"prep_snapshot_based_resize_at_source", "instance:Instance, migration:Migration, snapshot_id:str?=", METHOD_LANE,
     &refused_prep_snapshot_based_resize_at_source, 0},
    {"finish_snapshot_based_resize_at_dest", "instance:Instance, migration:Migration, snapshot_id:str?, request_spec:RequestSpec?=", METHOD_LANE,
     &refused_finish_snapshot_based_resize_at_dest, 0},
    {"confirm_snapshot_based_resize_at_source", "instance:Instance, migration:Migration", METHOD_LANE, &refused_confirm_snapshot_based_resize_at_source, 0},
    {"revert_snapshot_based_resize_at_dest", "instance:Instance, migration:Migration", METHOD_LANE, &refused_revert_snapshot_based_resize_at_dest, 0},
    {"finish_revert_snapshot_based_resize_at_source", "instance:Instance, migration:Migration", METHOD_LANE,
     &refused_finish_revert_snapshot_based_resize_at_source, 0},
    {"check_can_live_migrate_destination",
     "instance:Instance, block_migration:bool?, disk_over_commit:bool?, migration:Migration?=, limits:any?=", METHOD_LANE,
     &refused_check_can_live_migrate_destination, 0},
    {"check_can_live_migrate_source", "instance:Instance, dest_check_data:LibvirtLiveMigrateData", METHOD_QUICK, &refused_check_can_live_migrate_source, 0},
    {"pre_live_migration", "instance:Instance, disk:any?, migrate_data:LibvirtLiveMigrateData", METHOD_LANE, &refused_pre_live_migration, 0},
    {"live_migration", "dest:str, instance:Instance, block_migration:bool?, migration:Migration?, migrate_data:LibvirtLiveMigrateData?", METHOD_LANE,
     &refused_live_migration, METHOD_LIVE_MIGRATIONS},
    {"live_migration_force_complete", "instance:Instance", METHOD_QUICK, &refused_live_migration_force_complete, 0},
    {"live_migration_abort", "instance:Instance, migration_id:int", METHOD_QUICK, &refused_live_migration_abort, 0},
    {"post_live_migration_at_destination", "instance:Instance, block_migration:bool?", METHOD_LANE, &refused_post_live_migration_at_destination, 0},
    {"rollback_live_migration_at_destination", "instance:Instance, destroy_disks:bool, migrate_data:LibvirtLiveMigrateData", METHOD_LANE,
     &refused_rollback_live_migration_at_destination, 0},
    {"drop_move_claim_at_destination", "instance:Instance", METHOD_LANE, &refused_drop_move_claim_at_destination, 0},
    {"remove_volume_connection", "instance:Instance, volume_id:str, delete_attachment:bool?=", METHOD_LANE, &refused_remove_volume_connection, 0},
    {"check_instance_shared_storage", "instance:Instance=, data:any", METHOD_QUICK, &operation_check_instance_shared_storage, 0},
    /* volumes */
    {"reserve_block_device_name",
     "instance:Instance, device:str?, volume_id:str, disk_bus:str?, device_type:str?, tag:str?=, multiattach:bool?=", METHOD_LANE,
     &refused_reserve_block_device_name, 0},
    {"attach_volume", "instance:Instance, bdm:BlockDeviceMapping", METHOD_LANE, &refused_attach_volume, 0},
    {"detach_volume", "volume_id:str, instance:Instance, attachment_id:str?=", METHOD_LANE, &refused_detach_volume, 0},
    {"swap_volume", "instance:Instance, old_volume_id:str, new_volume_id:str, new_attachment_id:str?=", METHOD_LANE, &refused_swap_volume, 0},
    {"volume_snapshot_create", "instance:Instance, volume_id:str, create_info:any", METHOD_LANE, &refused_volume_snapshot_create, 0},
    {"volume_snapshot_delete", "instance:Instance, volume_id:str, snapshot_id:str, delete_info:any", METHOD_LANE, &refused_volume_snapshot_delete, 0},
    /* network */
    {"attach_interface", "instance:Instance, network_id:str?, port_id:str?, requested_ip:str?, tag:str?=", METHOD_LANE, &operation_attach_interface, 0},
    {"detach_interface", "instance:Instance, port_id:str", METHOD_LANE, &operation_detach_interface, 0},
    {"add_fixed_ip_to_instance", "instance:Instance, network_id:str", METHOD_LANE, &operation_add_fixed_ip_to_instance, 0},
    {"remove_fixed_ip_from_instance", "instance:Instance, address:str", METHOD_LANE, &operation_remove_fixed_ip_from_instance, 0},
    {"inject_network_info", "instance:Instance", METHOD_LANE, &operation_inject_network_info, 0},
    {"external_instance_event", "instances:[Instance], events:[InstanceExternalEvent]", METHOD_QUICK, &operation_external_instance_event, 0},
    /* consoles and facts */
    {"get_console_output", "instance:Instance, tail_length:any?", METHOD_QUICK, &operation_get_console_output, 0},
    {"get_vnc_console", "instance:Instance, console_type:str", METHOD_QUICK, &operation_get_vnc_console, 0},
    {"get_spice_console", "instance:Instance, console_type:str", METHOD_QUICK, &operation_get_spice_console, 0},
    {"get_serial_console", "instance:Instance, console_type:str", METHOD_QUICK, &operation_get_serial_console, 0},
    {"get_mks_console", "instance:Instance, console_type:str", METHOD_QUICK, &operation_get_mks_console, 0},
    {"get_rdp_console", "instance:Instance, console_type:str", METHOD_QUICK, &operation_get_rdp_console, 0},
    {"validate_console_port", "instance:Instance, port:any, console_type:str", METHOD_QUICK, &operation_validate_console_port, 0},
    {"get_diagnostics", "instance:Instance", METHOD_QUICK, &operation_get_diagnostics, 0},
    {"get_instance_diagnostics", "instance:Instance", METHOD_QUICK, &operation_get_instance_diagnostics, 0},
    {"quiesce_instance", "instance:Instance", METHOD_QUICK, &operation_quiesce_instance, 0},
    {"unquiesce_instance", "instance:Instance, mapping:any?=", METHOD_QUICK, &operation_unquiesce_instance, 0},
    /* host */
    {"host_power_action", "action:str", METHOD_QUICK, &operation_host_power_action, 0},
    {"host_maintenance_mode", "host:str, mode:any?", METHOD_QUICK, &operation_host_maintenance_mode, 0},
    {"set_host_enabled", "enabled:bool", METHOD_QUICK, &operation_set_host_enabled, 0},
    {"get_host_uptime", "", METHOD_QUICK, &operation_get_host_uptime, 0},
    /* shares, 2025.1 */
    {"allow_share", "instance:Instance, share_mapping:ShareMapping", METHOD_LANE, &refused_allow_share, 0},
    {"deny_share", "instance:Instance, share_mapping:ShareMapping", METHOD_LANE, &refused_deny_share, 0},
};
/* clang-format on */

static MethodSignature *signatures[G_N_ELEMENTS(methods)];
static RpcMethod rpc_methods[G_N_ELEMENTS(methods)];
static GHashTable *by_name; /* name -> MethodSpec */

/* The argument names as rpc/server.h wants them: "name?" for those that may be missing. Lives as long as the process. */
static const char *const *rpc_names(const MethodSignature *signature)
{
    guint n = method_signature_n_args(signature);
    const char **names = g_new0(const char *, n + 1);

    for (guint i = 0; i < n; i++)
        names[i] = g_strconcat(method_signature_arg_name(signature, i), method_signature_arg_is_optional(signature, i) ? "?" : NULL, NULL);
    return names;
}

void methods_init(void)
{
    if (by_name != NULL)
        return;
    by_name = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < G_N_ELEMENTS(methods); i++) {
        signatures[i] = method_signature_new(methods[i].name, methods[i].signature);
        rpc_methods[i] = (RpcMethod){methods[i].name, rpc_names(signatures[i])};
        g_hash_table_insert(by_name, (char *)methods[i].name, (MethodSpec *)&methods[i]);
    }
}

const MethodSpec *methods_lookup(const char *name)
{
    return g_hash_table_lookup(by_name, name);
}

const MethodSignature *methods_signature(const MethodSpec *method)
{
    return signatures[method - methods];
}

const RpcEndpoint *methods_endpoints(size_t *n)
{
    static const RpcEndpoint endpoints[] = {{NULL, COMPUTE_RPC_VERSION, rpc_methods, G_N_ELEMENTS(rpc_methods)}};

    *n = G_N_ELEMENTS(endpoints);
    return endpoints;
}

const MethodSpec *methods_table(guint *n)
{
    *n = G_N_ELEMENTS(methods);
    return methods;
}
