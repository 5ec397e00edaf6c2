/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/conf.h"
#include "base/conf_ini.h"
#include "base/conf_value.h"
#include "base/error.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Any text as nova.conf: it is refused with a place, or every value can be read. The same text is tried as the value of each type of
 * option. */

const char *const fuzz_seeds[] = {
    "tests/golden/config/basic.conf",        "tests/golden/config/continuation.conf", "tests/golden/config/interpolation.conf",
    "tests/golden/config/repeated.conf",     "tests/golden/config/quotes.conf",       "tests/golden/config/numbers-bad.conf",
    "tests/golden/config/section-case.conf", "tests/golden/config/deprecated.conf",   "tests/golden/config/lists.conf",
    "tests/golden/config/choices-bad.conf",  "tests/golden/config/uri-01.conf",       NULL,
};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void try_types(const char *text)
{
    for (NdOptionType type = ND_OPTION_STRING; type <= ND_OPTION_URI; type++) {
        g_autoptr(GError) error = NULL;
        NdOption option = {.name = "x", .type = type};
        g_autoptr(NdConfigValue) value = nd_config_value_new(&option, (const char *const[]){text, NULL}, &error);
        must((value != NULL) == (error == NULL));
        if (value == NULL)
            continue;
        g_autofree char *shown = nd_config_value_to_text(value);
        must(shown != NULL);
    }
}

/* The rules of the reader hold whatever the values are. */
static void check_file(const NdIniFile *file)
{
    for (guint i = 0; i < file->entries->len; i++) {
        const NdIniEntry *entry = file->entries->pdata[i];
        must(*entry->key != '\0' && entry->line > 0 && *entry->section != '\0');
        must(i == 0 || ((const NdIniEntry *)file->entries->pdata[i - 1])->line < entry->line);
        const GPtrArray *values = nd_ini_values(file, entry->section, entry->key);
        must(values != NULL && g_ptr_array_find((GPtrArray *)values, entry, NULL));
        g_autofree char *stripped = nd_ini_strip(entry->key, -1);
        must(g_str_equal(stripped, entry->key));
    }
}

static void check_config(const NdConfig *config)
{
    must(nd_config_string(config, "DEFAULT", "instances_path") != NULL);
    must(nd_config_list(config, "libvirt", "cpu_models") != NULL);
    must(nd_config_multi(config, "pci", "alias") != NULL);
    nd_config_int(config, "DEFAULT", "report_interval");
    nd_config_float(config, "DEFAULT", "initial_cpu_allocation_ratio");
    for (guint i = 0; i < nd_config_problems(config)->len; i++)
        must(((const NdConfigProblem *)nd_config_problems(config)->pdata[i])->severity != ND_PROBLEM_FATAL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL, error2 = NULL;
    int line = -1;
    g_autoptr(NdIniFile) file = nd_ini_parse("fuzz", (const char *)data, size, &line, &error);
    must((file != NULL) == (error == NULL));
    if (file == NULL) {
        must(g_str_has_prefix(error->message, "fuzz:") && line >= 1);
        return 0;
    }
    check_file(file);
    g_autofree char *text = g_strndup((const char *)data, size);
    try_types(text);
    g_autoptr(NdConfig) config = nd_config_new_from_text(text, &error2);
    must((config != NULL) == (error2 == NULL));
    if (config != NULL)
        check_config(config);
    return 0;
}
