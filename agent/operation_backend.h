/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "agent/operation.h"

/* The engine's real surroundings: conductor, notifier, tracker, request. */
extern const OperationBackend operation_backend;
