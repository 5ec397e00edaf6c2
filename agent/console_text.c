/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/console_text.h"

/* Upstream splits at newlines and takes the last elements; the text after a final newline is an (empty) element too. */
static gsize tail_offset(const char *bytes, gsize length, gint64 lines)
{
    gint64 seen = 0;

    for (gsize i = length; i > 0; i--)
        if (bytes[i - 1] == '\n' && ++seen == lines)
            return i;
    return 0;
}

char *console_text(const char *bytes, gsize length, gint64 lines)
{
    GString *text = g_string_sized_new(length);

    if (lines == 0)
        length = 0;
    for (gsize i = lines > 0 ? tail_offset(bytes, length, lines) : 0; i < length; i++) {
        unsigned char byte = (unsigned char)bytes[i];

        if (byte == 0 || byte >= 0x80)
            g_string_append(text, "\xef\xbf\xbd");
        else
            g_string_append_c(text, bytes[i]);
    }
    return g_string_free(text, FALSE);
}
