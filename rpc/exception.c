/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

/* G_DEFINE_EXTENDED_ERROR's getter returns NULL for another domain, which is asked about before each use. */
#pragma GCC diagnostic ignored "-Wnull-dereference"

#include "rpc/exception.h"

#include "rpc/error.h"
#include "rpc/exception_private.h"

#include <stdarg.h>

typedef struct {
    GHashTable *kwargs; /* char * -> char * (NULL = None); NULL for none */
    bool from_template; /* the text is the class' own, and every argument of it was given */
} NovaExceptionPrivate;

static void nova_exception_private_init(NovaExceptionPrivate *priv)
{
}

static void nova_exception_private_copy(const NovaExceptionPrivate *from, NovaExceptionPrivate *to)
{
    to->from_template = from->from_template;
    if (from->kwargs == NULL)
        return;
    to->kwargs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    GHashTableIter iter;
    gpointer key, value;
    g_hash_table_iter_init(&iter, from->kwargs);
    while (g_hash_table_iter_next(&iter, &key, &value))
        g_hash_table_insert(to->kwargs, g_strdup(key), g_strdup(value));
}

static void nova_exception_private_clear(NovaExceptionPrivate *priv)
{
    g_clear_pointer(&priv->kwargs, g_hash_table_unref);
}

G_DEFINE_EXTENDED_ERROR(NovaException, nova_exception)

enum { MODULE_NOVA, MODULE_BUILTINS, MODULE_DISPATCHER, MODULE_VERSIONED, MODULE_MESSAGING };

static const char *const modules[] = {
    [MODULE_NOVA] = "nova.exception",
    [MODULE_BUILTINS] = "builtins",
    [MODULE_DISPATCHER] = "oslo_messaging.rpc.dispatcher",
    [MODULE_VERSIONED] = "oslo_versionedobjects.exception",
    [MODULE_MESSAGING] = "oslo_messaging.exceptions",
};

typedef struct {
    const char *class_name, *template;
    NovaExceptionCode parent;
    int module, number;
} ExceptionRow;

