/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rpc/error.h"
#include "rpc/exception_private.h"

#include "base/error.h"

/* The failure member of a reply: JSON text in a string (spec/rpc-wire.md section 3.3). */

/* A keyword argument. Nova's own texts have "%(maximum)d" in some places: what is an integer goes as one. */
static void set_kwarg(NdJson *kwargs, const char *key, const char *value)
{
    gint64 number;
    g_autofree char *valid = value ? g_utf8_make_valid(value, -1) : NULL;
    g_autofree char *again = NULL;
    if (value != NULL && g_ascii_string_to_signed(value, 10, G_MININT64, G_MAXINT64, &number, NULL))
        again = g_strdup_printf("%" G_GINT64_FORMAT, number);
    if (again != NULL && g_str_equal(again, value))
        nd_json_set_int(kwargs, key, number);
    else
        nd_json_set_string(kwargs, key, valid);
}

char *rpc_failure_encode(const GError *error)
{
    g_autoptr(GError) mapped = nova_exception_from_error(error);
    g_autoptr(NdJson) failure = json_object_new_object();
    nd_json_set_string(failure, "class", nova_exception_class(mapped));
    nd_json_set_string(failure, "module", nova_exception_module(mapped));
    g_autofree char *text = g_utf8_make_valid(mapped->message, -1);
    nd_json_set_string(failure, "message", text);
    nd_json_set(failure, "tb", json_object_new_array());
    NdJson *args = json_object_new_array();
    /* Without one the caller's nova fills in its own text for the class, which is then what its API shows. */
    if (!nova_exception_is_nova(mapped) || !rpc_exception_is_from_template(mapped))
        json_object_array_add(args, json_object_new_string(text));
    nd_json_set(failure, "args", args);
    NdJson *kwargs = json_object_new_object();
    nd_json_set(failure, "kwargs", kwargs);
    GHashTable *given = rpc_exception_kwargs(mapped);
    GHashTableIter iter;
    gpointer key, value;
    if (given != NULL && nova_exception_is_nova(mapped)) {
        g_hash_table_iter_init(&iter, given);
        while (g_hash_table_iter_next(&iter, &key, &value))
            set_kwarg(kwargs, key, value);
    }
    if (nova_exception_is_nova(mapped))
        nd_json_set_int(kwargs, "code", nova_exception_number(mapped));
    return nd_json_to_string(failure);
}

/* The keyword arguments as strings; numbers and lists as their JSON text. `code` is the class' own. */
static GHashTable *kwargs_from_json(NdJson *kwargs)
{
    GHashTable *table = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!json_object_is_type(kwargs, json_type_object))
        return table;
    json_object_object_foreach(kwargs, key, value)
    {
        if (g_str_equal(key, "code"))
            continue;
        char *text = value == NULL                                    ? NULL
                     : json_object_is_type(value, json_type_string) ? g_strdup(json_object_get_string(value))
                                                                      : nd_json_to_string(value);
        g_hash_table_insert(table, g_strdup(key), text);
    }
    return table;
}

static char *without_remote_suffix(const char *name)
{
    return g_str_has_suffix(name, "_Remote") ? g_strndup(name, strlen(name) - strlen("_Remote")) : g_strdup(name);
}

bool rpc_failure_decode(const char *text, GError **error)
{
    g_autoptr(NdJson) failure = NULL;
    g_autoptr(GError) why = NULL;
    if (!nd_json_parse(text, strlen(text), NULL, &failure, &why)) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "failure of a reply: %s", why->message);
        return false;
    }
    const char *class_name = nd_json_string(failure, "class", NULL), *module_name = nd_json_string(failure, "module", NULL);
    const char *message = nd_json_string(failure, "message", "");
    if (class_name == NULL) {
        g_set_error(error, RPC_ERROR, RPC_ERROR_MESSAGE, "failure of a reply names no class");
        return false;
    }
    g_autofree char *class_plain = without_remote_suffix(class_name);
    g_autofree char *module_plain = without_remote_suffix(module_name ? module_name : "");
    NovaExceptionCode code;
    if (rpc_exception_find(class_plain, module_plain, &code)) {
        if (error != NULL)
            g_propagate_error(error, rpc_exception_new(code, message, kwargs_from_json(nd_json_member(failure, "kwargs"))));
        return false;
    }
    rpc_error_set_remote(error, class_plain, module_plain, message);
    return false;
}
