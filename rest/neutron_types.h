/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "rest/decode.h"
#include "rest/neutron.h"

/* How Neutron's resources are named and decoded: one row a resource. Internal to rest/. */
typedef struct {
    const char *singular, *plural; /* of bodies: {"port": …}, {"ports": […]} */
    const char *path;              /* "security-groups" */
    const RestField *fields;
    size_t n_fields;
    size_t size;                                               /* of the struct */
    size_t raw_offset;                                         /* of its NdJson *raw */
    bool (*finish)(NdJson *object, void *out, GError **error); /* for what the table cannot say; or NULL */
    GDestroyNotify free;
} NeutronType;

extern const NeutronType neutron_type_port, neutron_type_network, neutron_type_subnet, neutron_type_floating_ip,
    neutron_type_security_group;

/* One resource from its JSON. Errors: REST_ERROR_BAD_ANSWER. */
bool neutron_decode(const NeutronType *type, NdJson *object, void **out, GError **error);
