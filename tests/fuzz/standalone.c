/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Runs a fuzz target without libFuzzer: seeds, then mutations of them from a fixed random seed. FUZZ_ROUNDS and FUZZ_SEED change how many
 * and which; files given as arguments are run alone (to look at a finding again). */

static void add_file(GPtrArray *inputs, const char *path)
{
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    if (!g_file_get_contents(path, &text, &size, &error)) {
        fprintf(stderr, "%s\n", error->message);
        exit(1);
    }
    g_ptr_array_add(inputs, g_bytes_new(text, size));
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; lines[0] && lines[1] && *line; line++)
        g_ptr_array_add(inputs, g_bytes_new(*line, strlen(*line)));
}

/* One of the usual ways to spoil an input. */
static void mutate(GRand *random, GByteArray *input, GBytes *other)
{
    static const char *const tokens[] = {"null", "{}",      "[]",      "\"\"", "-1", "1e999", "99999999999999999999",
                                         "true", "\\u0000", "{\"a\":", "[[[["};
    guint at = input->len ? (guint)g_rand_int_range(random, 0, (gint32)input->len) : 0;
    guint length = input->len ? (guint)g_rand_int_range(random, 0, (gint32)MIN(input->len - at, 64) + 1) : 0;
    const char *token = tokens[g_rand_int_range(random, 0, G_N_ELEMENTS(tokens))];
    switch (g_rand_int_range(random, 0, 6)) {
    case 0: /* a bit */
        if (input->len)
            input->data[at] ^= (guint8)(1u << g_rand_int_range(random, 0, 8));
        break;
    case 1: /* a hole */
        g_byte_array_remove_range(input, at, length);
        break;
    case 2: /* the end is missing */
        g_byte_array_set_size(input, at);
        break;
    case 3: { /* a word in place of something */
        g_autoptr(GByteArray) tail = g_byte_array_new();
        g_byte_array_append(tail, input->data + at + length, input->len - at - length);
        g_byte_array_set_size(input, at);
        g_byte_array_append(input, (const guint8 *)token, (guint)strlen(token));
        g_byte_array_append(input, tail->data, tail->len);
        break;
    }
    case 4: /* a digit or letter becomes another */
        if (input->len && g_ascii_isalnum(input->data[at]))
            input->data[at] = (guint8) "0129azAZ_."[g_rand_int_range(random, 0, 10)];
        break;
    default: { /* the head of this and the tail of another */
        gsize size = 0;
        const guint8 *data = g_bytes_get_data(other, &size);
        g_byte_array_set_size(input, at);
        if (size > at)
            g_byte_array_append(input, data + at, (guint)(size - at));
        break;
    }
    }
}

/* Bytes at the end of a block of their own, so that ASan sees a read past them. */
static void run(const guint8 *data, gsize size)
{
    guint8 *exact = malloc(size ? size : 1);
    if (size)
        memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static guint number_from_environment(const char *name, guint fallback)
{
    const char *text = g_getenv(name);
    return text ? (guint)strtoul(text, NULL, 10) : fallback;
}

int main(int argc, char **argv)
{
    g_autoptr(GPtrArray) inputs = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    const char *top = g_getenv("G_TEST_SRCDIR") ? g_getenv("G_TEST_SRCDIR") : ".";
    for (int i = 1; i < argc; i++)
        add_file(inputs, argv[i]);
    for (const char *const *seed = fuzz_seeds; argc == 1 && *seed; seed++) {
        g_autofree char *path = g_build_filename(top, *seed, NULL);
        add_file(inputs, path);
    }
    for (guint i = 0; i < inputs->len; i++)
        run(g_bytes_get_data(inputs->pdata[i], NULL), g_bytes_get_size(inputs->pdata[i]));
    guint rounds = argc == 1 ? number_from_environment("FUZZ_ROUNDS", 3000) : 0;
    GRand *random = g_rand_new_with_seed(number_from_environment("FUZZ_SEED", 1));
    for (guint i = 0; i < rounds; i++) {
        g_autoptr(GByteArray) input = g_byte_array_new();
        GBytes *base = inputs->pdata[g_rand_int_range(random, 0, (gint32)inputs->len)];
        GBytes *other = inputs->pdata[g_rand_int_range(random, 0, (gint32)inputs->len)];
        g_byte_array_append(input, g_bytes_get_data(base, NULL), (guint)g_bytes_get_size(base));
        for (int n = g_rand_int_range(random, 1, 4); n > 0; n--)
            mutate(random, input, other);
        run(input->data, input->len);
    }
    g_rand_free(random);
    printf("ok 1 - %u seeds and %u mutations\n1..1\n", inputs->len, rounds);
    return 0;
}
