/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/session.h"

/* Version documents of OpenStack services (API-SIG "version discovery"). Internal to rest/. */

/* The last path segment of `url` if it names a version ("v2", "v2.0", "v3.1"): its start inside url; else NULL. A trailing "/" is passed
 * over. */
const char *rest_url_version(const char *url);
/* `url` without a version at its end and without a trailing "/"; caller frees. */
char *rest_url_without_version(const char *url);

/* Asks `url` (without its version) which versions there are, and gives the URL of the highest one that is CURRENT, SUPPORTED or stable, and
 * within [min, max] (texts as "2", "2.0", "latest"; NULL = open). The host and scheme stay those of `url`, as keystoneauth does it.
 * `headers` as in RestRequest. Errors: REST_ERROR_NO_ENDPOINT (none fits, bad min or max), REST_ERROR_BAD_ANSWER, and those of
 * rest_session_send. */
bool rest_discover(RestSession *session, const char *url, const char *const *headers, const char *min, const char *max, char **found,
                   GError **error);
