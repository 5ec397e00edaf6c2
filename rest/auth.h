/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/keystone.h"

/* Inside of RestAuth, for rest/service.c. */
struct RestAuth {
    gint references;
    char *token;                /* NULL = own credentials of the service */
    char *catalog_json;         /* of the user's context, or NULL */
    KeystoneAuth *service_user; /* NULL = no service token */
    char *global_request_id;
};
