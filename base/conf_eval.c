/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf_eval.h"

#include "base/error.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

/* Options that refer to each other this deep are a circle. */
#define DEPTH_LIMIT 20

static NdConfigValue *evaluate(const NdConfigView *view, const char *group, const NdOption *option, int depth, NdConfigRaw *raw,
                               GError **error);

static char *host_name(void)
{
    char name[HOST_NAME_MAX + 1] = "";
    gethostname(name, sizeof(name) - 1);
    return g_strdup(name);
}

/* The address that a packet to the world would have (connecting a UDP socket sends nothing), as oslo.utils finds my_ip. NULL without a
 * route. */
static char *routed_address(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x08080808)};
    socklen_t length = sizeof(address);
    char text[INET_ADDRSTRLEN];
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    bool ok = connect(fd, (struct sockaddr *)&address, length) == 0 && getsockname(fd, (struct sockaddr *)&address, &length) == 0;
    close(fd);
    return ok && inet_ntop(AF_INET, &address.sin_addr, text, sizeof(text)) != NULL ? g_strdup(text) : NULL;
}

/* The first IPv4 address of an interface that is up and no loopback; else the loopback's. */
static char *my_address(void)
{
    char *found = routed_address();
    struct ifaddrs *list = NULL;
    if (found == NULL && getifaddrs(&list) != 0)
        list = NULL;
    for (struct ifaddrs *entry = list; entry != NULL && found == NULL; entry = entry->ifa_next) {
        char text[INET_ADDRSTRLEN];
        if (entry->ifa_addr == NULL || entry->ifa_addr->sa_family != AF_INET || (entry->ifa_flags & (IFF_UP | IFF_LOOPBACK)) != IFF_UP)
            continue;
        const struct sockaddr_in *address = (const struct sockaddr_in *)(const void *)entry->ifa_addr;
        if (inet_ntop(AF_INET, &address->sin_addr, text, sizeof(text)) != NULL)
            found = g_strdup(text);
    }
    if (list != NULL)
        freeifaddrs(list);
    return found != NULL ? found : g_strdup("127.0.0.1");
}

/* A default's text; some are facts of the host. */
static char *default_text(const NdOption *option, NdRelease release)
{
    static const struct {
        const char *marker;
        char *(*find)(void);
    } facts[] = {{"@host_name", host_name}, {"@my_address", my_address}};
    const char *text = nd_option_default(option, release);
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++)
        if (g_strcmp0(text, facts[i].marker) == 0)
            return facts[i].find();
    return g_strdup(text);
}

/* A reference in a template: "$name" or "${name}", letters, digits, underscores, dots. Returns its length with the dollar sign and braces,
 * 0 if the dollar sign starts none. */
static size_t reference_length(const char *text, const char **name, size_t *name_length)
{
    bool braced = text[1] == '{';
    const char *start = text + 1 + braced, *end = start;
    if (!g_ascii_isalpha(*start) && *start != '_')
        return 0;
    while (g_ascii_isalnum(*end) || *end == '_' || *end == '.')
        end++;
    if (braced && *end != '}')
        return 0;
    *name = start;
    *name_length = (size_t)(end - start);
    return (size_t)(end - text) + braced;
}

/* The option that a reference means: "group.name", or a name in the referring option's group, then in DEFAULT. *group is where it was
 * found; caller frees it. */
static const NdOption *find_reference(const char *name, const char *from_group, char **group)
{
    const char *dot = strchr(name, '.');
    if (dot != NULL) {
        *group = g_strndup(name, (size_t)(dot - name));
        return nd_option_find(*group, dot + 1);
    }
    const NdOption *option = nd_option_find(from_group, name);
    *group = g_strdup(option != NULL ? from_group : "DEFAULT");
    return option != NULL ? option : nd_option_find("DEFAULT", name);
}

static bool append_reference(const NdConfigView *view, GString *out, const char *name, const char *group, const NdOption *from, int depth,
                             GError **error)
{
    g_autofree char *found_group = NULL;
    const NdOption *option = find_reference(name, group, &found_group);
    if (option == NULL) {
        /* The word may be a piece of a password. */
        if (from->secret)
            g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "a '$' refers to an option that does not exist (a literal one is written '$$')");
        else
            g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "'$%s' is no option (a literal '$' is written '$$')", name);
        return false;
    }
    NdConfigRaw raw;
    g_autoptr(NdConfigValue) value = evaluate(view, found_group, option, depth + 1, &raw, error);
    nd_config_raw_clear(&raw);
    if (value == NULL) {
        g_prefix_error(error, "in '$%s': ", name);
        return false;
    }
    g_autofree char *text = nd_config_value_to_text(value);
    g_string_append(out, text);
    return true;
}

/* Python's string.Template.safe_substitute with oslo.config's "\$" as another way to write "$$". */
static char *interpolate(const NdConfigView *view, const char *text, const char *group, const NdOption *from, int depth, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    for (const char *c = text; *c;) {
        const char *name;
        size_t length, name_length;
        if ((c[0] == '$' || c[0] == '\\') && c[1] == '$') {
            g_string_append_c(out, '$');
            c += 2;
        } else if (*c == '$' && (length = reference_length(c, &name, &name_length)) > 0) {
            g_autofree char *reference = g_strndup(name, name_length);
            if (!append_reference(view, out, reference, group, from, depth, error))
                return NULL;
            c += length;
        } else {
            g_string_append_c(out, *c++);
        }
    }
    return g_string_free(g_steal_pointer(&out), false);
}

/* The texts of an option before interpolation: overridden, from the sources, or the default. NULL: no value. */
static char **raw_texts(const NdConfigView *view, const char *group, const NdOption *option, NdConfigRaw *raw)
{
    g_autofree char *key = g_strconcat(group, ".", option->name, NULL);
    nd_config_sources_find(option->mutable_ ? view->mutable_sources : view->sources, group, option, raw);
    const char *override = view->overrides != NULL ? g_hash_table_lookup(view->overrides, key) : NULL;
    if (override != NULL) {
        raw->origin = ND_ORIGIN_OVERRIDE;
        g_clear_pointer(&raw->old_name, g_free);
        return g_strdupv((char *[]){(char *) override, NULL});
    }
    if (raw->texts != NULL)
        return g_strdupv((char **)raw->texts->pdata);
    raw->origin = ND_ORIGIN_DEFAULT;
    g_autofree char *text = default_text(option, view->release);
    return text != NULL ? g_strdupv((char *[]){text, NULL}) : NULL;
}

static NdConfigValue *evaluate(const NdConfigView *view, const char *group, const NdOption *option, int depth, NdConfigRaw *raw,
                               GError **error)
{
    g_auto(GStrv) texts = raw_texts(view, group, option, raw);
    if (depth > DEPTH_LIMIT) {
        g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "options refer to each other in a circle");
        return NULL;
    }
    for (char **text = texts; text != NULL && *text != NULL; text++) {
        char *resolved = interpolate(view, *text, group, option, depth, error);
        if (resolved == NULL)
            return NULL;
        g_free(*text);
        *text = resolved;
    }
    NdConfigValue *value = nd_config_value_new(option, (const char *const *)texts, error);
    if (value == NULL)
        return NULL;
    value->origin = raw->origin;
    value->file = raw->origin == ND_ORIGIN_FILE ? g_strdup(raw->file) : NULL;
    value->line = raw->line;
    return value;
}

NdConfigValue *nd_config_evaluate(const NdConfigView *view, const char *group, const NdOption *option, NdConfigRaw *raw, GError **error)
{
    return evaluate(view, group, option, 0, raw, error);
}
