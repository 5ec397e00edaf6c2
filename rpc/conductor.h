/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/json.h"
#include "base/release.h"
#include "objects/objects.h"
#include "rpc/client.h"
#include "rpc/context.h"

#include <stdbool.h>

/*
 * What a compute asks of the conductor: the remotable methods of nova's objects (spec/conductor-rpc.md sections 1 to 3), typed. One source file a
 * family: rpc/conductor_instance.c, conductor_service.c ... Every function blocks for one call (60 s at most), may be used from any worker thread, and
 * fails with what the conductor raised (NOVA_EXCEPTION), or RPC_ERROR_*.
 *
 * Instance methods (save, refresh, create ...) write the conductor's updates into the object that is passed, under no lock: one thread works
 * on an object at a time. Functions that return an object return a new reference.
 */
typedef struct Conductor Conductor;

Conductor *conductor_new(RpcClient *client);
Conductor *conductor_ref(Conductor *conductor);
void conductor_unref(Conductor *conductor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Conductor, conductor_unref)
RpcClient *conductor_client(Conductor *conductor);
/* The release that the control plane has (ND_RELEASE_ZED until set): objects are sent with its versions, and asked for in them. Any thread. */
void conductor_set_release(Conductor *conductor, NdRelease release);
NdRelease conductor_release(Conductor *conductor);

/* --- conductor.c: the two calls everything else stands on --- */

/* object_action: runs `method` on the conductor with this object; applies the updates to it. Takes args (array) and kwargs (object); NULL = empty.
 * *value (may be NULL) is the method's own return value, a new reference. Only identifying and changed fields are sent for `save`. */
bool conductor_object_action(Conductor *conductor, const RpcContext *context, NovaObject *object, const char *method, NdJson *args, NdJson *kwargs,
                             NdJson **value, GError **error);
/* object_class_action_versions with the manifest of our release. *result: the return value as JSON, NULL for null. */
bool conductor_class_action(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                            NdJson **result, GError **error);
/* The same for methods that return an object: *object is NULL if the method returned null. RPC_ERROR_MESSAGE if it is of another class than
 * `returns` (NULL = class_name). */
bool conductor_class_object(Conductor *conductor, const RpcContext *context, const char *class_name, const char *method, NdJson *args, NdJson *kwargs,
                            const char *returns, NovaObject **object, GError **error);
/* baseapi ping of the conductor, timeout in seconds. */
bool conductor_ping(Conductor *conductor, double timeout_s, GError **error);

/* --- conductor_instance.c --- */
/* expected_attrs: NULL-terminated names of joined fields, NULL = the method's default. */
NovaInstance *conductor_instance_get_by_uuid(Conductor *, const RpcContext *, const char *uuid, const char *const *expected_attrs, GError **);
/* Instance.save. expected_task_states: NULL = no check; otherwise a NULL-terminated list in which "" stands for None.
 * NOVA_EXC_UNEXPECTED_TASK_STATE_ERROR, NOVA_EXC_UNEXPECTED_DELETING_TASK_STATE_ERROR, NOVA_EXC_INSTANCE_NOT_FOUND. No message when nothing changed
 * and nothing is expected. */
bool conductor_instance_save(Conductor *, const RpcContext *, NovaInstance *, const char *const *expected_task_states, GError **);
/* The same with expected_vm_state and admin_state_reset. */
bool conductor_instance_save_full(Conductor *, const RpcContext *, NovaInstance *, const char *const *expected_task_states,
                                  const char *const *expected_vm_states, bool admin_state_reset, GError **);
bool conductor_instance_refresh(Conductor *, const RpcContext *, NovaInstance *, GError **);
bool conductor_instance_destroy(Conductor *, const RpcContext *, NovaInstance *, GError **);
bool conductor_instance_drop_migration_context(Conductor *, const RpcContext *, NovaInstance *, GError **);
NovaInstanceList *conductor_instance_list_by_host(Conductor *, const RpcContext *, const char *host, const char *const *expected_attrs, bool use_slave,
                                                  GError **);
NovaInstanceList *conductor_instance_list_by_host_and_node(Conductor *, const RpcContext *, const char *host, const char *node,
                                                           const char *const *expected_attrs, GError **);
/* Takes `filters` (an object). */
NovaInstanceList *conductor_instance_list_by_filters(Conductor *, const RpcContext *, NdJson *filters, const char *const *expected_attrs, bool use_slave,
                                                     GError **);
