/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "agent/instance_name.h"

static void test_templates(void)
{
    static const struct {
        const char *template, *expected;
    } cases[] = {
        {"instance-%08x", "instance-0000002a"},
        {"vm%d", "vm42"},
        {"i%%%i", "i%42"},
        {"%(uuid)s", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
        {"%(hostname)s-%(id)04d", "web-0042"},
        {"%(nonsense)s", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
        {"%q", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
        {"%", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
        {"%(uuid", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
        {"%n%n", "86b869ef-9dac-4646-ad78-ce4d2b1521e6"},
    };
    g_autoptr(NovaInstance) instance = nova_instance_new();
    nova_instance_set_id(instance, 42);
    nova_instance_set_uuid(instance, "86b869ef-9dac-4646-ad78-ce4d2b1521e6");
    nova_instance_set_hostname(instance, "web");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *template = g_strdup(cases[i].template);
        /* A bare '%' or '$' means nothing to oslo.config; only '$' would. */
        g_autofree char *text = g_strdup_printf("[DEFAULT]\ninstance_name_template = %s\n", template);
        g_autoptr(NdConfig) config = nd_config_new_from_text(text, &error);
        g_assert_no_error(error);
        g_autofree char *name = agent_instance_name(config, instance);
        g_assert_cmpstr(name, ==, cases[i].expected);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/instance-name/templates", test_templates);
    return g_test_run();
}
