/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/method_args.h"

#include "agent/error.h"
#include "objects/object.h"

#include <string.h>

typedef enum { ARG_BOOL, ARG_INT, ARG_STRING, ARG_LIST, ARG_DICT, ARG_ANY, ARG_OBJECT, ARG_OBJECTS } ArgType;

static const char *const type_words[] = {
    [ARG_BOOL] = "bool", [ARG_INT] = "int", [ARG_STRING] = "str", [ARG_LIST] = "list", [ARG_DICT] = "dict", [ARG_ANY] = "any",
};

typedef struct {
    char *name;
    ArgType type;
    bool nullable;
    bool optional;
    const NovaObjectSpec *object; /* of OBJECT, OBJECTS */
} MethodArg;

struct MethodSignature {
    char *method;
    guint n_args;
    MethodArg *args;
};

typedef struct {
    bool is_null; /* null or missing */
    bool boolean;
    gint64 integer;
    char *string;
    NdJson *json;
    NovaObject *object;
    GPtrArray *objects;
} ArgValue;

struct MethodArgs {
    const MethodSignature *signature;
    ArgValue *values; /* in the signature's order */
};

static const NovaObjectSpec *find_class(const char *method, const char *name)
{
    const NovaObjectSpec *spec = nova_spec_find(name);

    if (spec == NULL)
        g_error("signature of %s: no class \"%s\"", method, name);
    return spec;
}

/* "int", "Instance", "[Instance]" */
static void parse_type(const char *method, char *word, MethodArg *arg)
{
    for (guint i = 0; i < G_N_ELEMENTS(type_words); i++)
        if (strcmp(type_words[i], word) == 0) {
            arg->type = i;
            return;
        }
    if (word[0] == '[' && g_str_has_suffix(word, "]")) {
        word[strlen(word) - 1] = '\0';
        arg->type = ARG_OBJECTS;
        arg->object = find_class(method, word + 1);
        return;
    }
    arg->type = ARG_OBJECT;
    arg->object = find_class(method, word);
}

static void parse_arg(const char *method, const char *text, MethodArg *arg)
{
    const char *colon = strchr(text, ':');
    g_autofree char *word = NULL;
    size_t length;

    if (colon == NULL || colon == text)
        g_error("signature of %s: \"%s\" is no name:type", method, text);
    arg->name = g_strndup(text, (gsize)(colon - text));
    word = g_strdup(colon + 1);
    length = strlen(word);
    if (length > 0 && word[length - 1] == '=') {
        arg->optional = true;
        word[--length] = '\0';
    }
    if (length > 0 && word[length - 1] == '?') {
        arg->nullable = true;
        word[--length] = '\0';
    }
    parse_type(method, word, arg);
}

MethodSignature *method_signature_new(const char *method, const char *signature)
{
    MethodSignature *parsed = g_new0(MethodSignature, 1);
    g_auto(GStrv) words = g_strsplit(signature, ",", -1);

    parsed->method = g_strdup(method);
    parsed->args = g_new0(MethodArg, g_strv_length(words) + 1);
    for (guint i = 0; words[i] != NULL; i++) {
        const char *word = g_strstrip(words[i]);

        if (word[0] != '\0')
            parse_arg(method, word, &parsed->args[parsed->n_args++]);
    }
    return parsed;
}

void method_signature_free(MethodSignature *signature)
{
    if (signature == NULL)
        return;
    for (guint i = 0; i < signature->n_args; i++)
        g_free(signature->args[i].name);
    g_free(signature->args);
    g_free(signature->method);
    g_free(signature);
}

guint method_signature_n_args(const MethodSignature *signature)
{
    return signature->n_args;
}

const char *method_signature_arg_name(const MethodSignature *signature, guint index)
{
    return signature->args[index].name;
}

bool method_signature_arg_is_optional(const MethodSignature *signature, guint index)
{
    return signature->args[index].optional;
}

static bool wrong_type(const MethodSignature *signature, const MethodArg *arg, GError **error)
{
    g_autofree char *expected = NULL;

    if (arg->type == ARG_OBJECT)
        expected = g_strdup(arg->object->name);
    else if (arg->type == ARG_OBJECTS)
        expected = g_strdup_printf("[%s]", arg->object->name);
    else
        expected = g_strdup(type_words[arg->type]);
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "%s() argument '%s' must be %s", signature->method, arg->name, expected);
    return false;
}

static bool parse_objects(const MethodArg *arg, NdJson *json, ArgValue *value, GError **error)
{
    size_t n = json_object_array_length(json);

    value->objects = g_ptr_array_new_with_free_func(nova_object_unref);
    for (size_t i = 0; i < n; i++) {
        NovaObject *object = nova_object_from_json_as(json_object_array_get_idx(json, i), arg->object, NULL, error);

        if (object == NULL) {
            g_prefix_error(error, "argument '%s', element %zu: ", arg->name, i);
            return false;
        }
        g_ptr_array_add(value->objects, object);
    }
    return true;
}

static bool copy_json(NdJson *json, ArgValue *value, GError **error)
{
    if (json_object_deep_copy(json, &value->json, NULL) == 0)
        return true;
    g_set_error(error, AGENT_ERROR, AGENT_ERROR_FAILED, "copy an argument");
    return false;
}

