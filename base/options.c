/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/options.h"

#include "base/conf_ini.h"
#include "base/options_table.h"

static const NdOptionFamily *const tables[] = {
    nd_options_default, nd_options_logging, nd_options_messaging, nd_options_libvirt,
    nd_options_compute, nd_options_console, nd_options_rest,      nd_options_other,
};

/* Made once, never freed. */
typedef struct {
    GArray *families;    /* of NdOptionFamily */
    GHashTable *by_name; /* "group.name" -> NdOption */
    GPtrArray *patterns; /* families with a group that ends in "*": NdOptionFamily */
} Index;

static void index_family(Index *index, const NdOptionFamily *family)
{
    g_auto(GStrv) groups = g_strsplit(family->groups, " ", -1);
    for (char **group = groups; *group != NULL; group++) {
        if (g_str_has_suffix(*group, "*")) {
            g_ptr_array_add(index->patterns, (gpointer)family);
            continue;
        }
        for (size_t i = 0; i < family->n_options; i++)
            g_hash_table_insert(index->by_name, g_strconcat(*group, ".", family->options[i].name, NULL), (gpointer)&family->options[i]);
    }
}

static gpointer make_index(gpointer unused)
{
    Index *index = g_new0(Index, 1);
    index->families = g_array_new(false, false, sizeof(NdOptionFamily));
    index->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    index->patterns = g_ptr_array_new();
    for (size_t t = 0; t < G_N_ELEMENTS(tables); t++)
        for (const NdOptionFamily *family = tables[t]; family->groups != NULL; family++) {
            g_array_append_val(index->families, *family);
            index_family(index, family);
        }
    return index;
}

static const Index *get_index(void)
{
    static GOnce once = G_ONCE_INIT;
    return g_once(&once, make_index, NULL);
}

const NdOptionFamily *nd_option_families(size_t *n_families)
{
    const Index *index = get_index();
    *n_families = index->families->len;
    return (const NdOptionFamily *)(const void *)index->families->data;
}

/* In a family for sections whose names other options make. */
static const NdOption *find_by_pattern(const Index *index, const char *group, const char *name)
{
    for (guint p = 0; p < index->patterns->len; p++) {
        const NdOptionFamily *family = index->patterns->pdata[p];
        g_auto(GStrv) groups = g_strsplit(family->groups, " ", -1);
        bool fits = false;
        for (char **pattern = groups; *pattern != NULL; pattern++)
            fits = fits || g_pattern_match_simple(*pattern, group);
        for (size_t i = 0; fits && i < family->n_options; i++)
            if (g_str_equal(family->options[i].name, name))
                return &family->options[i];
    }
    return NULL;
}

const NdOption *nd_option_find(const char *group, const char *name)
{
    const Index *index = get_index();
    g_autofree char *section = nd_ini_normalise_section(group);
    g_autofree char *key = g_strconcat(section, ".", name, NULL);
    const NdOption *option = g_hash_table_lookup(index->by_name, key);
    return option != NULL ? option : find_by_pattern(index, section, name);
}

const char *nd_option_type_name(NdOptionType type)
{
    static const char *const names[] = {
        [ND_OPTION_STRING] = "string",
        [ND_OPTION_BOOLEAN] = "boolean",
        [ND_OPTION_INTEGER] = "integer",
        [ND_OPTION_PORT] = "port",
        [ND_OPTION_FLOAT] = "float",
        [ND_OPTION_LIST] = "list",
        [ND_OPTION_DICT] = "dict",
        [ND_OPTION_MULTI_STRING] = "multi string",
        [ND_OPTION_MULTI_DICT] = "multi dict",
        [ND_OPTION_IP_ADDRESS] = "ip address",
        [ND_OPTION_HOST_ADDRESS] = "host address",
        [ND_OPTION_HOST_DOMAIN] = "host domain",
        [ND_OPTION_HOSTNAME] = "hostname",
        [ND_OPTION_URI] = "uri",
    };
    return names[type];
}

const char *nd_option_default(const NdOption *option, NdRelease release)
{
    const char *text = option->default_value;
    for (size_t i = 0; i < G_N_ELEMENTS(option->later); i++)
        if (option->later[i].value != NULL && release >= option->later[i].since)
            text = option->later[i].value;
    return text;
}
