/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/error.h"

GQuark objects_error_quark(void)
{
    return g_quark_from_static_string("novad-objects-error-quark");
}
