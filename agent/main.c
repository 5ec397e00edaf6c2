/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include <stdio.h>

int main(void)
{
    fprintf(stderr, "novad %s: not complete yet\n", PACKAGE_VERSION);
    return 1;
}
