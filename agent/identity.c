/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/identity.h"

#include "base/error.h"
#include "base/file.h"
#include "base/ids.h"
#include "base/log.h"
#include "objects/objects.h"
#include "virt/domain.h"

#include <string.h>

#define LOGGER "nova.virt.node"
#define FILE_NAME "compute_id"
#define FILE_LIMIT 64
#define VERSION_WITH_IDENTITY 65 /* service version from which nova-compute keeps the file */

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static bool refuse(GError **error, const char *format, ...)
{
    va_list args;
    g_autofree char *text = NULL;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, AGENT_ERROR, AGENT_ERROR_START, text);
    return false;
}

/* One file: *uuid stays NULL if there is none. */
static bool read_one(const char *path, char **uuid, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autofree char *text = NULL;
    g_autofree char *lower = NULL;

    if (!nd_file_read(path, FILE_LIMIT, &text, NULL, &cause))
        return g_error_matches(cause, ND_ERROR, ND_ERROR_NOT_FOUND) || refuse(error, "read \"%s\": %s", path, cause->message);
    lower = g_ascii_strdown(g_strstrip(text), -1);
    if (!nd_uuid_is_valid(lower))
        return refuse(error, "\"%s\" does not hold a uuid", path);
    *uuid = g_steal_pointer(&lower);
    return true;
}

static bool merge_one(const char *folder, char **uuid, GError **error)
{
    g_autofree char *path = g_build_filename(folder, FILE_NAME, NULL);
    g_autofree char *found = NULL;

    if (!read_one(path, &found, error))
        return false;
    if (found == NULL)
        return true;
    if (*uuid != NULL && strcmp(*uuid, found) != 0)
        return refuse(error, "the uuid in \"%s\" (%s) is not that of another " FILE_NAME " file (%s)", path, found, *uuid);
    if (*uuid == NULL)
        *uuid = g_steal_pointer(&found);
    return true;
}

bool agent_identity_read(const NdConfig *config, char **uuid, GError **error)
{
    const char *const *files = nd_config_files(config);
    g_autofree char *found = NULL;

    for (size_t i = 0; files != NULL && files[i] != NULL; i++) {
        g_autofree char *folder = g_path_get_dirname(files[i]);

        if (!merge_one(folder, &found, error))
            return false;
    }
    if (!merge_one(nd_config_string(config, "DEFAULT", "state_path"), &found, error))
        return false;
    *uuid = g_steal_pointer(&found);
    return true;
}

bool agent_identity_write(const NdConfig *config, const char *uuid, GError **error)
{
    const char *folder = nd_config_string(config, "DEFAULT", "state_path");
    g_autofree char *path = g_build_filename(folder, FILE_NAME, NULL);
    g_autofree char *text = g_strconcat(uuid, "\n", NULL);

    if (g_file_test(path, G_FILE_TEST_EXISTS))
        return refuse(error, "\"%s\" is there already", path);
    if (!nd_file_write(path, text, strlen(text), 0644, error)) {
        g_prefix_error(error, "keep the node's identity: ");
        return false;
    }
    nd_info(LOGGER, "Wrote node identity %s to %s", uuid, path);
    return true;
}

/* A host that ran an older nova-compute: its only ComputeNode becomes the identity. */
static bool take_over(Agent *agent, RpcContext *context, char **uuid, GError **error)
{
    g_autoptr(NovaComputeNodeList) nodes = conductor_compute_node_list_by_host(agent->conductor, context, agent->host, error);
    guint n;

    if (nodes == NULL)
        return false;
    n = nova_object_list_length(nodes);
    if (n != 1)
        return refuse(error, "this host has a service record, no " FILE_NAME " file and %u compute nodes: which one it is cannot be told", n);
    *uuid = g_strdup(((NovaComputeNode *)nova_object_list_get(nodes, 0))->uuid);
    return agent_identity_write(agent->config, *uuid, error);
}

/* 2024.1+: somebody else's guests on a host that claims to be new. */
static bool check_new_host(Agent *agent, GError **error)
{
    g_autoptr(GPtrArray) domains = NULL;

    if (agent->release < ND_RELEASE_2024_1)
        return true;
    domains = virt_domain_list(agent->virt, false, error);
    if (domains == NULL)
        return false;
    return domains->len == 0 || refuse(error, "this host has no service record but %u domains: its host name may have changed", domains->len);
}

bool agent_identity_establish(Agent *agent, RpcContext *context, bool service_exists, gint64 service_version, char **uuid, GError **error)
{
    g_autofree char *found = NULL;

    *uuid = NULL;
    if (!agent_identity_read(agent->config, &found, error))
        return false;
    if (agent->release < ND_RELEASE_2023_1)
        return true;
    if (!service_exists && !check_new_host(agent, error))
        return false;
    if (found == NULL && service_exists && service_version >= VERSION_WITH_IDENTITY)
        return refuse(error,
                      "there is a service record of version %" G_GINT64_FORMAT " but no " FILE_NAME
                      " file: the state folder was lost or is another one",
                      service_version);
    if (found == NULL && service_exists)
        return take_over(agent, context, uuid, error);
    if (found == NULL) {
        found = nd_uuid_new();
        if (!agent_identity_write(agent->config, found, error))
            return false;
    }
    *uuid = g_steal_pointer(&found);
    return true;
}

void agent_identity_keep(Agent *agent, const char *node_uuid)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;

    if (!agent_identity_read(agent->config, &found, &error))
        nd_warning(LOGGER, "%s", error->message);
    else if (found == NULL && !agent_identity_write(agent->config, node_uuid, &error))
        nd_warning(LOGGER, "Could not keep the node's identity for an upgrade of the control plane: %s", error->message);
    else if (found != NULL && strcmp(found, node_uuid) != 0)
        nd_warning(LOGGER, "The compute_id file names %s, but this host's compute node is %s: an upgraded control plane will refuse it", found,
                   node_uuid);
}
