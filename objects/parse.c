/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/time.h"
#include "objects/walker.h"

#include <errno.h>
#include <math.h>

/* Reading: JSON to objects, with upstream's coercions (spec/objects.md section 1) and limits. json-c's getters convert silently, so every
 * type is looked at first. */

/* Where in the argument we are, for messages: "Instance.pci_devices.objects[3].address". Lives on the stack. */
typedef struct Path {
    const struct Path *parent;
    const char *name; /* NULL: an index */
    guint index;
} Path;

typedef struct {
    NovaLimits limits;
    guint depth;
    bool newer; /* the innermost object's version is above ours: unknown enum values are right */
} Reader;

static void append_path(GString *text, const Path *path)
{
    if (path->parent)
        append_path(text, path->parent);
    if (!path->name)
        g_string_append_printf(text, "[%u]", path->index);
    else
        g_string_append_printf(text, "%s%s", text->len ? "." : "", path->name);
}

static bool fail(GError **error, const Path *path, ObjectsError code, const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool fail(GError **error, const Path *path, ObjectsError code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *reason = g_strdup_vprintf(format, args);
    va_end(args);
    g_autoptr(GString) where = g_string_new(NULL);
    append_path(where, path);
    g_set_error(error, OBJECTS_ERROR, code, "%s %s", where->str, reason);
    return false;
}

static const char *json_type_word(NdJson *json)
{
    static const char *const words[] = {
        [json_type_null] = "null",       [json_type_boolean] = "a boolean", [json_type_double] = "a number",
        [json_type_int] = "an integer",  [json_type_object] = "an object",  [json_type_array] = "a list",
        [json_type_string] = "a string",
    };
    return words[json_object_get_type(json)];
}

static bool wrong_type(GError **error, const Path *path, const char *wanted, NdJson *json)
{
    return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "must be %s, not %s", wanted, json_type_word(json));
}

/* --- scalars ----------------------------------------------------------------------------------------------------------------------- */

/* The text of a JSON string, with U+FFFD for each NUL, which C strings cannot hold: an API user may put one into a metadata value, and such
 * an instance must not make every list that contains it unreadable. Caller frees. */
static char *text_without_nul(NdJson *json)
{
    const char *text = json_object_get_string(json);
    size_t length = (size_t)json_object_get_string_len(json);
    if (strlen(text) == length)
        return g_strndup(text, length);
    GString *clean = g_string_new(NULL);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0')
            g_string_append(clean, "\xEF\xBF\xBD");
        else
            g_string_append_c(clean, text[i]);
    }
    return g_string_free(clean, false);
}

/* The text of a string, and of a number or boolean as Python's str() writes it. NULL: not convertible. */
static char *text_of(NdJson *json)
{
    switch (json_object_get_type(json)) {
    case json_type_string:
        return text_without_nul(json);
    case json_type_int:
    case json_type_double:
        return g_strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
    case json_type_boolean:
        return g_strdup(json_object_get_boolean(json) ? "True" : "False");
    default:
        return NULL;
    }
}

static bool check_length(const Reader *reader, const Path *path, NdJson *json, GError **error)
{
    if (json_object_is_type(json, json_type_string) && (size_t)json_object_get_string_len(json) > reader->limits.max_string)
        return fail(error, path, OBJECTS_ERROR_LIMIT, "is longer than %zu bytes", reader->limits.max_string);
    return true;
}

static bool parse_string(const Reader *reader, const Path *path, const NovaType *type, NdJson *json, char **slot, GError **error)
{
    if (!check_length(reader, path, json, error))
        return false;
    /* addresses and the like must be text; plain strings and UUIDs are made from numbers too */
    bool strict = type->format > NOVA_FORMAT_UUID && !json_object_is_type(json, json_type_string);
    g_autofree char *text = strict ? NULL : text_of(json);
    if (!text)
        return wrong_type(error, path, "a string", json);
    const char *reason = NULL;
    *slot = nova_string_canonical(type, text, reader->newer, &reason);
    if (!*slot)
        return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "%s: '%.80s'", reason, text);
    return true;
}