char **conductor_instance_uuids_by_host(Conductor *, const RpcContext *, const char *host, GError **);
bool conductor_info_cache_save(Conductor *, const RpcContext *, NovaInstanceInfoCache *, GError **);
bool conductor_info_cache_refresh(Conductor *, const RpcContext *, NovaInstanceInfoCache *, GError **);
NovaInstanceInfoCache *conductor_info_cache_get(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
/* EC2Ids.get_by_instance. */
NovaEC2Ids *conductor_ec2_ids_get(Conductor *, const RpcContext *, NovaInstance *, GError **);
NovaTagList *conductor_tag_list(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
/* Lazy loads "X.get_by_instance_uuid" of any class ("InstanceNUMATopology", "InstancePCIRequests", "VirtCPUModel", "TrustedCerts", "ResourceList",
 * "InstanceDeviceMetadata", "MigrationContext", "KeyPairList"): *object NULL for null. */
bool conductor_get_by_instance_uuid(Conductor *, const RpcContext *, const char *class_name, const char *instance_uuid, NovaObject **object, GError **);
NovaKeyPairList *conductor_key_pair_list(Conductor *, const RpcContext *, const char *instance_uuid, GError **);

/* --- conductor_action.c --- */
/* InstanceActionEvent.event_start / event_finish_with_failure, want_result=False. exc_val and exc_tb NULL = success.
 * NOVA_EXC_INSTANCE_ACTION_NOT_FOUND if the request id has no action. */
bool conductor_action_event_start(Conductor *, const RpcContext *, const char *instance_uuid, const char *event, const char *host, GError **);
bool conductor_action_event_finish(Conductor *, const RpcContext *, const char *instance_uuid, const char *event, const char *exc_val, const char *exc_tb,
                                   GError **);
bool conductor_action_start(Conductor *, const RpcContext *, const char *instance_uuid, const char *action, GError **);
/* InstanceFault.create; message is cut to 255 bytes at a character. */
bool conductor_instance_fault_create(Conductor *, const RpcContext *, const char *instance_uuid, const char *host, int code, const char *message,
                                     const char *details, GError **);

/* --- conductor_volume.c: block device mappings --- */
NovaBlockDeviceMappingList *conductor_bdm_list(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
NovaBlockDeviceMappingList *conductor_bdm_list_multi(Conductor *, const RpcContext *, const char *const *instance_uuids, GError **);
NovaBlockDeviceMapping *conductor_bdm_get_by_volume(Conductor *, const RpcContext *, const char *volume_id, const char *instance_uuid, GError **);
bool conductor_bdm_save(Conductor *, const RpcContext *, NovaBlockDeviceMapping *, GError **);
bool conductor_bdm_create(Conductor *, const RpcContext *, NovaBlockDeviceMapping *, GError **);
bool conductor_bdm_destroy(Conductor *, const RpcContext *, NovaBlockDeviceMapping *, GError **);

/* --- conductor_migration.c --- */
NovaMigration *conductor_migration_get_by_id(Conductor *, const RpcContext *, gint64 id, GError **);
NovaMigration *conductor_migration_get_by_id_and_instance(Conductor *, const RpcContext *, gint64 id, const char *instance_uuid, GError **);
NovaMigration *conductor_migration_get_by_instance_and_status(Conductor *, const RpcContext *, const char *instance_uuid, const char *status, GError **);
bool conductor_migration_save(Conductor *, const RpcContext *, NovaMigration *, GError **);
bool conductor_migration_create(Conductor *, const RpcContext *, NovaMigration *, GError **);
NovaMigrationList *conductor_migration_list_in_progress_and_error(Conductor *, const RpcContext *, const char *host, const char *node, GError **);
NovaMigrationList *conductor_migration_list_in_progress(Conductor *, const RpcContext *, const char *host, const char *node, GError **);
NovaMigrationList *conductor_migration_list_by_filters(Conductor *, const RpcContext *, NdJson *filters, GError **);
/* Migrations to this host that have been finished for longer than `window_s` and were not confirmed. */
NovaMigrationList *conductor_migration_list_unconfirmed(Conductor *, const RpcContext *, gint64 window_s, const char *dest_compute, GError **);
/* NOVA_EXC_MIGRATION_CONTEXT_NOT_FOUND if there is none. */
NovaMigrationContext *conductor_migration_context_get(Conductor *, const RpcContext *, const char *instance_uuid, GError **);

/* --- conductor_service.c: Service and ComputeNode records --- */
/* *service is NULL if there is none. */
bool conductor_service_get(Conductor *, const RpcContext *, const char *host, const char *binary, NovaService **service, GError **);
NovaService *conductor_service_get_by_compute_host(Conductor *, const RpcContext *, const char *host, GError **);
bool conductor_service_create(Conductor *, const RpcContext *, NovaService *, GError **);
bool conductor_service_save(Conductor *, const RpcContext *, NovaService *, GError **);
/* Service.get_minimum_version: 0 if no such service is registered. */
bool conductor_service_minimum_version(Conductor *, const RpcContext *, const char *binary, gint64 *version, GError **);
/* The service version of the oldest living conductor (spec/versions.md section 5, steps 2 and 3), 0 = none registered. service_down_time in
 * seconds decides who is alive. */
bool conductor_detect_version(Conductor *, const RpcContext *, int service_down_time, gint64 *version, GError **);
/* The release of that service version; where two releases share one, the older. False: older than Zed, or 0. Newer than we know is our newest. */
bool conductor_release_of_version(gint64 version, NdRelease *release);
NovaComputeNode *conductor_compute_node_get(Conductor *, const RpcContext *, const char *host, const char *node, GError **);
NovaComputeNode *conductor_compute_node_get_by_uuid(Conductor *, const RpcContext *, const char *uuid, GError **);
NovaComputeNodeList *conductor_compute_node_list_by_host(Conductor *, const RpcContext *, const char *host, GError **);
NovaComputeNodeList *conductor_compute_node_list_by_uuids(Conductor *, const RpcContext *, const char *const *uuids, GError **);
bool conductor_compute_node_create(Conductor *, const RpcContext *, NovaComputeNode *, GError **);
bool conductor_compute_node_save(Conductor *, const RpcContext *, NovaComputeNode *, GError **);
bool conductor_compute_node_destroy(Conductor *, const RpcContext *, NovaComputeNode *, GError **);

/* --- conductor_device.c: PCI devices, virtual interfaces, console tokens, server groups --- */
NovaPciDeviceList *conductor_pci_list_by_compute_node(Conductor *, const RpcContext *, gint64 node_id, GError **);
NovaPciDeviceList *conductor_pci_list_by_instance(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
bool conductor_vif_create(Conductor *, const RpcContext *, NovaVirtualInterface *, GError **);
bool conductor_vif_destroy(Conductor *, const RpcContext *, NovaVirtualInterface *, GError **);
/* *vif is NULL if there is none. */
bool conductor_vif_get_by_uuid(Conductor *, const RpcContext *, const char *uuid, NovaVirtualInterface **vif, GError **);
bool conductor_vif_delete_by_instance(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
NovaVirtualInterfaceList *conductor_vif_list(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
/* ConsoleAuthToken.authorize: *token_text is the token, caller frees. */
bool conductor_console_token_authorize(Conductor *, const RpcContext *, NovaConsoleAuthToken *, int ttl_s, char **token_text, GError **);
bool conductor_console_tokens_clean(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
bool conductor_console_tokens_clean_expired(Conductor *, const RpcContext *, GError **);
NovaInstanceGroup *conductor_group_get_by_instance(Conductor *, const RpcContext *, const char *instance_uuid, GError **);
NovaInstanceGroup *conductor_group_get_by_hint(Conductor *, const RpcContext *, const char *hint, GError **);
/* Hosts of the group's members other than the excluded instances; NULL-terminated, caller frees. */
char **conductor_group_hosts(Conductor *, const RpcContext *, NovaInstanceGroup *, const char *const *exclude, GError **);

/* --- conductor_task_log.c: tasks that run once a period (usage audits); times in wall clock microseconds --- */
/* *log is NULL if no task of that name was begun for the period on that host. */
bool conductor_task_log_get(Conductor *, const RpcContext *, const char *task_name, gint64 begin, gint64 end, const char *host, NovaTaskLog **log, GError **);
/* Makes the record (task_name, period_beginning, period_ending, host, task_items, message); the exception TaskAlreadyRunning if it is there. */
bool conductor_task_log_begin(Conductor *, const RpcContext *, NovaTaskLog *, GError **);
/* Ends it with errors and message. */
bool conductor_task_log_end(Conductor *, const RpcContext *, NovaTaskLog *, GError **);
/* Instances of the host that were there between the times, deleted ones too. */
NovaInstanceList *conductor_instance_list_active(Conductor *, const RpcContext *, gint64 begin, gint64 end, const char *host,
                                                 const char *const *expected_attrs, GError **);

/* --- conductor_task.c: compute_task and the scheduler --- */
/* Reschedule of one instance whose build failed here: build_instances cast. Takes all JSON values; each is passed on as the agent got it. */
typedef struct {
    NovaInstance *instance;
    NdJson *image, *filter_properties, *admin_password, *injected_files, *requested_networks, *security_groups, *request_spec, *host_list;
} ConductorRebuild;
bool conductor_build_instances(Conductor *, const RpcContext *, const ConductorRebuild *, GError **);
/* A resize that failed here is to be tried on another host: calls migrate_server, which answers when that host was asked, or raises what stands in
 * the way. Takes the JSON values; timeout_s and call_monitor_s as in RpcCallOptions. */
typedef struct {
    NovaInstance *instance;
    NovaFlavor *flavor;
    NdJson *filter_properties, *request_spec, *host_list;
} ConductorResize;
bool conductor_migrate_server(Conductor *, const RpcContext *, const ConductorResize *, double timeout_s, double call_monitor_s, GError **);
/* Fanout casts to the schedulers, elevated, sent without waiting. */
void conductor_scheduler_update_instances(Conductor *, const RpcContext *, const char *host, NovaInstanceList *);
void conductor_scheduler_delete_instance(Conductor *, const RpcContext *, const char *host, const char *instance_uuid);
void conductor_scheduler_sync_instances(Conductor *, const RpcContext *, const char *host, const char *const *instance_uuids);
