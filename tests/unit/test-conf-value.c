/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/conf_value.h"
#include "base/error.h"

#include <math.h>

/* What a text becomes: as nd_config_value_to_text shows it, "-" for no value, NULL when it is refused. */
typedef struct {
    NdOption option;
    const char *text, *result;
} Case;

static const Case cases[] = {
    {{.type = ND_OPTION_STRING}, "a b", "a b"},
    {{.type = ND_OPTION_STRING}, "", ""},
    {{.type = ND_OPTION_STRING, .choices = "a,b"}, "a", "a"},
    {{.type = ND_OPTION_STRING, .choices = "a,b"}, "A", NULL},
    {{.type = ND_OPTION_STRING, .choices = "a,b", .ignore_case = true}, "B", "B"},
    {{.type = ND_OPTION_STRING, .choices = "a,"}, "", ""},
    {{.type = ND_OPTION_STRING, .choices = "a"}, "", NULL},
    {{.type = ND_OPTION_STRING, .pattern = "^\\d+:\\d+$"}, "1:22", "1:22"},
    {{.type = ND_OPTION_STRING, .pattern = "^\\d+:\\d+$"}, "1-22", NULL},
    {{.type = ND_OPTION_BOOLEAN}, "On", "True"},
    {{.type = ND_OPTION_BOOLEAN}, "0", "False"},
    {{.type = ND_OPTION_BOOLEAN}, "", NULL},
    {{.type = ND_OPTION_INTEGER}, " 12 ", "12"},
    {{.type = ND_OPTION_INTEGER}, "+1_2", "12"},
    {{.type = ND_OPTION_INTEGER}, "-0", "0"},
    {{.type = ND_OPTION_INTEGER}, "", "-"},
    {{.type = ND_OPTION_INTEGER}, "1_", NULL},
    {{.type = ND_OPTION_INTEGER}, "1.0", NULL},
    {{.type = ND_OPTION_INTEGER}, "0x1", NULL},
    {{.type = ND_OPTION_INTEGER}, "-", NULL},
    {{.type = ND_OPTION_INTEGER}, "9223372036854775807", "9223372036854775807"},
    {{.type = ND_OPTION_INTEGER}, "9223372036854775808", NULL},
    {{.type = ND_OPTION_INTEGER, .has_range = true, .minimum = 1, .maximum = 5}, "0", NULL},
    {{.type = ND_OPTION_INTEGER, .has_range = true, .minimum = 1, .maximum = 5}, "5", "5"},
    {{.type = ND_OPTION_INTEGER, .has_range = true, .minimum = 1, .maximum = 5}, "6", NULL},
    {{.type = ND_OPTION_INTEGER, .choices = "256,512"}, "0256", "256"},
    {{.type = ND_OPTION_INTEGER, .choices = "256,512"}, "257", NULL},
    {{.type = ND_OPTION_PORT}, "65535", "65535"},
    {{.type = ND_OPTION_PORT}, "65536", NULL},
    {{.type = ND_OPTION_PORT}, "-1", NULL},
    {{.type = ND_OPTION_FLOAT}, "1", "1.0"},
    {{.type = ND_OPTION_FLOAT}, "1e400", "inf"},
    {{.type = ND_OPTION_FLOAT}, "-inf", "-inf"},
    {{.type = ND_OPTION_FLOAT}, "NaN", "nan"},
    {{.type = ND_OPTION_FLOAT}, "0.1", "0.1"},
    {{.type = ND_OPTION_FLOAT}, "0x1p3", NULL},
    {{.type = ND_OPTION_FLOAT}, "1 2", NULL},
    {{.type = ND_OPTION_FLOAT}, "", "-"},
    {{.type = ND_OPTION_LIST}, "a, b,,", "['a', 'b']"},
    {{.type = ND_OPTION_LIST}, "", "[]"},
    {{.type = ND_OPTION_LIST}, "a,,b", "['a', '', 'b']"},
    {{.type = ND_OPTION_LIST, .choices = "x,y"}, "x, y", "['x', 'y']"},
    {{.type = ND_OPTION_LIST, .choices = "x,y"}, "x,z", NULL},
    {{.type = ND_OPTION_DICT}, "a:1, b : 2:3", "{'a': '1', 'b': '2:3'}"},
    {{.type = ND_OPTION_DICT}, "", "{}"},
    {{.type = ND_OPTION_DICT}, "a", NULL},
    {{.type = ND_OPTION_DICT}, ":1", NULL},
    {{.type = ND_OPTION_DICT}, "a:1,a:2", NULL},
    {{.type = ND_OPTION_MULTI_STRING}, "x,y", "['x,y']"},
    {{.type = ND_OPTION_MULTI_DICT}, "a:1,b:2", "['a:1,b:2']"},
    {{.type = ND_OPTION_MULTI_DICT}, "a:1,b", NULL},
    {{.type = ND_OPTION_IP_ADDRESS}, "192.0.2.1", "192.0.2.1"},
    {{.type = ND_OPTION_IP_ADDRESS}, "fe80::1", "fe80::1"},
    {{.type = ND_OPTION_IP_ADDRESS}, "host", NULL},
    {{.type = ND_OPTION_IP_ADDRESS}, "192.0.2.01", NULL},
    {{.type = ND_OPTION_HOST_ADDRESS}, "a.b-c.example.", "a.b-c.example"},
    {{.type = ND_OPTION_HOST_ADDRESS}, "a_b", NULL},
    {{.type = ND_OPTION_HOST_ADDRESS}, "1.2.3", NULL},
    {{.type = ND_OPTION_HOST_ADDRESS}, ".", NULL},
    {{.type = ND_OPTION_HOST_DOMAIN}, "a_b", "a_b"},
    {{.type = ND_OPTION_HOST_DOMAIN}, "-a", NULL},
    {{.type = ND_OPTION_HOSTNAME}, "192.0.2.1", NULL},
    {{.type = ND_OPTION_HOSTNAME}, "h", "h"},
    {{.type = ND_OPTION_URI}, "http://u:p@[::1]:80/x?y#z", "http://u:p@[::1]:80/x?y#z"},
    {{.type = ND_OPTION_URI}, "http://h%41/", "http://h%41/"},
    {{.type = ND_OPTION_URI}, "http://h%4/", NULL},
    {{.type = ND_OPTION_URI}, "http://", NULL},
    {{.type = ND_OPTION_URI}, "http://h:x/", NULL},
    {{.type = ND_OPTION_URI}, "http://[::1/", NULL},
    {{.type = ND_OPTION_URI}, "http://[x]/", NULL},
    {{.type = ND_OPTION_URI}, "http://[::1]x/", NULL},
    {{.type = ND_OPTION_URI}, "http://u p@h/", NULL},
    {{.type = ND_OPTION_URI}, "1http://h/", NULL},
    {{.type = ND_OPTION_URI}, "http:h", NULL},
    {{.type = ND_OPTION_URI, .schemes = "http,https"}, "HTTPS://h/", "HTTPS://h/"},
    {{.type = ND_OPTION_URI, .schemes = "http,https"}, "ftp://h/", NULL},
};

