/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/instance_name.h"

#include <string.h>

/* One conversion of a template: %[(key)][flags][width]type, type one of d i x X o s. */
typedef struct {
    char *key;     /* NULL: the instance's id */
    char flags[8]; /* of printf: digits, 0, -, +, #, space */
    char type;
} Conversion;

/* Reads the conversion after '%'; returns what follows it, or NULL if it is none that Python would take for these values. */
static const char *read_conversion(const char *text, Conversion *conversion)
{
    if (*text == '(') {
        const char *end = strchr(text, ')');
        if (end == NULL)
            return NULL;
        conversion->key = g_strndup(text + 1, (gsize)(end - text - 1));
        text = end + 1;
    }
    size_t length = strspn(text, "0123456789-+# ");
    if (length >= sizeof(conversion->flags))
        return NULL;
    memcpy(conversion->flags, text, length);
    conversion->type = text[length];
    return conversion->type && strchr("dixXos", conversion->type) ? text + length + 1 : NULL;
}

static bool append_number(GString *name, const Conversion *conversion, gint64 value)
{
    g_autofree char *format = g_strdup_printf("%%%s%s%c", conversion->flags, G_GINT64_MODIFIER, conversion->type == 's' ? 'd' : conversion->type);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* flags, width and type are from the sets above */
    g_string_append_printf(name, format, value);
#pragma GCC diagnostic pop
    return true;
}

static bool append_value(GString *name, const Conversion *conversion, const NovaInstance *instance)
{
    if (conversion->key == NULL || g_str_equal(conversion->key, "id"))
        return append_number(name, conversion, instance->id);
    const struct {
        const char *key, *value;
    } fields[] = {
        {"uuid", instance->uuid},           {"hostname", instance->hostname}, {"display_name", instance->display_name},
        {"project_id", instance->project_id}, {"user_id", instance->user_id},   {"reservation_id", instance->reservation_id},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        if (g_str_equal(conversion->key, fields[i].key) && conversion->type == 's') {
            g_string_append(name, fields[i].value ? fields[i].value : "None");
            return true;
        }
    return false;
}

char *agent_instance_name(const NdConfig *config, const NovaInstance *instance)
{
    const char *text = nd_config_string(config, "DEFAULT", "instance_name_template");
    g_autoptr(GString) name = g_string_new(NULL);
    bool filled = text != NULL;
    while (filled && *text) {
        if (*text != '%') {
            g_string_append_c(name, *text++);
            continue;
        }
        if (text[1] == '%') {
            g_string_append_c(name, '%');
            text += 2;
            continue;
        }
        Conversion conversion = {0};
        text = read_conversion(text + 1, &conversion);
        filled = text != NULL && append_value(name, &conversion, instance);
        g_free(conversion.key);
    }
    return filled ? g_strdup(name->str) : g_strdup(instance->uuid);
}
