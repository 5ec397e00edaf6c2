/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/operations.h"

#include "agent/agent.h"
#include "agent/console_text.h"
#include "agent/method_args.h"
#include "agent/task_state.h"
#include "base/log.h"
#include "objects/objects.h"
#include "rpc/exception.h"
#include "virt/console.h"
#include "virt/domain.h"
#include "virt/error.h"

#include <stdlib.h>
#include <string.h>

/* get_console_output, get_vnc_console, validate_console_port (spec/compute-rpc.md section 4). */

#define LOGGER "nova.compute.manager"

/* --- get_console_output --- */

static bool console_failure(Operation *operation, GError **error)
{
    const char *uuid = operation->instance->uuid;

    if (virt_error_is_no_domain(*error)) {
        g_clear_error(error);
        nova_exception_set(error, NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", uuid, NULL);
    } else if (g_error_matches(*error, VIRT_ERROR, VIRT_ERROR_NOT_FOUND) || g_error_matches(*error, VIRT_ERROR, VIRT_ERROR_CONSOLE)) {
        g_clear_error(error);
        nova_exception_set(error, NOVA_EXC_CONSOLE_NOT_AVAILABLE, NULL);
    }
    return false;
}

/* A number, a number as text, or null for everything; what is neither counts as 0, as upstream does. */
static gint64 tail_length(NdJson *value)
{
    gint64 number;

    if (value == NULL)
        return -1;
    if (json_object_is_type(value, json_type_int))
        return MAX(json_object_get_int64(value), 0);
    if (json_object_is_type(value, json_type_string) && g_ascii_string_to_signed(json_object_get_string(value), 10, 0, G_MAXINT32, &number, NULL))
        return number;
    return 0;
}

static bool get_console_output(Operation *operation, GError **error)
{
    const char *instances = nd_config_string(operation->agent->config, "DEFAULT", "instances_path");
    g_autofree char *pty_log = g_build_filename(instances, operation->instance->uuid, "console.log", NULL);
    g_autoptr(GBytes) output = NULL;
    g_autofree char *text = NULL;
    const char *bytes;
    gsize length;

    nd_info(LOGGER, "Get console output");
    output = virt_console_output(operation->agent->virt, operation->instance->uuid, pty_log, error);
    if (output == NULL)
        return console_failure(operation, error);
    bytes = g_bytes_get_data(output, &length);
    text = console_text(bytes, length, tail_length(method_args_json(operation->args, "tail_length")));
    operation_set_result(operation, json_object_new_string(text));
    return true;
}

static const OperationStep output_steps[] = {{"read", NULL, NULL, get_console_output, NULL}};

const OperationSpec operation_get_console_output = {
    .method = "get_console_output",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = output_steps,
    .n_steps = G_N_ELEMENTS(output_steps),
};

/* --- graphical consoles --- */

static bool type_unavailable(const char *type, GError **error)
{
    nova_exception_set(error, NOVA_EXC_CONSOLE_TYPE_UNAVAILABLE, "console_type", type, NULL);
    return false;
}

/* The port on which the guest's VNC server listens. */
static bool vnc_port(Operation *operation, int *port, GError **error)
{
    VirtGraphics graphics = {0};
    GError *failure = NULL;

    if (virt_console_graphics(operation->agent->virt, operation->instance->uuid, "vnc", &graphics, &failure)) {
        *port = graphics.port;
        virt_graphics_clear(&graphics);
        return true;
    }
    if (virt_error_is_no_domain(failure)) {
        bool building = g_strcmp0(operation->instance->vm_state, VM_BUILDING) == 0;

        g_error_free(failure);
        nova_exception_set(error, building ? NOVA_EXC_INSTANCE_NOT_READY : NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", operation->instance->uuid,
                           NULL);
        return false;
    }
    if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_CONSOLE)) {
        g_error_free(failure);
        return type_unavailable("vnc", error);
    }
    g_propagate_error(error, failure);
    return false;
}

