/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"
#include "objects/objects.h"

/* The domain's name: [DEFAULT]instance_name_template filled as Python's % does, with the instance's id ("instance-%08x"), or with its fields
 * ("%(uuid)s"). A template that cannot be filled gives the uuid (nova.objects.instance, Instance.name). Caller frees. */
char *agent_instance_name(const NdConfig *config, const NovaInstance *instance);