static bool parse_int(const Path *path, NdJson *json, gint64 *slot, GError **error)
{
    switch (json_object_get_type(json)) {
    case json_type_int:
        if (json_object_get_int64(json) == G_MAXINT64 && json_object_get_uint64(json) > G_MAXINT64)
            return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is too large");
        *slot = json_object_get_int64(json);
        return true;
    case json_type_boolean:
        *slot = json_object_get_boolean(json);
        return true;
    case json_type_double: {
        double value = json_object_get_double(json);
        if (!(fabs(value) < 9.2e18))
            return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is too large");
        *slot = (gint64)value;
        return true;
    }
    case json_type_string: {
        g_autofree char *text = g_strstrip(g_strdup(json_object_get_string(json)));
        if (!g_ascii_string_to_signed(*text == '+' ? text + 1 : text, 10, G_MININT64, G_MAXINT64, slot, NULL))
            return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is no integer: '%.80s'", text);
        return true;
    }
    default:
        return wrong_type(error, path, "an integer", json);
    }
}

static bool parse_float(const Path *path, NdJson *json, double *slot, GError **error)
{
    if (json_object_is_type(json, json_type_string)) {
        g_autofree char *text = g_strstrip(g_strdup(json_object_get_string(json)));
        char *end = text;
        *slot = g_ascii_strtod(text, &end);
        if (*text == '\0' || *end != '\0')
            return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is no number: '%.80s'", text);
    } else if (json_object_is_type(json, json_type_int) || json_object_is_type(json, json_type_double)) {
        *slot = json_object_get_double(json);
    } else if (json_object_is_type(json, json_type_boolean)) {
        *slot = json_object_get_boolean(json) ? 1 : 0;
    } else {
        return wrong_type(error, path, "a number", json);
    }
    if (!isfinite(*slot)) {
        *slot = 0;
        return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is too large");
    }
    return true;
}

/* Python's truth: anything but false, zero and empty. A flexible boolean reads words; unknown ones are false. */
static bool parse_bool(const NovaType *type, NdJson *json)
{
    static const char *const yes[] = {"1", "t", "true", "on", "y", "yes", NULL};
    switch (json_object_get_type(json)) {
    case json_type_boolean:
        return json_object_get_boolean(json);
    case json_type_object:
        return type->kind == NOVA_KIND_BOOL && json_object_object_length(json) > 0;
    case json_type_array:
        return type->kind == NOVA_KIND_BOOL && json_object_array_length(json) > 0;
    case json_type_string:
        if (type->kind == NOVA_KIND_BOOL)
            return json_object_get_string_len(json) > 0;
        break;
    default:
        if (type->kind == NOVA_KIND_BOOL)
            return json_object_get_boolean(json);
        break;
    }
    g_autofree char *text = text_of(json);
    g_autofree char *word = text ? g_ascii_strdown(g_strstrip(text), -1) : NULL;
    return word && g_strv_contains(yes, word);
}

static bool parse_time(const Path *path, NdJson *json, gint64 *slot, GError **error)
{
    if (!json_object_is_type(json, json_type_string))
        return wrong_type(error, path, "a time", json);
    gint64 value;
    /* years 1 to 9999, also after an offset was taken off */
    if (!nd_time_parse(json_object_get_string(json), &value, NULL) || value < G_GINT64_CONSTANT(-62135596800000000) ||
        value > G_GINT64_CONSTANT(253402300799999999))
        return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "is no time: '%.80s'", json_object_get_string(json));
    *slot = value;
    return true;
}

/* --- containers -------------------------------------------------------------------------------------------------------------------- */

static bool parse_value(Reader *reader, const Path *path, const NovaType *type, NdJson *json, void *slot, GError **error);

static bool enter(Reader *reader, const Path *path, size_t length, GError **error)
{
    if (length > reader->limits.max_length)
        return fail(error, path, OBJECTS_ERROR_LIMIT, "has more than %u elements", reader->limits.max_length);
    if (reader->depth >= reader->limits.max_depth)
        return fail(error, path, OBJECTS_ERROR_LIMIT, "is nested deeper than %u levels", reader->limits.max_depth);
    reader->depth++;
    return true;
}

