/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/keystone.h"

/* Dynamic vendor data: services of an operator that say more of a server, as JSON, for its metadata (upstream nova/api/metadata/vendordata_dynamic.py). */
typedef struct VendorDataClient VendorDataClient;

/* Refs both. session: how the services are reached, with its timeouts; auth: whose token they are shown, NULL = none. */
VendorDataClient *vendor_data_client_new(RestSession *session, KeystoneAuth *auth);
void vendor_data_client_free(VendorDataClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(VendorDataClient, vendor_data_client_free)
/* Whether requests carry a token. */
bool vendor_data_client_has_auth(const VendorDataClient *client);
/* Posts `body` to a service; *value is a new reference to what it answered: any JSON value (NULL for null), an empty object when the answer is empty.
 * A token that is refused is renewed once. Errors: REST_ERROR of any kind, also for any status outside 2xx. */
bool vendor_data_ask(VendorDataClient *client, const char *url, NdJson *body, NdJson **value, GError **error);
