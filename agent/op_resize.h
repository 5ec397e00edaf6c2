/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between agent/op_resize.c (prep_resize on the destination, resize_instance on the source), op_resize_finish.c (finish_resize on the destination,
 * confirm_resize on the source) and op_resize_revert.c (revert_resize on the destination, finish_revert_resize on the source). Source and destination
 * are this host, both: disks do not travel yet.
 */
#include "agent/guest.h"
#include "agent/operation.h"

typedef struct {
    char *vm_state; /* before */
    bool rollback;  /* the failure came before anything was changed: the server gets vm_state back */
    NdJson *vifs;
    char *disk_info;
    NovaFlavor *old_flavor; /* finish_resize: to be put back if the guest cannot be made */
    bool claimed;
} ResizeData;

/* OperationSpec.prepare and .free_data: ResizeData with vm_state. */
bool resize_prepare(Operation *operation, GError **error);
void resize_data_free(gpointer data);
/* The argument `migration`; NULL if there is none. */
NovaMigration *resize_migration(Operation *operation);
bool resize_save_migration(Operation *operation, const char *status, GError **error);
/* Error unless source and destination are this host. */
bool resize_stays_here(Operation *operation, GError **error);
/* instance_type_id, memory, vcpus and disks of the instance follow this flavor (upstream _set_instance_info). */
void resize_set_flavor(NovaInstance *instance, NovaFlavor *flavor);
/* Reads the network anew into data->vifs. */
bool resize_refresh_network(Operation *operation, GError **error);
/* Both forms, with the addresses of data->vifs if wanted. */
void resize_notify(Operation *operation, const char *action, OperationNotifyPhase phase, bool with_network);
/* The allocations that the migration holds belong to the instance again (upstream _revert_allocation). */
bool resize_revert_allocations(Operation *operation, GError **error);
/* The migration's allocations are deleted (upstream _delete_allocation_after_move). */
bool resize_delete_allocations(Operation *operation, GError **error);
/* old_flavor, new_flavor and old_vm_state are dropped and saved (upstream _delete_stashed_flavor_info). */
bool resize_forget_flavors(Operation *operation, GError **error);
/* The state that the server had before the resize: active unless it was stopped. */
bool resize_was_stopped(const NovaInstance *instance);
/* Arguments instance, migration and request_spec for the next part; new reference. */
NdJson *resize_next_args(Operation *operation);

/* OperationSpec.recover of the parts behind prep_resize: the part that was interrupted, or the one after it, is asked for again; each may be repeated. An
 * instance whose files were being moved is left to resize_recover_migrating. */
bool resize_recover(Agent *agent, const AgentJournalEntry *entry, NovaInstance *instance, GError **error);
/* The method to go on with, for an instance in this state with such a migration; NULL: none. Pure. */
const char *resize_recovery_method(const char *vm_state, const char *task_state, const char *migration_status);
/* At start, for an instance whose files were being moved (task resize_migrating): the files that were put aside, the allocations and the guest are what
 * they were before the resize, whose migration record becomes an error. What goes wrong is logged; task_state is left to the caller. */
void resize_recover_migrating(Agent *agent, const RpcContext *context, NovaInstance *instance);
