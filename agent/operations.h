/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/operation.h"

/* Every operation's table, each in its own agent/op_*.c. */

/* op_cache_images.c */
extern const OperationSpec operation_cache_images;
/* op_power.c */
extern const OperationSpec operation_stop_instance;
extern const OperationSpec operation_start_instance;
extern const OperationSpec operation_reboot_instance;
/* op_pause.c */
extern const OperationSpec operation_pause_instance;
extern const OperationSpec operation_unpause_instance;
extern const OperationSpec operation_suspend_instance;
extern const OperationSpec operation_resume_instance;
/* op_rebuild.c */
extern const OperationSpec operation_rebuild_instance;
/* op_resize.c, op_resize_finish.c, op_resize_revert.c */
extern const OperationSpec operation_prep_resize;
extern const OperationSpec operation_resize_instance;
extern const OperationSpec operation_finish_resize;
extern const OperationSpec operation_confirm_resize;
extern const OperationSpec operation_revert_resize;
extern const OperationSpec operation_finish_revert_resize;
/* op_shelve.c, op_unshelve.c */
extern const OperationSpec operation_shelve_instance;
extern const OperationSpec operation_shelve_offload_instance;
extern const OperationSpec operation_unshelve_instance;
/* op_soft_delete.c */
extern const OperationSpec operation_soft_delete_instance;
extern const OperationSpec operation_restore_instance;
/* op_console.c */
extern const OperationSpec operation_get_console_output;
extern const OperationSpec operation_get_vnc_console;
extern const OperationSpec operation_get_spice_console;
extern const OperationSpec operation_get_serial_console;
extern const OperationSpec operation_get_rdp_console;
extern const OperationSpec operation_get_mks_console;
extern const OperationSpec operation_validate_console_port;
/* op_diagnostics.c */
extern const OperationSpec operation_get_diagnostics;
extern const OperationSpec operation_get_instance_diagnostics;
extern const OperationSpec operation_trigger_crash_dump;
/* op_guest_agent.c */
extern const OperationSpec operation_quiesce_instance;
extern const OperationSpec operation_unquiesce_instance;
extern const OperationSpec operation_set_admin_password;
/* op_rescue.c */
extern const OperationSpec operation_rescue_instance;
extern const OperationSpec operation_unrescue_instance;
/* op_snapshot.c */
extern const OperationSpec operation_snapshot_instance;
extern const OperationSpec operation_backup_instance;
/* op_host.c */
extern const OperationSpec operation_get_host_uptime;
extern const OperationSpec operation_set_host_enabled;
extern const OperationSpec operation_host_power_action;
extern const OperationSpec operation_host_maintenance_mode;
/* shared_storage.c */
extern const OperationSpec operation_check_instance_shared_storage;
/* op_build.c */
extern const OperationSpec operation_build_and_run_instance;
/* op_terminate.c */
extern const OperationSpec operation_terminate_instance;
extern const OperationSpec operation_reclaim_instance; /* of the periodic task, no method */
/* op_interface.c */
extern const OperationSpec operation_attach_interface;
extern const OperationSpec operation_detach_interface;
extern const OperationSpec operation_add_fixed_ip_to_instance;
extern const OperationSpec operation_remove_fixed_ip_from_instance;
extern const OperationSpec operation_inject_network_info;
/* op_external_event.c */
extern const OperationSpec operation_external_instance_event;
