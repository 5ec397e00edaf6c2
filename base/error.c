/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/error.h"

#include <errno.h>

G_DEFINE_QUARK(novad - base - error, nd_error)

bool nd_error_set_errno(GError **error, int errnum, const char *format, ...)
{
    static const struct {
        int errnum;
        NdError code;
    } map[] = {
        {ENOSPC, ND_ERROR_NO_SPACE}, {EDQUOT, ND_ERROR_NO_SPACE},   {ENOENT, ND_ERROR_NOT_FOUND},
        {EEXIST, ND_ERROR_EXISTS},   {ETIMEDOUT, ND_ERROR_TIMEOUT},
    };
    NdError code = ND_ERROR_IO;
    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (map[i].errnum == errnum)
            code = map[i].code;

    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, ND_ERROR, code, "%s: %s", text, g_strerror(errnum));
    return false;
}
