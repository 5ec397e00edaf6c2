/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/discovery.h"
#include "rest/error.h"
#include "rest/glance_private.h"
#include "rest/neutron_types.h"
#include "rest/placement_private.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Any bytes as the body of an answer: as an error of any service, as each typed object, as a catalog, as a URL. Refused with an error of
 * rest/, or read into a struct that can be freed. */

const char *const fuzz_seeds[] = {"tests/golden/rest/seeds.txt", NULL};

static void must(bool truth)
{
    if (!truth)
        abort();
}

/* A failure has an error of our domain, and a message without line breaks. */
static void must_agree(bool ok, const GError *error)
{
    must(ok == (error == NULL));
    must(error == NULL || (error->domain == REST_ERROR && g_utf8_validate(error->message, -1, NULL)));
}

static void try_error(const uint8_t *data, size_t size)
{
    static const int statuses[] = {400, 401, 403, 404, 409, 413, 500, 503, 302};
    RestAnswer answer = {.status = statuses[size % G_N_ELEMENTS(statuses)], .url = (char *)"http://h/p"};
    g_autoptr(GBytes) body = g_bytes_new(data, size);
    g_autoptr(GHashTable) headers = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GError) error = NULL;
    g_autoptr(NdJson) value = NULL;
    g_autoptr(GError) parse_error = NULL;
    answer.body = body;
    answer.headers = headers;
    must(!rest_answer_set_error(&answer, "GET", &error));
    must_agree(false, error);
    must(strpbrk(error->message, "\r\n") == NULL && strlen(error->message) < 2000);
    bool parsed = rest_answer_json(&answer, &value, &parse_error);
    must_agree(parsed, parse_error);
}

static void try_neutron(NdJson *object)
{
    static const NeutronType *const types[] = {
        &neutron_type_port, &neutron_type_network, &neutron_type_subnet, &neutron_type_floating_ip, &neutron_type_security_group,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        g_autoptr(GError) error = NULL;
        void *resource = NULL;
        bool ok = neutron_decode(types[i], object, &resource, &error);
        must_agree(ok, error);
        if (ok)
            types[i]->free(resource);
    }
}

static void try_catalog(NdJson *catalog)
{
    static const char *const types[] = {"network", "block-storage", "image"};
    static const char *const interfaces[] = {"internal", "publicURL", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        KeystoneEndpointFilter filter = {
            .service_type = types[i], .interfaces = i == 1 ? interfaces : NULL, .region_name = i == 2 ? "R" : NULL};
        g_autofree char *url = keystone_catalog_find(catalog, &filter);
        must(url == NULL || *url != '\0');
    }
}

static void try_url(const char *text)
{
    g_autofree char *once = rest_url_without_version(text);
    g_autofree char *path = rest_path(text, text, NULL);
    must(strlen(once) <= strlen(text));
    must(strpbrk(path + 1, "?#\r\n ") == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(NdJson) object = NULL;
    try_error(data, size);
    try_url(text);
    if (size > 1 << 20 || !nd_json_parse(text, strlen(text), NULL, &object, NULL))
        return 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(GlanceImage) image = NULL;
    g_autoptr(GHashTable) amounts = NULL;
    try_catalog(object);
    try_neutron(object);
    bool ok = glance_decode_image(object, &image, &error);
    must_agree(ok, error);
    g_clear_error(&error);
    if (json_object_is_type(object, json_type_object)) {
        ok = placement_decode_amounts(object, "fuzz", &amounts, &error);
        must_agree(ok, error);
    }
    return 0;
}