/* One element of a container, as the pointer that the container holds. */
static bool parse_element(Reader *reader, const Path *path, const NovaType *type, NdJson *json, gpointer *element, GError **error)
{
    *element = NULL;
    if (!json) {
        if (type->nullable)
            return true;
        return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "must not be null");
    }
    gint64 number = 0;
    if (!parse_value(reader, path, type, json, type->kind == NOVA_KIND_INT ? (void *)&number : (void *)element, error))
        return false;
    if (type->kind == NOVA_KIND_INT)
        *element = g_memdup2(&number, sizeof(number));
    return true;
}

static bool parse_list(Reader *reader, const Path *path, const NovaType *type, NdJson *json, gpointer *slot, GError **error)
{
    if (!json_object_is_type(json, json_type_array))
        return wrong_type(error, path, "a list", json);
    size_t length = json_object_array_length(json);
    if (!enter(reader, path, length, error))
        return false;
    g_autoptr(GPtrArray) elements = g_ptr_array_new_full((guint)length + 1, nova_value_destroyer(type->element));
    Path here = {.parent = path};
    for (here.index = 0; here.index < length; here.index++) {
        gpointer element;
        if (!parse_element(reader, &here, type->element, json_object_array_get_idx(json, here.index), &element, error))
            return false;
        g_ptr_array_add(elements, element);
    }
    reader->depth--;
    if (type->element->kind == NOVA_KIND_INT) {
        GArray *numbers = g_array_sized_new(false, false, sizeof(gint64), (guint)length);
        for (guint i = 0; i < elements->len; i++)
            g_array_append_vals(numbers, elements->pdata[i], 1);
        *slot = numbers;
    } else if (type->element->kind == NOVA_KIND_STRING) {
        g_ptr_array_add(elements, NULL);
        *slot = g_ptr_array_steal(elements, NULL);
    } else {
        *slot = g_steal_pointer(&elements);
    }
    if (type->kind == NOVA_KIND_SET)
        nova_value_normalise_set(type, slot);
    return true;
}

static bool parse_dict(Reader *reader, const Path *path, const NovaType *type, NdJson *json, gpointer *slot, GError **error)
{
    if (!json_object_is_type(json, json_type_object))
        return wrong_type(error, path, "a dict", json);
    if (!enter(reader, path, (size_t)json_object_object_length(json), error))
        return false;
    g_autoptr(GHashTable) dict = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, nova_value_destroyer(type->element));
    json_object_object_foreach(json, key, value)
    {
        Path here = {.parent = path, .name = key};
        gpointer element;
        if (!parse_element(reader, &here, type->element, value, &element, error))
            return false;
        g_hash_table_replace(dict, g_strdup(key), element);
    }
    reader->depth--;
    *slot = g_steal_pointer(&dict);
    return true;
}

/* --- objects ----------------------------------------------------------------------------------------------------------------------- */

/* "2.7" or "2.7.1" -> {2, 7} */
static bool parse_version(const char *text, NovaVersion *version)
{
    g_auto(GStrv) parts = g_strsplit(text, ".", 4);
    guint n = g_strv_length(parts);
    guint64 numbers[3] = {0};
    if (n < 2 || n > 3)
        return false;
    for (guint i = 0; i < n; i++)
        if (!g_ascii_string_to_unsigned(parts[i], 10, 0, G_MAXUINT16, &numbers[i], NULL))
            return false;
    *version = (NovaVersion){(guint16)numbers[0], (guint16)numbers[1]};
    return true;
}

bool nova_json_is_object(NdJson *json)
{
    return json_object_is_type(json, json_type_object) && json_object_object_get_ex(json, "nova_object.name", NULL);
}

