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

/* get_console_output, get_*_console, validate_console_port (spec/compute-rpc.md section 4). */

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

/* --- get_*_console --- */

static bool type_unavailable(const char *type, GError **error)
{
    nova_exception_set(error, NOVA_EXC_CONSOLE_TYPE_UNAVAILABLE, "console_type", type, NULL);
    return false;
}

/* What could not be asked of the guest, in upstream's words. Takes `failure`; always false. */
static bool guest_failure(Operation *operation, const char *type, GError *failure, GError **error)
{
    bool building = g_strcmp0(operation->instance->vm_state, VM_BUILDING) == 0;

    if (virt_error_is_no_domain(failure))
        nova_exception_set(error, building ? NOVA_EXC_INSTANCE_NOT_READY : NOVA_EXC_INSTANCE_NOT_FOUND, "instance_id", operation->instance->uuid,
                           NULL);
    else if (g_error_matches(failure, VIRT_ERROR, VIRT_ERROR_CONSOLE))
        type_unavailable(type, error);
    else {
        g_propagate_error(error, failure);
        return false;
    }
    g_error_free(failure);
    return false;
}

/* Where a console of the guest listens: `host` is the one that the proxy reaches it at. */
typedef struct {
    char *host;
    int port, tls_port; /* tls_port -1: none */
} ConsoleAddress;

static void console_address_clear(ConsoleAddress *address)
{
    g_free(address->host);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ConsoleAddress, console_address_clear)

static bool graphics_address(Operation *operation, const char *type, const char *host, ConsoleAddress *address, GError **error)
{
    VirtGraphics graphics = {0};
    GError *failure = NULL;

    if (!virt_console_graphics(operation->agent->virt, operation->instance->uuid, type, &graphics, &failure))
        return guest_failure(operation, type, failure, error);
    *address = (ConsoleAddress){g_strdup(host), graphics.port, graphics.tls_port};
    virt_graphics_clear(&graphics);
    return true;
}

static bool vnc_address(Operation *operation, ConsoleAddress *address, GError **error)
{
    return graphics_address(operation, "vnc", nd_config_string(operation->agent->config, "vnc", "server_proxyclient_address"), address, error);
}

static bool spice_address(Operation *operation, ConsoleAddress *address, GError **error)
{
    if (!graphics_address(operation, "spice", nd_config_string(operation->agent->config, "spice", "server_proxyclient_address"), address, error))
        return false;
    return address->port > 0 || type_unavailable("spice", error);
}

/* Only of a guest that runs: libvirt listens on the port as long. */
static bool serial_address(Operation *operation, ConsoleAddress *address, GError **error)
{
    const char *uuid = operation->instance->uuid;
    GError *failure = NULL;
    g_autoptr(VirtDomainInfo) info = virt_domain_get_info(operation->agent->virt, uuid, &failure);
    g_autofree char *xml = info != NULL ? virt_domain_get_xml(operation->agent->virt, uuid, VIRT_XML_LIVE, &failure) : NULL;

    if (xml == NULL)
        return guest_failure(operation, "serial", failure, error);
    if (info->id < 0)
        return type_unavailable("serial", error);
    address->tls_port = -1;
    return virt_console_serial_port(xml, &address->host, &address->port, &failure) || guest_failure(operation, "serial", failure, error);
}

/* Upstream has no console of these kinds with libvirt. */
static bool no_address(Operation *operation G_GNUC_UNUSED, ConsoleAddress *address G_GNUC_UNUSED, GError **error)
{
    nova_exception_set(error, NOVA_EXC_NOT_IMPLEMENTED_ERROR, NULL);
    return false;
}

/* Every kind of console: its section of nova.conf, its type in the API, its address in the guest. */
typedef struct {
    const char *method, *group;
    const char *type;     /* NULL: not checked, as upstream */
    const char *base_url; /* option of the group; NULL: never got to */
    bool by_path;         /* the token goes into the parameter `path`, from which noVNC makes the WebSocket's address */
    bool port_is_text, has_tls_port; /* of the answer */
    bool (*address)(Operation *operation, ConsoleAddress *address, GError **error);
} ConsoleKind;

/* options read: [rdp] enabled */
/* options read: [mks] enabled */
/* options read: [vnc] novncproxy_base_url */
/* options read: [spice] html5proxy_base_url */
/* options read: [serial_console] base_url */
static const ConsoleKind console_kinds[] = {
    {"get_vnc_console", "vnc", "novnc", "novncproxy_base_url", true, true, false, vnc_address},
    {"get_spice_console", "spice", "spice-html5", "html5proxy_base_url", false, true, true, spice_address},
    {"get_serial_console", "serial_console", NULL, "base_url", false, false, false, serial_address},
    {"get_rdp_console", "rdp", "rdp-html5", NULL, false, false, false, no_address},
    {"get_mks_console", "mks", "webmks", NULL, false, false, false, no_address},
};

