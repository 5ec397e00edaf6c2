/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/placement.h"

/*
 * Custom inventories and traits of resource providers, which an operator lists in *.yaml of [compute]provider_config_location (upstream
 * nova/compute/provider_config.py; nova's admin guide "Managing Resource Providers Using Config Files", schema version 1.0).
 */
typedef struct {
    char *id;                /* uuid, name, or PROVIDER_CONFIG_COMPUTE_NODE */
    char *source;            /* the file's name, for messages */
    GHashTable *inventories; /* of placement_inventories_new() */
    char **traits;           /* never NULL */
} ProviderConfig;

#define PROVIDER_CONFIG_COMPUTE_NODE "$COMPUTE_NODE" /* every compute node that no other entry names */

/* All entries of the folder's files, by file name: array of ProviderConfig. A folder without such files gives none. Errors: ProviderConfigException. */
GPtrArray *provider_config_load(const char *folder, GError **error);
/* The entry for a compute node's provider, NULL if there is none. Two entries for it, one by uuid and one by name, are an error. */
bool provider_config_find(const GPtrArray *configs, const char *uuid, const char *name, const ProviderConfig **found, GError **error);
