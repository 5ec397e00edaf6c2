/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/error.h"

#include <errno.h>

G_DEFINE_QUARK(novad-virt-error, virt_error)
G_DEFINE_QUARK(novad-libvirt-error, virt_libvirt_error)

bool virt_error_set_libvirt(GError **error, const char *format, ...)
{
    virErrorPtr last = virGetLastError();
    int code = last != NULL && last->code != VIR_ERR_OK ? last->code : VIR_ERR_INTERNAL_ERROR;
    const char *message = last != NULL && last->message != NULL ? last->message : "no error text from libvirt";

    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, LIBVIRT_ERROR, code, "%s: %s", text, message);
    return false;
}

bool virt_error_set_errno(GError **error, int errnum, const char *format, ...)
{
    static const struct {
        int errnum;
        VirtError code;
    } map[] = {{ENOSPC, VIRT_ERROR_NO_SPACE}, {EDQUOT, VIRT_ERROR_NO_SPACE}, {ENOENT, VIRT_ERROR_NOT_FOUND}};
    VirtError code = VIRT_ERROR_IO;
    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (map[i].errnum == errnum)
            code = map[i].code;

    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, VIRT_ERROR, code, "%s: %s", text, g_strerror(errnum));
    return false;
}

bool virt_error_is_libvirt(const GError *error, virErrorNumber code)
{
    return g_error_matches(error, LIBVIRT_ERROR, (int)code);
}

bool virt_error_is_no_domain(const GError *error)
{
    return virt_error_is_libvirt(error, VIR_ERR_NO_DOMAIN);
}
