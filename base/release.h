/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The releases of the control plane that novad serves, in order (spec/versions.md section 1). Some option defaults differ between them. */
typedef enum {
    ND_RELEASE_ZED,    /* nova 26, service version 64 */
    ND_RELEASE_2023_1, /* 27 antelope */
    ND_RELEASE_2023_2, /* 28 bobcat */
    ND_RELEASE_2024_1, /* 29 caracal */
    ND_RELEASE_2024_2, /* 30 dalmatian */
    ND_RELEASE_2025_1, /* 31 epoxy */
    ND_RELEASE_2025_2, /* 32 flamingo */
    ND_RELEASE_2026_1, /* 33 gazpacho */
    ND_RELEASE_2026_2, /* 34 */
    ND_RELEASE_LAST = ND_RELEASE_2026_2,
} NdRelease;

/* "Zed", "2023.1" …; static. */
const char *nd_release_name(NdRelease release);
