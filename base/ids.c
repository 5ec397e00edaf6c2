/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/ids.h"

#include <glib.h>
#include <string.h>
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
