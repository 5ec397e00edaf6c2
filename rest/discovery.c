/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "rest/discovery.h"

#include "rest/error.h"

#include <string.h>

typedef struct {
    int major, minor;
} Version;

/* "v2.15", "2", "3.0"; a text that is none gives false. */
static bool parse_version(const char *text, Version *version)
{
    char *end;
    if (*text == 'v' || *text == 'V')
        text++;
    if (!g_ascii_isdigit(*text))
        return false;
    guint64 major = g_ascii_strtoull(text, &end, 10), minor = 0;
    if (*end == '.' && g_ascii_isdigit(end[1]))
        minor = g_ascii_strtoull(end + 1, &end, 10);
    version->major = (int)MIN(major, 9999);
    version->minor = (int)MIN(minor, 9999);
    return *end == '\0';
}

static int compare(Version a, Version b)
{
    return a.major != b.major ? a.major - b.major : a.minor - b.minor;
}

const char *rest_url_version(const char *url)
{
    g_autofree char *trimmed = g_strdup(url);
    while (g_str_has_suffix(trimmed, "/"))
        trimmed[strlen(trimmed) - 1] = '\0';
    const char *slash = strrchr(trimmed, '/');
    Version version;
    if (slash == NULL || slash[1] != 'v' || !parse_version(slash + 1, &version))
        return NULL;
    return url + (slash + 1 - trimmed);
}

char *rest_url_without_version(const char *url)
{
    const char *version = rest_url_version(url);
    char *base = version != NULL ? g_strndup(url, (gsize)(version - url)) : g_strdup(url);
    while (g_str_has_suffix(base, "/"))
        base[strlen(base) - 1] = '\0';
    return base;
}

static bool is_usable(const char *status)
{
    static const char *const usable[] = {"CURRENT", "SUPPORTED", "STABLE"};
    for (size_t i = 0; i < G_N_ELEMENTS(usable); i++)
        if (g_ascii_strcasecmp(status, usable[i]) == 0)
            return true;
    return false;
}

/* "versions": [...], "versions": {"values": [...]}, or a single "version". */
static NdJson *version_list(NdJson *document)
{
    NdJson *list = nd_json_array(document, "versions");
    return list != NULL ? list : nd_json_array(nd_json_object(document, "versions"), "values");
}

static const char *self_link(NdJson *entry)
{
    NdJson *links = nd_json_array(entry, "links");
    for (size_t i = 0; links != NULL && i < json_object_array_length(links); i++) {
        NdJson *link = json_object_array_get_idx(links, i);
        if (g_strcmp0(nd_json_string(link, "rel", NULL), "self") == 0)
            return nd_json_string(link, "href", NULL);
    }
    return NULL;
}

/* The best entry of the list; NULL if none fits. Borrowed. */
static NdJson *choose(NdJson *list, Version min, Version max)
{
    NdJson *best = NULL;
    Version best_version = {0};
    for (size_t i = 0; list != NULL && i < json_object_array_length(list); i++) {
        NdJson *entry = json_object_array_get_idx(list, i);
        Version version;
        if (!is_usable(nd_json_string(entry, "status", "")) || !parse_version(nd_json_string(entry, "id", ""), &version) ||
            compare(version, min) < 0 || compare(version, max) > 0 || self_link(entry) == NULL)
            continue;
        if (best == NULL || compare(version, best_version) > 0) {
            best = entry;
            best_version = version;
        }
    }
    return best;
}

/* "2" as a maximum means any 2.x; "latest" and NULL mean any. */
static bool read_bounds(const char *min_text, const char *max_text, Version *min, Version *max)
{
    *min = (Version){0, 0};
    *max = (Version){G_MAXINT, G_MAXINT};
    if (min_text != NULL && *min_text != '\0' && !g_str_equal(min_text, "latest") && !parse_version(min_text, min))
        return false;
    if (max_text == NULL || *max_text == '\0' || g_str_equal(max_text, "latest"))
        return true;
    bool open_minor = strchr(max_text, '.') == NULL || g_str_has_suffix(max_text, ".latest");
    g_autofree char *major = open_minor ? g_strndup(max_text, strcspn(max_text, ".")) : g_strdup(max_text);
    if (!parse_version(major, max))
        return false;
    if (open_minor)
        max->minor = G_MAXINT;
    return true;
}

bool rest_discover(RestSession *session, const char *url, const char *const *headers, const char *min, const char *max, char **found,
                   GError **error)
{
    Version lowest, highest;
    if (!read_bounds(min, max, &lowest, &highest))
        return rest_error_set(error, REST_ERROR_CONFIG, 0, NULL, NULL, "min_version '%s' or max_version '%s' is no version", min, max);
    g_autofree char *base = rest_url_without_version(url);
    g_autofree char *asked = g_strconcat(base, "/", NULL);
    g_autoptr(RestAnswer) answer = NULL;
    g_autoptr(NdJson) document = NULL;
    RestRequest request = {.method = "GET", .url = asked, .headers = headers};
    if (!rest_session_send(session, &request, &answer, error))
        return false;
    if (answer->status != 300 && (answer->status < 200 || answer->status > 299))
        return rest_answer_set_error(answer, "GET", error);
    if (!rest_answer_json(answer, &document, error))
        return false;
    NdJson *entry = choose(version_list(document), lowest, highest);
    if (entry == NULL)
        return rest_error_set(error, REST_ERROR_NO_ENDPOINT, 0, NULL, NULL, "%s offers no version from '%s' to '%s'", asked,
                              min ? min : "any", max ? max : "any");
    g_autofree char *link = g_strdup(self_link(entry));
    const char *segment = rest_url_version(link);
    g_autofree char *version = segment != NULL ? g_strdup(segment) : g_strdup("");
    while (g_str_has_suffix(version, "/"))
        version[strlen(version) - 1] = '\0';
    *found = *version != '\0' ? g_strconcat(base, "/", version, NULL) : g_strdup(base);
    return true;
}
