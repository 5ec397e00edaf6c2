/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/glance.h"

/* Shared by glance.c and glance_download.c. */
struct GlanceClient {
    gint references;
    RestService *service;
    int num_retries;
};

/* Pause before another try, so that a server that is starting is not asked num_retries times within a millisecond. */
#define GLANCE_RETRY_DELAY_S 0.5

/* True for failures that another try or another server may not have. */
bool glance_may_retry(const GError *error);
/* An image from its JSON. Errors: REST_ERROR_BAD_ANSWER. */
bool glance_decode_image(NdJson *body, GlanceImage **image, GError **error);