/* Reads the envelope: class, version, data. path may be NULL at the root. */
static bool parse_envelope(NdJson *json, const Path *path, const NovaObjectSpec **spec, NovaVersion *version, NdJson **data, GError **error)
{
    const char *name = nd_json_string(json, "nova_object.name", NULL);
    const char *namespace = nd_json_string(json, "nova_object.namespace", NULL);
    const char *version_text = nd_json_string(json, "nova_object.version", NULL);
    *data = nd_json_object(json, "nova_object.data");
    Path root = {
        .parent = path ? path->parent : NULL, .name = path ? path->name : (name ? name : "object"), .index = path ? path->index : 0};
    if (!name || !namespace || !version_text || !*data || !parse_version(version_text, version))
        return fail(error, &root, OBJECTS_ERROR_NOT_OBJECT, "is no serialised object");
    if (strcmp(namespace, "nova") != 0)
        return fail(error, &root, OBJECTS_ERROR_FOREIGN, "is of the foreign namespace '%.80s'", namespace);
    *spec = nova_spec_find(name);
    if (!*spec)
        return fail(error, &root, OBJECTS_ERROR_UNKNOWN_CLASS, "is of the unknown class '%.80s'", name);
    NovaVersion newest = nova_spec_newest(*spec);
    if (version->major != newest.major)
        return fail(error, &root, OBJECTS_ERROR_TOO_NEW, "has version %s of %s, and only %u.x is known", version_text, (*spec)->name,
                    newest.major);
    return true;
}

static void carry(NovaObject *self, const char *name, NdJson *value)
{
    if (!self->unknown)
        self->unknown = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_replace(self->unknown, g_strdup(name), nd_json_to_string(value));
}

static bool parse_changes(NovaObject *self, const Path *path, NdJson *changes, GError **error)
{
    if (!changes)
        return true;
    if (!json_object_is_type(changes, json_type_array))
        return fail(error, path, OBJECTS_ERROR_NOT_OBJECT, "has changes that are no list");
    for (size_t i = 0; i < json_object_array_length(changes); i++) {
        NdJson *item = json_object_array_get_idx(changes, i);
        if (!json_object_is_type(item, json_type_string))
            return fail(error, path, OBJECTS_ERROR_NOT_OBJECT, "has changes that are no names");
        const char *name = json_object_get_string(item);
        int index = nova_spec_find_field(self->spec, name);
        if (index >= 0) {
            nova_bit_set(self->changed, (guint)index);
        } else if (self->unknown && g_hash_table_contains(self->unknown, name)) {
            if (!self->unknown_changed)
                self->unknown_changed = g_ptr_array_new_with_free_func(g_free);
            g_ptr_array_add(self->unknown_changed, g_strdup(name));
        }
    }
    return true;
}

/* One field, `json` NULL for null. */
static bool parse_field(Reader *reader, const Path *path, NovaObject *self, guint index, NdJson *json, GError **error)
{
    const NovaField *field = &self->spec->fields[index];
    Path here = {.parent = path, .name = field->name};
    g_autoptr(NdJson) fallback = NULL;
    if (!json && !field->type->nullable) {
        if (!field->default_json)
            return fail(error, &here, OBJECTS_ERROR_BAD_FIELD, "must not be null");
        if (!nd_json_parse(field->default_json, strlen(field->default_json), NULL, &fallback, error))
            return false;
        json = fallback;
    }
    if (json && !parse_value(reader, &here, field->type, json, nova_slot(self, field), error))
        return false;
    nova_bit_set(self->set, index);
    if (!json)
        nova_bit_set(self->null, index);
    return true;
}

/* True if the class stands for several, so that a newer release may have added one. */
static bool has_derived(const NovaObjectSpec *base)
{
    for (guint i = 0; i < nova_n_specs; i++)
        if (nova_specs[i]->base == base)
            return true;
    return false;
}

/* A nested object of a class that came after us, kept as it is. False: it is none. */
static bool parse_opaque(const NovaObjectSpec *wanted, NdJson *json, NovaObject **slot)
{
    const char *name = nd_json_string(json, "nova_object.name", NULL);
    bool ours = g_strcmp0(nd_json_string(json, "nova_object.namespace", NULL), "nova") == 0;
    if (!wanted || !name || !ours || !nd_json_object(json, "nova_object.data") || nova_spec_find(name) || !has_derived(wanted))
        return false;
    *slot = nova_object_new(&nova_opaque_spec);
    carry(*slot, "", json);
    return true;
}