static bool parse_value(const MethodSignature *signature, const MethodArg *arg, NdJson *json, ArgValue *value, GError **error)
{
    static const json_type json_types[] = {
        [ARG_BOOL] = json_type_boolean, [ARG_INT] = json_type_int, [ARG_STRING] = json_type_string, [ARG_LIST] = json_type_array,
        [ARG_DICT] = json_type_object, [ARG_OBJECT] = json_type_object, [ARG_OBJECTS] = json_type_array,
    };

    if (json == NULL) {
        value->is_null = true;
        return arg->nullable || arg->type == ARG_ANY || wrong_type(signature, arg, error);
    }
    if (arg->type != ARG_ANY && !json_object_is_type(json, json_types[arg->type]))
        return wrong_type(signature, arg, error);
    switch (arg->type) {
    case ARG_BOOL:
        value->boolean = json_object_get_boolean(json);
        return true;
    case ARG_INT:
        value->integer = json_object_get_int64(json);
        return true;
    case ARG_STRING:
        value->string = g_strdup(json_object_get_string(json));
        return true;
    case ARG_LIST:
    case ARG_DICT:
    case ARG_ANY:
        return copy_json(json, value, error);
    case ARG_OBJECTS:
        return parse_objects(arg, json, value, error);
    case ARG_OBJECT:
        break;
    }
    value->object = nova_object_from_json_as(json, arg->object, NULL, error);
    if (value->object == NULL)
        g_prefix_error(error, "argument '%s': ", arg->name);
    return value->object != NULL;
}

static bool check_names(const MethodSignature *signature, NdJson *args, GError **error)
{
    if (args == NULL)
        return true;
    if (!json_object_is_type(args, json_type_object)) {
        g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "%s() arguments must be a mapping", signature->method);
        return false;
    }
    json_object_object_foreach(args, name, value) {
        guint i = 0;

        (void)value;
        while (i < signature->n_args && strcmp(signature->args[i].name, name) != 0)
            i++;
        if (i == signature->n_args) {
            g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "%s() got an unexpected keyword argument '%s'", signature->method, name);
            return false;
        }
    }
    return true;
}

MethodArgs *method_args_parse(const MethodSignature *signature, NdJson *args, GError **error)
{
    g_autoptr(MethodArgs) parsed = NULL;

    if (!check_names(signature, args, error))
        return NULL;
    parsed = g_new0(MethodArgs, 1);
    parsed->signature = signature;
    parsed->values = g_new0(ArgValue, signature->n_args + 1);
    for (guint i = 0; i < signature->n_args; i++) {
        const MethodArg *arg = &signature->args[i];
        NdJson *json = NULL;

        if (args == NULL || !json_object_object_get_ex(args, arg->name, &json)) {
            if (!arg->optional) {
                g_set_error(error, AGENT_ERROR, AGENT_ERROR_ARGUMENT, "%s() missing 1 required positional argument: '%s'", signature->method,
                            arg->name);
                return NULL;
            }
            parsed->values[i].is_null = true;
            continue;
        }
        if (!parse_value(signature, arg, json, &parsed->values[i], error))
            return NULL;
    }
    return g_steal_pointer(&parsed);
}

void method_args_free(MethodArgs *args)
{
    if (args == NULL)
        return;
    for (guint i = 0; i < args->signature->n_args; i++) {
        ArgValue *value = &args->values[i];

        g_free(value->string);
        json_object_put(value->json);
        nova_object_unref(value->object);
        g_clear_pointer(&value->objects, g_ptr_array_unref);
    }
    g_free(args->values);
    g_free(args);
}

static const ArgValue *find(const MethodArgs *args, const char *name, ArgType type)
{
    for (guint i = 0; i < args->signature->n_args; i++) {
        const MethodArg *arg = &args->signature->args[i];

        if (strcmp(arg->name, name) != 0)
            continue;
        if (arg->type != type)
            break;
        return &args->values[i];
    }
    g_error("%s has no argument \"%s\" of that type", args->signature->method, name);
}

bool method_args_has(const MethodArgs *args, const char *name)
{
    for (guint i = 0; i < args->signature->n_args; i++)
        if (strcmp(args->signature->args[i].name, name) == 0)
            return !args->values[i].is_null;
    return false;
}

bool method_args_bool(const MethodArgs *args, const char *name)
{
    return find(args, name, ARG_BOOL)->boolean;
}

gint64 method_args_int(const MethodArgs *args, const char *name)
{
    return find(args, name, ARG_INT)->integer;
}

const char *method_args_string(const MethodArgs *args, const char *name)
{
    return find(args, name, ARG_STRING)->string;
}

NdJson *method_args_json(const MethodArgs *args, const char *name)
{
    for (guint i = 0; i < args->signature->n_args; i++) {
        const MethodArg *arg = &args->signature->args[i];

        if (strcmp(arg->name, name) == 0 && (arg->type == ARG_LIST || arg->type == ARG_DICT || arg->type == ARG_ANY))
            return args->values[i].json;
    }
    g_error("%s has no JSON argument \"%s\"", args->signature->method, name);
}

void *method_args_object(const MethodArgs *args, const char *name)
{
    return find(args, name, ARG_OBJECT)->object;
}

GPtrArray *method_args_objects(const MethodArgs *args, const char *name)
{
    return find(args, name, ARG_OBJECTS)->objects;
}
