/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "virt/ovs.h"

#include "base/subprocess.h"
#include "virt/error.h"

#include <string.h>

#define DEAD_VLAN "tag=4095"
#define GRACE_S 10 /* ovs-vsctl ends by its own timeout first */

/* Runs ovs-vsctl with `arguments` after the global ones. */
static bool run(const VirtOvsOptions *options, const char *const *arguments, GError **error)
{
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;
    g_ptr_array_add(argv, g_strdup("ovs-vsctl"));
    g_ptr_array_add(argv, g_strdup_printf("--timeout=%u", options->timeout_s));
    if (options->connection != NULL && *options->connection != '\0')
        g_ptr_array_add(argv, g_strdup_printf("--db=%s", options->connection));
    for (; *arguments != NULL; arguments++)
        g_ptr_array_add(argv, g_strdup(*arguments));
    g_ptr_array_add(argv, NULL);
    if (nd_subprocess_output((const char *const *)argv->pdata, options->timeout_s > 0 ? options->timeout_s + GRACE_S : 0, NULL, &failure))
        return true;
    g_set_error(error, VIRT_ERROR, VIRT_ERROR_VIF, "Open vSwitch: %s", failure->message);
    return false;
}

/* Names and ids become words of ovs-vsctl's own language: nothing but what they are made of. */
static bool check_words(const char *const *words, GError **error)
{
    for (; *words != NULL; words++) {
        if (**words == '\0' || **words == '-' || strspn(*words, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "_.:-") != strlen(*words)) {
            g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "'%s' is no name for Open vSwitch", *words);
            return false;
        }
    }
    return true;
}

bool virt_ovs_add_port(const VirtOvsOptions *options, const char *bridge, const char *link, const char *port_id, const char *mac,
    const char *instance_uuid, GError **error)
{
    if (bridge == NULL || mac == NULL || instance_uuid == NULL) {
        g_set_error_literal(error, VIRT_ERROR, VIRT_ERROR_VIF, "a port of Open vSwitch needs a bridge, a MAC address and an instance");
        return false;
    }
    if (!check_words((const char *const[]){bridge, link, port_id, mac, instance_uuid, NULL}, error))
        return false;
    g_autofree char *id = g_strconcat("external_ids:iface-id=", port_id, NULL), *address = g_strconcat("external_ids:attached-mac=", mac, NULL);
    g_autofree char *owner = g_strconcat("external_ids:vm-uuid=", instance_uuid, NULL);
    const char *arguments[24];
    size_t n = 0;
    const char *const fixed[] = {"--", "--may-exist", "add-br", bridge, "--", "--may-exist", "add-port", bridge, link, "--", "set", "Interface", link, id,
        "external_ids:iface-status=active", address, owner};
    for (; n < G_N_ELEMENTS(fixed); n++)
        arguments[n] = fixed[n];
    if (options->isolate) {
        const char *const isolated[] = {"--", "set", "Port", link, DEAD_VLAN};
        for (size_t i = 0; i < G_N_ELEMENTS(isolated); i++)
            arguments[n++] = isolated[i];
    }
    arguments[n] = NULL;
    return run(options, arguments, error);
}

bool virt_ovs_delete_port(const VirtOvsOptions *options, const char *bridge, const char *link, GError **error)
{
    if (!check_words((const char *const[]){bridge, link, NULL}, error))
        return false;
    return run(options, (const char *const[]){"--", "--if-exists", "del-port", bridge, link, NULL}, error);
}
