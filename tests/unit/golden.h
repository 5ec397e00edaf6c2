/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <string.h>

/* Golden files: texts under tests/golden that a test's results must equal; NOVAD_REGENERATE=1 writes them anew (then look at the difference). */

static inline char *golden_path(const char *name)
{
    return g_test_build_filename(G_TEST_DIST, "tests", "golden", name, NULL);
}

static inline char *golden_read(const char *name)
{
    g_autofree char *path = golden_path(name);
    g_autoptr(GError) error = NULL;
    char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, &error))
        g_error("%s", error->message);
    return text;
}

static inline void golden_assert(const char *name, const char *text)
{
    if (g_getenv("NOVAD_REGENERATE") != NULL) {
        g_autofree char *path = golden_path(name);
        g_autoptr(GError) error = NULL;
        if (!g_file_set_contents(path, text, -1, &error))
            g_error("%s", error->message);
        return;
    }
    g_autofree char *wanted = golden_read(name);
    g_assert_cmpstr(text, ==, wanted);
}
