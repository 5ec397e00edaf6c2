/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/dispatch.h"

#include "rpc/exception.h"

#include <string.h>

typedef struct {
    guint64 number[3];
    int count;
} Version;

static bool parse_version(const char *text, Version *version)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", -1);
    *version = (Version){0};
    for (char **part = parts; *part != NULL; part++, version->count++)
        if (version->count == 3 || !g_ascii_string_to_unsigned(*part, 10, 0, G_MAXINT32, &version->number[version->count], NULL))
            return false;
    return version->count >= 1;
}

bool rpc_version_compatible(const char *implemented, const char *requested)
{
    Version have, want;
    if (!parse_version(implemented, &have) || !parse_version(requested, &want) || have.number[0] != want.number[0])
        return false;
    if (want.number[1] != have.number[1])
        return want.number[1] < have.number[1];
    return want.number[2] <= have.number[2];
}

const RpcMethod *rpc_dispatch_find(const RpcEndpoint *endpoints, size_t count, const char *name_space, const char *version, const char *method,
                                   const RpcEndpoint **endpoint, GError **error)
{
    bool compatible = false;
    for (size_t i = 0; i < count; i++) {
        if (g_strcmp0(endpoints[i].name_space, name_space) != 0 || !rpc_version_compatible(endpoints[i].version, version))
            continue;
        compatible = true;
        for (size_t m = 0; m < endpoints[i].n_methods; m++)
            if (g_str_equal(endpoints[i].methods[m].name, method)) {
                if (endpoint != NULL)
                    *endpoint = &endpoints[i];
                return &endpoints[i].methods[m];
            }
    }
    g_autofree char *text = compatible ? g_strdup_printf("Endpoint does not support RPC method %s", method)
                                       : g_strdup_printf("Endpoint does not support RPC version %s. Attempted method: %s", version, method);
    nova_exception_set_text(error, compatible ? NOVA_EXC_NO_SUCH_METHOD : NOVA_EXC_UNSUPPORTED_VERSION, text, NULL);
    return NULL;
}

/* Compares an argument's name with one of the table, where a last '?' only says that it may be missing. */
static bool same_name(const char *in_table, const char *name)
{
    size_t length = strlen(name);
    return !g_str_has_suffix(name, "?") && strncmp(in_table, name, length) == 0 && (in_table[length] == '\0' || (in_table[length] == '?' && in_table[length + 1] == '\0'));
}

static bool is_known(const RpcMethod *method, const char *name)
{
    for (const char *const *arg = method->args; *arg != NULL; arg++)
        if (same_name(*arg, name))
            return true;
    return false;
}

bool rpc_dispatch_check_args(const RpcMethod *method, NdJson *args, GError **error)
{
    if (method->args == NULL)
        return true;
    json_object_object_foreach(args, name, value)
    {
        (void)value;
        if (is_known(method, name))
            continue;
        g_autofree char *text = g_strdup_printf("%s() got an unexpected keyword argument '%s'", method->name, name);
        nova_exception_set_text(error, NOVA_EXC_TYPE_ERROR, text, NULL);
        return false;
    }
    for (const char *const *arg = method->args; *arg != NULL; arg++) {
        if (g_str_has_suffix(*arg, "?") || json_object_object_get_ex(args, *arg, NULL))
            continue;
        g_autofree char *text = g_strdup_printf("%s() missing required argument '%s'", method->name, *arg);
        nova_exception_set_text(error, NOVA_EXC_TYPE_ERROR, text, NULL);
        return false;
    }
    return true;
}
