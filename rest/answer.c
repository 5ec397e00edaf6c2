/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/error.h"
#include "rest/session.h"

#include <string.h>

/* How much of a service's words goes into an error. */
enum { ERROR_TEXT_CHARACTERS = 300 };

void rest_answer_free(RestAnswer *answer)
{
    if (answer == NULL)
        return;
    g_clear_pointer(&answer->body, g_bytes_unref);
    g_clear_pointer(&answer->headers, g_hash_table_unref);
    g_free(answer->url);
    g_free(answer);
}

const char *rest_answer_header(const RestAnswer *answer, const char *name)
{
    return g_hash_table_lookup(answer->headers, name);
}

bool rest_answer_json(const RestAnswer *answer, NdJson **value, GError **error)
{
    static const NdJsonLimits limits = {.max_depth = REST_JSON_DEPTH};
    gsize length;
    const char *text = g_bytes_get_data(answer->body, &length);
    g_autoptr(GError) failure = NULL;
    if (!nd_json_parse(text != NULL ? text : "", length, &limits, value, &failure))
        return rest_error_set(error, REST_ERROR_BAD_ANSWER, answer->status, NULL, rest_answer_header(answer, "x-openstack-request-id"),
                              "answer of %s: %s", answer->url, failure->message);
    return true;
}

/* One line of printable text: tags dropped (Glance answers errors in HTML), white space joined, cut. */
static char *plain_words(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *words = g_string_new(NULL);
    bool in_tag = false, space = false;
    glong characters = 0;
    for (const char *at = valid; *at != '\0' && characters < ERROR_TEXT_CHARACTERS; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (c == '<' || (in_tag && c != '>')) {
            in_tag = true;
            space = true;
            continue;
        }
        if (in_tag || g_unichar_isspace(c) || g_unichar_iscntrl(c)) {
            in_tag = false;
            space = true;
            continue;
        }
        if (space && words->len > 0)
            g_string_append_c(words, ' ');
        space = false;
        g_string_append_unichar(words, c);
        characters++;
    }
    return g_string_free(words, FALSE);
}

/* Where services put their error code and words. */
static void read_error_body(NdJson *body, const char **code, const char **words)
{
    NdJson *keystone = nd_json_object(body, "error");
    NdJson *neutron = nd_json_object(body, "NeutronError");
    NdJson *placement = nd_json_array(body, "errors");
    if (neutron != NULL) {
        *code = nd_json_string(neutron, "type", NULL);
        *words = nd_json_string(neutron, "message", NULL);
    } else if (placement != NULL) {
        NdJson *first = json_object_array_get_idx(placement, 0);
        *code = nd_json_string(first, "code", NULL);
        *words = nd_json_string(first, "detail", nd_json_string(first, "title", NULL));
    } else if (keystone != NULL) {
        *words = nd_json_string(keystone, "message", NULL);
    } else {
        *words = nd_json_string(body, "message", nd_json_string(body, "NeutronError", nd_json_string(body, "faultstring", NULL)));
    }
}

bool rest_answer_set_error(const RestAnswer *answer, const char *method, GError **error)
{
    gsize length;
    const char *raw = g_bytes_get_data(answer->body, &length);
    g_autofree char *text = g_strndup(raw != NULL ? raw : "", length);
    g_autoptr(NdJson) body = NULL;
    const char *code = NULL, *words = NULL;
    static const NdJsonLimits limits = {.max_depth = REST_JSON_DEPTH};
    if (nd_json_parse(text, strlen(text), &limits, &body, NULL))
        read_error_body(body, &code, &words);
    g_autofree char *shown = plain_words(words != NULL ? words : text);
    g_autofree char *shown_code = code != NULL ? plain_words(code) : NULL;
    RestError ours = rest_error_code_for_status(answer->status);
    if (answer->status == 409 && g_strcmp0(code, "placement.concurrent_update") == 0)
        ours = REST_ERROR_CONFLICT_GENERATION;
    return rest_error_set(error, ours, answer->status, shown_code, rest_answer_header(answer, "x-openstack-request-id"),
                          "%s %s: HTTP %d%s%s", method, answer->url, answer->status, *shown != '\0' ? ": " : "", shown);
}