static const ConsoleKind *console_kind(Operation *operation)
{
    guint i = 0;

    while (strcmp(console_kinds[i].method, operation->spec->method) != 0)
        i++;
    return &console_kinds[i];
}

/* Registers a token for the proxy; *url is what the user opens. */
static bool authorize(Operation *operation, const ConsoleKind *kind, const ConsoleAddress *address, char **token, char **url, GError **error)
{
    Agent *agent = operation->agent;
    const char *base = nd_config_string(agent->config, kind->group, kind->base_url);
    g_autoptr(NovaConsoleAuthToken) record = nova_console_auth_token_new();
    g_autofree char *query = NULL, *escaped = NULL;

    nova_console_auth_token_set_console_type(record, method_args_string(operation->args, "console_type"));
    nova_console_auth_token_set_host(record, address->host);
    nova_console_auth_token_set_port(record, address->port);
    nova_object_set_null(record, NOVA_CONSOLE_AUTH_TOKEN_INTERNAL_ACCESS_PATH);
    nova_console_auth_token_set_instance_uuid(record, operation->instance->uuid);
    nova_console_auth_token_set_access_url_base(record, base);
    if (!conductor_console_token_authorize(agent->conductor, operation->context, record,
                                           (int)nd_config_int(agent->config, "consoleauth", "token_ttl"), token, error))
        return false;
    query = g_strconcat("?token=", *token, NULL);
    escaped = g_uri_escape_string(query, NULL, FALSE);
    *url = kind->by_path ? g_strconcat(base, "?path=", escaped, NULL) : g_strconcat(base, query, NULL);
    return true;
}

static void set_port(NdJson *result, const char *key, int port, bool as_text)
{
    g_autofree char *text = g_strdup_printf("%d", port);

    if (port < 0)
        nd_json_set(result, key, NULL);
    else if (as_text)
        nd_json_set_string(result, key, text);
    else
        nd_json_set_int(result, key, port);
}

static bool get_console(Operation *operation, GError **error)
{
    const ConsoleKind *kind = console_kind(operation);
    const char *type = method_args_string(operation->args, "console_type");
    g_auto(ConsoleAddress) address = {0};
    g_autofree char *token = NULL, *url = NULL;
    NdJson *result;

    if (!nd_config_bool(operation->agent->config, kind->group, "enabled"))
        return type_unavailable(type, error);
    if (kind->type != NULL && strcmp(type, kind->type) != 0) {
        nova_exception_set(error, NOVA_EXC_CONSOLE_TYPE_INVALID, "console_type", type, NULL);
        return false;
    }
    if (!kind->address(operation, &address, error) || !authorize(operation, kind, &address, &token, &url, error))
        return false;
    result = json_object_new_object();
    nd_json_set_string(result, "token", token);
    nd_json_set_string(result, "access_url", url);
    nd_json_set_string(result, "host", address.host);
    set_port(result, "port", address.port, kind->port_is_text);
    if (kind->has_tls_port)
        set_port(result, "tlsPort", address.tls_port, true);
    nd_json_set_string(result, "internal_access_path", NULL);
    operation_set_result(operation, result);
    return true;
}

static const OperationStep console_steps[] = {{"authorize", NULL, NULL, get_console, NULL}};

#define CONSOLE_OPERATION(name) \
    const OperationSpec operation_##name = { \
        .method = #name, \
        .flags = OPERATION_WRAP_EXCEPTION | OPERATION_INSTANCE_FAULT | OPERATION_NO_JOURNAL, \
        .steps = console_steps, \
        .n_steps = G_N_ELEMENTS(console_steps), \
    }

CONSOLE_OPERATION(get_vnc_console);
CONSOLE_OPERATION(get_spice_console);
CONSOLE_OPERATION(get_serial_console);
CONSOLE_OPERATION(get_rdp_console);
CONSOLE_OPERATION(get_mks_console);

/* --- validate_console_port --- */

/* Compares with the live port of the console type as upstream picks it: those named here, everything else VNC. */
static bool validate_console_port(Operation *operation, GError **error)
{
    static const struct {
        const char *type;
        bool (*address)(Operation *operation, ConsoleAddress *address, GError **error);
    } types[] = {{"spice-html5", spice_address}, {"serial", serial_address}, {"rdp-html5", no_address}, {"webmks", no_address}};
    const char *type = method_args_string(operation->args, "console_type");
    bool (*find)(Operation *operation, ConsoleAddress *address, GError **error) = vnc_address;
    NdJson *asked = method_args_json(operation->args, "port");
    g_auto(ConsoleAddress) address = {0};
    g_autofree char *live = NULL;

    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].type, type) == 0)
            find = types[i].address;
    if (!find(operation, &address, error))
        return false;
    live = g_strdup_printf("%d", address.port);
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
