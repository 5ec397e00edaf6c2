/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/*
 * Which hosts use an instances folder: `<instances_path>/compute_nodes`, a JSON object of host -> Unix time of its last sign of life, changed under the
 * lock `nova-storage-registry-lock` of `<instances_path>/locks` (upstream nova/virt/storage_users.py; spec/ecosystem.md section 11). nova-compute and novad
 * keep it together.
 */

/* Notes `host` as a user at the time `now_us` (wall clock), and gives all hosts that were noted within 24 hours before: a new NULL-terminated list, `host`
 * among them. *spoiled (may be NULL): the file was there but no JSON object, and is begun anew. */
bool virt_storage_register(const char *instances_path, const char *host, gint64 now_us, char ***users, bool *spoiled, GError **error);
