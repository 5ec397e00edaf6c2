/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/error.h"

G_DEFINE_QUARK(novad - objects - error - quark, objects_error)
