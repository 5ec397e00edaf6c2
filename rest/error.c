/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"

/* What an error carries beside its code and message. */
typedef struct {
    int status;
    char *service_code, *request_id;
} RestErrorPrivate;

static void rest_error_private_init(RestErrorPrivate *details)
{
    *details = (RestErrorPrivate){0};
}

static void rest_error_private_copy(const RestErrorPrivate *from, RestErrorPrivate *to)
{
    to->status = from->status;
    to->service_code = g_strdup(from->service_code);
    to->request_id = g_strdup(from->request_id);
}

static void rest_error_private_clear(RestErrorPrivate *details)
{
    g_free(details->service_code);
    g_free(details->request_id);
}

/* The functions this makes hand on a pointer that gcc cannot see to be set. */
#pragma GCC diagnostic ignored "-Wnull-dereference"
G_DEFINE_EXTENDED_ERROR(RestError, rest_error)

static const RestErrorPrivate *details_of(const GError *error)
{
    return error != NULL && error->domain == REST_ERROR ? rest_error_get_private(error) : NULL;
}

int rest_error_status(const GError *error)
{
    const RestErrorPrivate *details = details_of(error);
    return details != NULL ? details->status : 0;
}

const char *rest_error_service_code(const GError *error)
{
    const RestErrorPrivate *details = details_of(error);
    return details != NULL ? details->service_code : NULL;
}

const char *rest_error_request_id(const GError *error)
{
    const RestErrorPrivate *details = details_of(error);
    return details != NULL ? details->request_id : NULL;
}

RestError rest_error_code_for_status(int status)
{
    static const struct {
        int status;
        RestError code;
    } map[] = {
        {400, REST_ERROR_BAD_REQUEST}, {401, REST_ERROR_AUTH},     {403, REST_ERROR_FORBIDDEN},
        {404, REST_ERROR_NOT_FOUND},   {409, REST_ERROR_CONFLICT}, {413, REST_ERROR_OVER_LIMIT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(map); i++)
        if (map[i].status == status)
            return map[i].code;
    return status >= 500 ? REST_ERROR_SERVICE : REST_ERROR_HTTP;
}

bool rest_error_set(GError **error, RestError code, int status, const char *service_code, const char *request_id, const char *format, ...)
{
    if (error == NULL)
        return false;
    va_list args;
    va_start(args, format);
    *error = g_error_new_valist(REST_ERROR, code, format, args);
    va_end(args);
    RestErrorPrivate *details = rest_error_get_private(*error);
    if (details != NULL) {
        details->status = status;
        details->service_code = g_strdup(service_code);
        details->request_id = g_strdup(request_id);
    }
    return false;
}
