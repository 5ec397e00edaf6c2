/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/provider_config.h"
#include "base/error.h"
#include "base/file.h"
#include "base/yaml.h"
#include "rpc/exception.h"
#include "tests/unit/golden.h"

#include <string.h>

/* YAML, and the files of [compute]provider_config_location; tests/oracle/provider_config.py asks upstream about the same ones. */

static void test_yaml(void)
{
    static const struct {
        const char *yaml, *json; /* NULL = refused */
    } cases[] = {
        {"", "null"},
        {"~", "null"},
        {"a: [1, -2, 0x1F, 010, 1_000, 1.5, -.5, 1e3, 1.0e+3]", "{\"a\":[1,-2,31,8,1000,1.5,-0.5,\"1e3\",1000.0]}"},
        {"[yes, Off, TRUE, y, null, '', 'yes', \"1\", 08, 1.2.3, .inf]", "[true,false,true,\"y\",null,\"\",\"yes\",\"1\",\"08\",\"1.2.3\",\".inf\"]"},
        {"a:\n  - b: |\n      text\n  - c\n", "{\"a\":[{\"b\":\"text\\n\"},\"c\"]}"},
        {"a: &x {k: v}\nb: *x\n", "{\"a\":{\"k\":\"v\"},\"b\":{\"k\":\"v\"}}"},
        {"a: 1\na: 2\n", "{\"a\":2}"},
        {"99999999999999999999", "\"99999999999999999999\""},
        {"{1: 2}", NULL},
        {"{[a]: 2}", NULL},
        {"a: 1\n---\nb: 2\n", NULL},
        {"a: [1", NULL},
        {"a: *nowhere", NULL},
        {"b: &x {k: v}\na: {<<: *x}\n", NULL},
        {"a: &x [*x]", NULL},
        {"\"a\\0b\"", NULL},
        {"a: \xff", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(NdJson) value = NULL, wanted = NULL;
        bool read = nd_yaml_parse(cases[i].yaml, strlen(cases[i].yaml), &value, &error);
        if (read != (cases[i].json != NULL))
            g_error("case %zu: %s", i, read ? "was taken" : error->message);
        if (!read) {
            g_assert_nonnull(error);
            continue;
        }
        g_assert_no_error(error);
        g_assert_true(nd_json_parse(cases[i].json, strlen(cases[i].json), NULL, &wanted, NULL));
        if (!nd_json_equal(value, wanted))
            g_error("case %zu: %s", i, json_object_to_json_string(value));
    }
}

/* Aliases that multiply, and depth. */
static void test_yaml_limits(void)
{
    g_autoptr(GString) laughs = g_string_new("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 9; i++)
        g_string_append_printf(laughs, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
                               i - 1);
    g_autofree char *deep = g_strnfill(100, '[');
    g_autofree char *deep_end = g_strnfill(100, ']');
    g_autofree char *nested = g_strconcat(deep, deep_end, NULL);
    const char *const texts[] = {laughs->str, nested};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        NdJson *value = NULL;
        g_assert_false(nd_yaml_parse(texts[i], strlen(texts[i]), &value, &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_LIMIT);
    }
}

/* A folder with these files of the golden ones; freed by remove_folder. */
static char *folder_with(const char *const *names)
{
    char *folder = g_dir_make_tmp("novad-providers-XXXXXX", NULL);
    for (; *names != NULL; names++) {
        g_autofree char *from = g_strconcat("provider-config/", *names, NULL), *text = golden_read(from), *to = g_build_filename(folder, *names, NULL);
        g_assert_true(g_file_set_contents(to, text, -1, NULL));
    }
    return folder;
}

static void remove_folder(char *folder)
{
    nd_tree_remove(folder, NULL);
    g_free(folder);
}

static void test_files(void)
{
    g_autofree char *golden = golden_path("provider-config");
    g_autoptr(GDir) dir = g_dir_open(golden, 0, NULL);
    int count = 0;
    for (const char *name; (name = g_dir_read_name(dir)) != NULL; count++) {
        char *folder = folder_with((const char *const[]){name, NULL});
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) configs = provider_config_load(folder, &error);
        bool good = g_str_has_prefix(name, "good-");
        if (good != (configs != NULL))
            g_error("%s: %s", name, error != NULL ? error->message : "was taken");
        if (!good) {
            g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION);
            g_assert_nonnull(strstr(error->message, name));
        }
        remove_folder(folder);
    }
    g_assert_cmpint(count, >, 30);
}

static void test_content(void)
{
    char *folder = folder_with((const char *const[]){"good-full.yaml", "good-uuid.yaml", "good-nothing-to-do.yaml", NULL});
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) configs = provider_config_load(folder, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(configs->len, ==, 3);
    const ProviderConfig *found = NULL;
    g_assert_true(provider_config_find(configs, "11111111-2222-4333-8444-555555555555", "EXAMPLE_RESOURCE_PROVIDER", &found, &error));
    g_assert_cmpuint(g_hash_table_size(found->inventories), ==, 3);
    const PlacementInventory *first = g_hash_table_lookup(found->inventories, "CUSTOM_EXAMPLE_RESOURCE_CLASS");
    g_assert_cmpint(first->total, ==, 100);
    g_assert_cmpint(first->max_unit, ==, 10);
    g_assert_cmpfloat(first->allocation_ratio, ==, 1.5);
    const PlacementInventory *third = g_hash_table_lookup(found->inventories, "CUSTOM_THIRD");
    g_assert_cmpint(third->total, ==, 1000);
    g_assert_cmpint(third->max_unit, ==, G_MAXINT32);
    g_assert_cmpstr(found->traits[1], ==, "CUSTOM_OTHER");
    g_assert_true(provider_config_find(configs, "5213B75D-9260-42a6-b236-f39b0fd10561", "n", &found, &error));
    g_assert_cmpstr(found->source, ==, "good-uuid.yaml");
    g_assert_true(provider_config_find(configs, "11111111-2222-4333-8444-555555555555", "n", &found, &error));
    g_assert_cmpstr(found->id, ==, PROVIDER_CONFIG_COMPUTE_NODE);
    g_assert_false(provider_config_find(configs, "5213b75d-9260-42a6-b236-f39b0fd10561", "EXAMPLE_RESOURCE_PROVIDER", &found, &error));
    g_assert_error(error, NOVA_EXCEPTION, NOVA_EXC_PROVIDER_CONFIG_EXCEPTION);
    g_clear_error(&error);
    g_autofree char *again = g_build_filename(folder, "z.yaml", NULL), *text = golden_read("provider-config/good-uuid.yaml");
    g_assert_true(g_file_set_contents(again, text, -1, NULL));
    g_assert_null(provider_config_load(folder, &error));
    g_assert_nonnull(strstr(error->message, "more than once, in good-uuid.yaml and z.yaml"));
    remove_folder(folder);
    g_clear_error(&error);
    g_autoptr(GPtrArray) none = provider_config_load("/nonexistent", &error);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_true(provider_config_find(none, "u", "n", &found, &error));
    g_assert_null(found);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provider-config/yaml", test_yaml);
    g_test_add_func("/provider-config/yaml-limits", test_yaml_limits);
    g_test_add_func("/provider-config/files", test_files);
    g_test_add_func("/provider-config/content", test_content);
    return g_test_run();
}
