/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "rest/glance.h"
#include "rest/neutron.h"
#include "rest/placement.h"
#include "rest/vendor_data.h"

/*
 * From nova.conf to clients. `auth_section` is followed: all auth options (auth_type, auth_url, user …) come from the group it names, and those
 * session options (cafile, certfile, keyfile, insecure, timeout) that the section itself does not set; endpoint and retry options stay with the section. spec/config.md section 2.
 */

/* Errors of all: REST_ERROR_CONFIG. A section without auth_type has no credentials: *auth = NULL and true. */
bool rest_session_from_config(const NdConfig *config, const char *group, RestSession **session, GError **error);
bool keystone_auth_from_config(const NdConfig *config, const char *group, RestSession *session, KeystoneAuth **auth, GError **error);

/* [placement] must have credentials; [neutron] too; [glance] may. */
PlacementClient *placement_client_from_config(const NdConfig *config, GError **error);
NeutronClient *neutron_client_from_config(const NdConfig *config, GError **error);
GlanceClient *glance_client_from_config(const NdConfig *config, GError **error);
/* Dynamic vendor data services, with the credentials of [vendordata_dynamic_auth] if it has any; [api]vendordata_dynamic_ssl_certfile says who signs their
 * certificates, the auth section's cafile and insecure are for Keystone. */
bool vendor_data_client_from_config(const NdConfig *config, VendorDataClient **client, GError **error);
/* The [service_user] credentials if send_service_user_token is true (else *auth = NULL and true). */
bool service_user_from_config(const NdConfig *config, KeystoneAuth **auth, GError **error);