static bool parse_object(Reader *reader, const Path *path, const NovaObjectSpec *wanted, NdJson *json, NovaObject **slot, GError **error)
{
    const NovaObjectSpec *spec = NULL;
    NovaVersion version = {0, 0};
    NdJson *data = NULL;
    if (parse_opaque(wanted, json, slot))
        return true;
    if (!parse_envelope(json, path, &spec, &version, &data, error))
        return false;
    Path root = {.name = spec->name};
    if (!path)
        path = &root;
    if (wanted && !nova_spec_is_a(spec, wanted))
        return fail(error, path, OBJECTS_ERROR_BAD_FIELD, "must be of class %s, not %s", wanted->name, spec->name);
    if (!enter(reader, path, (size_t)json_object_object_length(data), error))
        return false;
    bool outer_newer = reader->newer;
    reader->newer = nova_version_compare(version, nova_spec_newest(spec)) > 0;
    g_autoptr(NovaObject) self = nova_object_new(spec);
    self->version = version;
    json_object_object_foreach(data, name, value)
    {
        int index = nova_spec_find_field(spec, name);
        if (index < 0)
            carry(self, name, value);
        else if (!parse_field(reader, path, self, (guint)index, value, error))
            return false;
    }
    if (!parse_changes(self, path, nd_json_member(json, "nova_object.changes"), error))
        return false;
    reader->newer = outer_newer;
    reader->depth--;
    *slot = g_steal_pointer(&self);
    return true;
}

static bool parse_value(Reader *reader, const Path *path, const NovaType *type, NdJson *json, void *slot, GError **error)
{
    switch (type->kind) {
    case NOVA_KIND_STRING:
        return parse_string(reader, path, type, json, slot, error);
    case NOVA_KIND_INT:
        return parse_int(path, json, slot, error);
    case NOVA_KIND_FLOAT:
        return parse_float(path, json, slot, error);
    case NOVA_KIND_BOOL:
    case NOVA_KIND_FLEXIBLE_BOOL:
        *(bool *)slot = parse_bool(type, json);
        return true;
    case NOVA_KIND_TIME:
        return parse_time(path, json, slot, error);
    case NOVA_KIND_OBJECT:
        if (!json_object_is_type(json, json_type_object))
            return wrong_type(error, path, "an object", json);
        return parse_object(reader, path, type->object, json, slot, error);
    case NOVA_KIND_LIST:
    case NOVA_KIND_SET:
        return parse_list(reader, path, type, json, slot, error);
    case NOVA_KIND_DICT:
        return parse_dict(reader, path, type, json, slot, error);
    }
    g_assert_not_reached();
}

static Reader reader_with(const NovaLimits *limits)
{
    static const NovaLimits standard = {NOVA_LIMITS_DEPTH, NOVA_LIMITS_LENGTH, NOVA_LIMITS_STRING};
    return (Reader){.limits = limits ? *limits : standard};
}

bool nova_object_parse_field(NovaObject *self, guint field, NdJson *json, const NovaLimits *limits, GError **error)
{
    Reader reader = reader_with(limits);
    reader.newer = nova_version_compare(self->version, nova_spec_newest(self->spec)) > 0;
    Path path = {.name = self->spec->name};
    return parse_field(&reader, &path, self, field, json, error);
}

NovaObject *nova_object_from_json(NdJson *json, const NovaLimits *limits, GError **error)
{
    Reader reader = reader_with(limits);
    NovaObject *self = NULL;
    return parse_object(&reader, NULL, NULL, json, &self, error) ? self : NULL;
}

void *nova_object_from_json_as(NdJson *json, const NovaObjectSpec *spec, const NovaLimits *limits, GError **error)
{
    g_autoptr(NovaObject) self = nova_object_from_json(json, limits, error);
    if (!self)
        return NULL;
    if (!nova_spec_is_a(self->spec, spec)) {
        g_set_error(error, OBJECTS_ERROR, OBJECTS_ERROR_UNKNOWN_CLASS, "a %s is needed, not a %s", spec->name, self->spec->name);
        return NULL;
    }
    return g_steal_pointer(&self);
}