/* Registers a token for the proxy; *url is what the user opens. */
static bool authorize(Operation *operation, const char *host, int port, const char *base, char **token, char **url, GError **error)
{
    Agent *agent = operation->agent;
    g_autoptr(NovaConsoleAuthToken) record = nova_console_auth_token_new();
    g_autofree char *query = NULL, *escaped = NULL;

    nova_console_auth_token_set_console_type(record, method_args_string(operation->args, "console_type"));
    nova_console_auth_token_set_host(record, host);
    nova_console_auth_token_set_port(record, port);
    nova_object_set_null(record, NOVA_CONSOLE_AUTH_TOKEN_INTERNAL_ACCESS_PATH);
    nova_console_auth_token_set_instance_uuid(record, operation->instance->uuid);
    nova_console_auth_token_set_access_url_base(record, base);
    if (!conductor_console_token_authorize(agent->conductor, operation->context, record,
                                           (int)nd_config_int(agent->config, "consoleauth", "token_ttl"), token, error))
        return false;
    query = g_strconcat("?token=", *token, NULL);
    escaped = g_uri_escape_string(query, NULL, FALSE);
    *url = g_strconcat(base, "?path=", escaped, NULL);
    return true;
}

static bool get_vnc_console(Operation *operation, GError **error)
{
    const NdConfig *config = operation->agent->config;
    const char *type = method_args_string(operation->args, "console_type");
    const char *host = nd_config_string(config, "vnc", "server_proxyclient_address");
    g_autofree char *token = NULL, *url = NULL, *port_text = NULL;
    NdJson *result;
    int port;

    if (!nd_config_bool(config, "vnc", "enabled"))
        return type_unavailable(type, error);
    if (strcmp(type, "novnc") != 0) {
        nova_exception_set(error, NOVA_EXC_CONSOLE_TYPE_INVALID, "console_type", type, NULL);
        return false;
    }
    if (!vnc_port(operation, &port, error) ||
        !authorize(operation, host, port, nd_config_string(config, "vnc", "novncproxy_base_url"), &token, &url, error))
        return false;
    port_text = g_strdup_printf("%d", port);
    result = json_object_new_object();
    nd_json_set_string(result, "token", token);
    nd_json_set_string(result, "access_url", url);
    nd_json_set_string(result, "host", host);
    nd_json_set_string(result, "port", port_text);
    nd_json_set_string(result, "internal_access_path", NULL);
    operation_set_result(operation, result);
    return true;
}

static const OperationStep vnc_steps[] = {{"authorize", NULL, NULL, get_vnc_console, NULL}};

const OperationSpec operation_get_vnc_console = {
    .method = "get_vnc_console",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = vnc_steps,
    .n_steps = G_N_ELEMENTS(vnc_steps),
};

/* --- validate_console_port --- */

/* The live port of the console type as upstream picks it: spice-html5, serial, everything else VNC. */
static bool live_port(Operation *operation, const char *type, int *port, GError **error)
{
    const char *uuid = operation->instance->uuid;
    VirtGraphics graphics = {0};

    if (strcmp(type, "serial") == 0) {
        g_autofree char *xml = virt_domain_get_xml(operation->agent->virt, uuid, VIRT_XML_LIVE, error);
        g_autofree char *host = NULL;

        return xml != NULL && virt_console_serial_port(xml, &host, port, error);
    }
    if (strcmp(type, "spice-html5") != 0)
        return vnc_port(operation, port, error);
    if (!virt_console_graphics(operation->agent->virt, uuid, "spice", &graphics, error))
        return false;
    *port = graphics.port;
    virt_graphics_clear(&graphics);
    return true;
}

static bool validate_console_port(Operation *operation, GError **error)
{
    NdJson *asked = method_args_json(operation->args, "port");
    g_autofree char *live = NULL;
    int port;

    if (!live_port(operation, method_args_string(operation->args, "console_type"), &port, error))
        return false;
    live = g_strdup_printf("%d", port);
    operation_set_result(operation, json_object_new_boolean(asked != NULL && strcmp(json_object_get_string(asked), live) == 0));
    return true;
}

static const OperationStep validate_steps[] = {{"compare", NULL, NULL, validate_console_port, NULL}};

const OperationSpec operation_validate_console_port = {
    .method = "validate_console_port",
    .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL,
    .steps = validate_steps,
    .n_steps = G_N_ELEMENTS(validate_steps),
};
