/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* All of objects/: the generic functions and every class. */
#include "objects/generated/all.h"
#include "objects/object.h"
