/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/instance_metadata.h"
#include "base/conf.h"
#include "objects/objects.h"
#include "rest/vendor_data.h"

/* Vendor data as [api]vendordata_providers asks for it: a file of the host (StaticJSON), services of the operator (DynamicJSON). */

typedef struct {
    bool is_static;  /* StaticJSON is asked for: vendor_data.json is written */
    NdJson *fixed;   /* what the file says; NULL: nothing */
    NdJson *all;     /* the object of vendor_data2.json: "static" and what the services said, by their names */
} AgentVendorData;
void agent_vendor_data_clear(AgentVendorData *data);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AgentVendorData, agent_vendor_data_clear)

/* Whether [api]vendordata_providers names the services. */
bool agent_vendor_data_is_dynamic(const NdConfig *config);
/* Reads the file and asks the services (client may be NULL if they are not asked for). What cannot be read or had is logged and left out; a service's
 * failure is an error with [api]vendordata_dynamic_failure_fatal. Errors: those of vendor_data_ask. */
bool agent_vendor_data_collect(const NdConfig *config, VendorDataClient *client, const NovaInstance *instance, AgentVendorData *data, GError **error);
