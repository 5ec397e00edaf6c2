/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/release.h"

#include <glib.h>

const char *nd_release_name(NdRelease release)
{
    static const char *const names[] = {"Zed", "2023.1", "2023.2", "2024.1", "2024.2", "2025.1", "2025.2", "2026.1", "2026.2"};
    G_STATIC_ASSERT(G_N_ELEMENTS(names) == ND_RELEASE_LAST + 1);
    return (size_t)release < G_N_ELEMENTS(names) ? names[release] : "unknown";
}