static const ExceptionRow rows[NOVA_EXC_COUNT] = {
#define ROW(code, module_name, class_text, parent_code, status, text) \
    [NOVA_EXC_##code] = {.class_name = class_text, .template = text, .parent = NOVA_EXC_##parent_code, .module = MODULE_##module_name, .number = status},
    NOVA_EXCEPTION_LIST(ROW)
#undef ROW
};

/* The registered tables: domain -> DomainMap. Written at start only, so reads take no lock. */
typedef struct {
    const RpcExceptionMap *map;
    size_t count;
} DomainMap;
static GHashTable *domains;

void rpc_exception_map_domain(GQuark domain, const RpcExceptionMap *map, size_t count)
{
    if (domains == NULL)
        domains = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    DomainMap *entry = g_new(DomainMap, 1);
    *entry = (DomainMap){map, count};
    g_hash_table_insert(domains, GUINT_TO_POINTER(domain), entry);
}

/* Errors of rpc/ itself that callers know by a class. */
static const RpcExceptionMap own_map[] = {
    {RPC_ERROR_TIMEOUT, NOVA_EXC_MESSAGING_TIMEOUT, NULL},
};

static const RpcExceptionMap *map_find(const GError *error)
{
    DomainMap *entry = domains ? g_hash_table_lookup(domains, GUINT_TO_POINTER(error->domain)) : NULL;
    const RpcExceptionMap *map = entry ? entry->map : error->domain == RPC_ERROR ? own_map : NULL;
    size_t count = entry ? entry->count : G_N_ELEMENTS(own_map);
    for (size_t i = 0; map != NULL && i < count; i++)
        if (map[i].code == error->code)
            return &map[i];
    return NULL;
}

static NovaExceptionCode code_of(const GError *error)
{
    if (error->domain == NOVA_EXCEPTION)
        return error->code >= 0 && error->code < NOVA_EXC_COUNT ? (NovaExceptionCode)error->code : NOVA_EXC_NOVA_EXCEPTION;
    const RpcExceptionMap *row = map_find(error);
    return row ? row->exception : NOVA_EXC_NOVA_EXCEPTION;
}

/* Appends the class' words, "Volume Not Found", for classes without a template. */
static void append_class_words(GString *text, const char *class_name)
{
    for (const char *c = class_name; *c != '\0'; c++) {
        bool starts_word = c > class_name && g_ascii_isupper(c[0]) && (g_ascii_islower(c[-1]) || g_ascii_islower(c[1]));
        if (starts_word)
            g_string_append_c(text, ' ');
        g_string_append_c(text, starts_word && g_ascii_islower(c[1]) ? g_ascii_tolower(*c) : *c);
    }
}

static char *text_without_template(const char *class_name, GHashTable *kwargs)
{
    GString *text = g_string_new(NULL);
    append_class_words(text, class_name);
    g_autoptr(GList) keys = kwargs ? g_list_sort(g_hash_table_get_keys(kwargs), (GCompareFunc)strcmp) : NULL;
    for (GList *l = keys; l != NULL; l = l->next) {
        const char *value = g_hash_table_lookup(kwargs, l->data);
        g_string_append_printf(text, "%s%s '%s'", l == keys ? ": " : ", ", (const char *)l->data, value ? value : "None");
    }
    return g_string_free(text, FALSE);
}

/* Fills "%(name)s" of a template; an argument that was not given stays as its name. */
static char *text_from_template(const char *template, GHashTable *kwargs, bool *complete)
{
    *complete = true;
    GString *text = g_string_new(NULL);
    for (const char *c = template; *c != '\0';) {
        const char *end = g_str_has_prefix(c, "%(") ? strstr(c, ")s") : NULL;
        if (end == NULL) {
            g_string_append_c(text, *c++);
            continue;
        }
        g_autofree char *name = g_strndup(c + 2, (gsize)(end - c - 2));
        gpointer value = NULL;
        bool known = kwargs != NULL && g_hash_table_lookup_extended(kwargs, name, NULL, &value);
        *complete = *complete && known;
        g_string_append(text, !known ? name : value ? (const char *)value : "None");
        c = end + 2;
    }
    return g_string_free(text, FALSE);
}

static GHashTable *kwargs_from_va(va_list list)
{
    GHashTable *kwargs = NULL;
    for (const char *key = va_arg(list, const char *); key != NULL; key = va_arg(list, const char *)) {
        if (kwargs == NULL)
            kwargs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(kwargs, g_strdup(key), g_strdup(va_arg(list, const char *)));
    }
    return kwargs;
}

GError *rpc_exception_new(NovaExceptionCode code, const char *text, GHashTable *kwargs)
{
    const ExceptionRow *row = &rows[code];
    bool complete = false;
    g_autofree char *made = text != NULL            ? g_strdup(text)
                            : row->template != NULL ? text_from_template(row->template, kwargs, &complete)
                                                    : text_without_template(row->class_name, kwargs);
    GError *error = g_error_new_literal(NOVA_EXCEPTION, (int)code, made);
    nova_exception_get_private(error)->kwargs = kwargs;
    nova_exception_get_private(error)->from_template = complete;
    return error;
}

void nova_exception_set(GError **error, NovaExceptionCode code, ...)
{
    if (error == NULL)
        return;
    va_list list;
    va_start(list, code);
    g_propagate_error(error, rpc_exception_new(code, NULL, kwargs_from_va(list)));
    va_end(list);
}

void nova_exception_set_text(GError **error, NovaExceptionCode code, const char *text, ...)
{
    if (error == NULL)
        return;
    va_list list;
    va_start(list, text);
    g_propagate_error(error, rpc_exception_new(code, text, kwargs_from_va(list)));
    va_end(list);
}

bool nova_exception_matches(const GError *error, NovaExceptionCode code)
{
    if (error == NULL || error->domain != NOVA_EXCEPTION)
        return false;
    for (NovaExceptionCode at = code_of(error);; at = rows[at].parent) {
        if (at == code)
            return true;
        if (rows[at].parent == at)
            return false;
    }
}

const char *nova_exception_class(const GError *error)
{
    return rows[code_of(error)].class_name;
}

const char *nova_exception_module(const GError *error)
{
    return modules[rows[code_of(error)].module];
}

int nova_exception_number(const GError *error)
{
    return rows[code_of(error)].number;
}

bool nova_exception_is_nova(const GError *error)
{
    return rows[code_of(error)].module == MODULE_NOVA;
}

const char *nova_exception_kwarg(const GError *error, const char *key)
{
    if (error == NULL || error->domain != NOVA_EXCEPTION)
        return NULL;
    GHashTable *kwargs = nova_exception_get_private(error)->kwargs;
    return kwargs ? g_hash_table_lookup(kwargs, key) : NULL;
}

GError *nova_exception_from_error(const GError *error)
{
    if (error->domain == NOVA_EXCEPTION)
        return g_error_copy(error);
    const RpcExceptionMap *row = map_find(error);
    GHashTable *kwargs = NULL;
    if (row != NULL && row->kwarg != NULL) {
        kwargs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        g_hash_table_insert(kwargs, g_strdup(row->kwarg), g_strdup(error->message));
    }
    /* With a keyword argument the class' own template tells what failed; without, the text stands alone. */
    return rpc_exception_new(row ? row->exception : NOVA_EXC_NOVA_EXCEPTION, kwargs && rows[row->exception].template ? NULL : error->message, kwargs);
}

bool rpc_exception_is_from_template(const GError *error)
{
    return nova_exception_get_private(error)->from_template;
}

GHashTable *rpc_exception_kwargs(const GError *error)
{
    return nova_exception_get_private(error)->kwargs;
}

bool rpc_exception_find(const char *class_name, const char *module, NovaExceptionCode *code)
{
    static GHashTable *index;
    static gsize once;
    if (g_once_init_enter(&once)) {
        index = g_hash_table_new(g_str_hash, g_str_equal);
        for (int i = 0; i < NOVA_EXC_COUNT; i++)
            g_hash_table_insert(index, (gpointer)rows[i].class_name, GINT_TO_POINTER(i));
        g_once_init_leave(&once, 1);
    }
    g_autofree char *plain = g_str_has_suffix(class_name, "_Remote") ? g_strndup(class_name, strlen(class_name) - strlen("_Remote")) : g_strdup(class_name);
    gpointer found;
    if (!g_hash_table_lookup_extended(index, plain, NULL, &found))
        return false;
    if (g_str_equal(module, "exceptions"))
        module = "builtins";
    if (!g_str_equal(modules[rows[GPOINTER_TO_INT(found)].module], module))
        return false;
    *code = (NovaExceptionCode)GPOINTER_TO_INT(found);
    return true;
}
