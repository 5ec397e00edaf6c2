/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/options.h"

#include <math.h>

/*
 * Words for the rows of base/options_*.c: {name, TYPE, default, help, STATUS, extras}. tools/check-options compares STATUS with what the code reads
 * and can put it right.
 */
#define STRING ND_OPTION_STRING
#define BOOLEAN ND_OPTION_BOOLEAN
#define INTEGER ND_OPTION_INTEGER
#define PORT ND_OPTION_PORT
#define FLOAT ND_OPTION_FLOAT
#define LIST ND_OPTION_LIST
#define DICT ND_OPTION_DICT
#define MULTI_STRING ND_OPTION_MULTI_STRING
#define MULTI_DICT ND_OPTION_MULTI_DICT
#define IP_ADDRESS ND_OPTION_IP_ADDRESS
#define HOST_ADDRESS ND_OPTION_HOST_ADDRESS
#define HOST_DOMAIN ND_OPTION_HOST_DOMAIN
#define HOSTNAME ND_OPTION_HOSTNAME
#define URI ND_OPTION_URI

/* STATUS with its reason. */
#define HONOURED ND_OPTION_HONOURED, NULL
#define IGNORED(why) ND_OPTION_IGNORED, why
#define UNSUPPORTED(why) ND_OPTION_UNSUPPORTED, why

/* Extras. */
#define RANGE(low, high) .has_range = true, .minimum = (low), .maximum = (high)
#define AT_LEAST(low) RANGE(low, INFINITY)
#define CHOICES(list) .choices = (list)
#define FORMERLY(places) .deprecated = (places)
#define MUTABLE .mutable_ = true
#define SECRET .secret = true
#define LATER(release, value) .later = {{ND_RELEASE_##release, value}}

/* The families, each defined in the file of its name and ended by one without groups. */
extern const NdOptionFamily nd_options_default[];
extern const NdOptionFamily nd_options_logging[];
extern const NdOptionFamily nd_options_messaging[];
extern const NdOptionFamily nd_options_libvirt[];
extern const NdOptionFamily nd_options_compute[];
extern const NdOptionFamily nd_options_console[];
extern const NdOptionFamily nd_options_rest[];
extern const NdOptionFamily nd_options_other[];
