/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/shared_storage.h"

#include "agent/method_args.h"
#include "agent/operations.h"
#include "base/log.h"
#include "objects/objects.h"
#include "virt/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define LOGGER "nova.compute.manager"

/* The file, in the instance's folder; NULL: there is no folder, so nothing to keep, or it cannot be written. */
static char *make_file(Agent *agent, const char *uuid, bool *no_folder)
{
    g_autofree char *folder = virt_disk_directory(nd_config_string(agent->config, "DEFAULT", "instances_path"), uuid);
    g_autofree char *path = g_build_filename(folder, "tmpXXXXXX", NULL);
    int fd;

    *no_folder = !g_file_test(folder, G_FILE_TEST_IS_DIR);
    if (*no_folder)
        return NULL;
    fd = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0644); /* the other host may ask as another user */
    if (fd < 0) {
        nd_warning(LOGGER, "Failed to check if instance shared: %s: %s", path, g_strerror(errno));
        return NULL;
    }
    close(fd);
    return g_steal_pointer(&path);
}

static bool ask(Agent *agent, const RpcContext *context, const char *host, const char *path, bool *seen, GError **error)
{
    RpcTarget target = {.topic = agent->release >= ND_RELEASE_2026_1 ? "compute-alt" : "compute", .server = host, .version = "6.0"};
    NdJson *args = json_object_new_object();
    NdJson *data = json_object_new_object();
    g_autoptr(NdJson) result = NULL;

    nd_json_set_string(data, "filename", path);
    nd_json_set(args, "data", data);
    if (!rpc_client_call(agent->client, &target, context, "check_instance_shared_storage", args, NULL, &result, error))
        return false;
    *seen = json_object_get_boolean(result);
    return true;
}

bool shared_storage_check(Agent *agent, const RpcContext *context, NovaInstance *instance, const char *host)
{
    bool no_folder, seen = true;
    g_autofree char *path = make_file(agent, instance->uuid, &no_folder);
    g_autoptr(GError) error = NULL;

    if (path == NULL)
        return true;
    if (host == NULL || g_strcmp0(host, agent->host) == 0)
        nd_debug(LOGGER, "No other host can be asked for the instance's files: they are kept");
    else if (!ask(agent, context, host, path, &seen, &error))
        nd_warning(LOGGER, "Failed to check if instance shared: %s", error->message);
    g_unlink(path);
    return seen;
}

/* --- the other side: check_instance_shared_storage --- */

/* Only files below instances_path are told of: a peer has no business elsewhere. */
static bool look(Operation *operation, GError **error)
{
    const char *instances = nd_config_string(operation->agent->config, "DEFAULT", "instances_path");
    const char *path = nd_json_string(method_args_json(operation->args, "data"), "filename", NULL);
    g_autofree char *canonical = path != NULL ? g_canonicalize_filename(path, "/") : NULL;
    g_autofree char *folder = g_canonicalize_filename(instances, "/");
    g_autofree char *prefix = g_strconcat(folder, "/", NULL);

    if (canonical == NULL) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "check_instance_shared_storage() argument 'data' has no filename");
        return false;
    }
    operation_set_result(operation, json_object_new_boolean(g_str_has_prefix(canonical, prefix) && g_file_test(canonical, G_FILE_TEST_EXISTS)));
    return true;
}

static const OperationStep steps[] = {{"look", NULL, NULL, look, NULL}};

const OperationSpec operation_check_instance_shared_storage = {
    .method = "check_instance_shared_storage",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_NO_JOURNAL,
    .steps = steps,
    .n_steps = G_N_ELEMENTS(steps),
};