static void check_case(gconstpointer data)
{
    const Case *test = data;
    g_autoptr(GError) error = NULL;
    const char *texts[] = {test->text, NULL};
    g_autoptr(NdConfigValue) value = nd_config_value_new(&test->option, texts, &error);
    if (test->result == NULL) {
        g_assert_null(value);
        g_assert_error(error, ND_ERROR, ND_ERROR_CONFIG);
        /* The same as a secret: the text does not show up. */
        NdOption secret = test->option;
        secret.secret = true;
        g_autoptr(GError) error2 = NULL;
        g_assert_null(nd_config_value_new(&secret, texts, &error2));
        g_assert_true(g_str_has_prefix(error2->message, "the value "));
        return;
    }
    g_assert_no_error(error);
    g_assert_cmpint(value->present, ==, !g_str_equal(test->result, "-"));
    g_autofree char *text = nd_config_value_to_text(value);
    g_assert_cmpstr(text, ==, value->present ? test->result : "");
}

static void test_absent(void)
{
    NdOption option = {.type = ND_OPTION_DICT};
    g_autoptr(NdConfigValue) value = nd_config_value_new(&option, NULL, NULL);
    g_assert_false(value->present);
    g_assert_cmpuint(g_hash_table_size(value->dict), ==, 0);
    g_autofree char *text = nd_config_value_to_text(value);
    g_assert_cmpstr(text, ==, "");
    nd_config_value_free(NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/conf-value/%s/%zu", nd_option_type_name(cases[i].option.type), i);
        g_test_add_data_func(path, &cases[i], check_case);
    }
    g_test_add_func("/conf-value/absent", test_absent);
    return g_test_run();
}
