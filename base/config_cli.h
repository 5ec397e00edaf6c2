/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/conf.h"

/* What the program does about its own command line. */
typedef enum {
    ND_CLI_RUN,  /* go on with *config */
    ND_CLI_EXIT, /* everything asked for was printed: exit with *status */
} NdCliResult;

/* Handles novad's command line: --help, --version, --list-options, --check-config (status 1 on bad values) print and end; anything else
 * loads the configuration into *config. Errors are printed to stderr ("novad: …") and give ND_CLI_EXIT with status 1 (2 for wrong usage).
 */
NdCliResult nd_config_cli(int argc, char **argv, NdConfig **config, int *status);
