/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/ids.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/random.h>
#include <uuid/uuid.h>

char *nd_uuid_new(void)
{
    uuid_t id;
    uuid_generate_random(id);
    char *text = g_malloc(UUID_STR_LEN);
    uuid_unparse_lower(id, text);
    return text;
}

char *nd_uuid_new_hex(void)
{
    char *text = nd_uuid_new();
    char *out = text;
    for (const char *in = text; *in; in++)
        if (*in != '-')
            *out++ = *in;
    *out = '\0';
    return text;
}

char *nd_request_id_new(void)
{
    g_autofree char *id = nd_uuid_new();
    return g_strconcat("req-", id, NULL);
}

bool nd_uuid_is_valid(const char *text)
{
    uuid_t id;
    return text != NULL && strlen(text) == UUID_STR_LEN - 1 && uuid_parse(text, id) == 0;
}

/* Evenly from 0 to `below` - 1 (at most 256), from the kernel. Without its entropy there is no password to be had. */
static guint random_below(guint below)
{
    guint8 byte;
    do {
        while (getrandom(&byte, 1, 0) != 1)
            if (errno != EINTR)
                g_error("getrandom: %s", g_strerror(errno));
    } while (byte >= 256 / below * below);
    return byte % below;
}

static void shuffle(char *text, size_t length)
{
    for (size_t i = length; i > 1; i--) {
        size_t j = random_below((guint)MIN(i, 256));
        char kept = text[i - 1];
        text[i - 1] = text[j];
        text[j] = kept;
    }
}

char *nd_password_new(size_t length)
{
    static const char *const groups[] = {"23456789", "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnopqrstuvwxyz"};
    g_autofree char *all = g_strconcat(groups[0], groups[1], groups[2], NULL);
    size_t made = MAX(length, G_N_ELEMENTS(groups));
    char *password = g_malloc0(made + 1);
    for (size_t i = 0; i < made; i++) {
        const char *from = i < G_N_ELEMENTS(groups) ? groups[i] : all;
        password[i] = from[random_below((guint)strlen(from))];
    }
    shuffle(password, made);
    password[length] = '\0';
    return password;
}
