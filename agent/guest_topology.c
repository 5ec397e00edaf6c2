/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"

/* Without a limit there is this one. */
#define UNLIMITED 65536

/* Sockets, cores, threads; 0: not said. */
typedef struct {
    gint64 n[3];
} Triple;

static const char *const parts[3] = { "sockets", "cores", "threads" };

static bool exceeds(const Triple *value, const Triple *limit)
{
    for (int i = 0; i < 3; i++) {
        if (value->n[i] > limit->n[i]) {
            return true;
        }
    }
    return false;
}

static bool is_empty(const Triple *value)
{
    return value->n[0] == 0 && value->n[1] == 0 && value->n[2] == 0;
}

/* hw:cpu_sockets … or hw:cpu_max_sockets …: `infix` is "" or "max_". */
static bool read_flavor(const NovaFlavor *flavor, const char *infix, Triple *value, GError **error)
{
    for (int i = 0; i < 3; i++) {
        g_autofree char *key = g_strdup_printf("hw:cpu_%s%s", infix, parts[i]);
        g_autoptr(GError) failure = NULL;
        if (!guest_flavor_integer(flavor, key, 0, &value->n[i], &failure)) {
            nova_exception_set_text(error, NOVA_EXC_INVALID_REQUEST, failure->message, NULL);
            return false;
        }
    }
    return true;
}

typedef struct {
    char text[3][24];
} Texts;

static Texts texts(const Triple *value)
{
    Texts result;
    for (int i = 0; i < 3; i++) {
        g_snprintf(result.text[i], sizeof result.text[i], "%" G_GINT64_FORMAT, value->n[i]);
    }
    return result;
}

/* The limits: the image may only tighten the flavor's. */
static bool read_limits(const GuestBuild *build, Triple *limit, GError **error)
{
    const NovaImageMetaProps *properties = build->properties;
    Triple image = { { properties->hw_cpu_max_sockets, properties->hw_cpu_max_cores, properties->hw_cpu_max_threads } };
    Triple flavor;
    if (!read_flavor(build->flavor, "max_", &flavor, error)) {
        return false;
    }
    bool too_much = false;
    for (int i = 0; i < 3; i++) {
        too_much = too_much || (flavor.n[i] != 0 && image.n[i] > flavor.n[i]);
        limit->n[i] = image.n[i] != 0 ? image.n[i] : flavor.n[i] != 0 ? flavor.n[i] : UNLIMITED;
    }
    if (too_much) {
        Texts of_image = texts(&image), of_flavor = texts(&flavor);
        nova_exception_set(error, NOVA_EXC_IMAGE_VCPU_LIMITS_RANGE_EXCEEDED, "image_sockets", of_image.text[0], "image_cores", of_image.text[1],
            "image_threads", of_image.text[2], "flavor_sockets", of_flavor.text[0], "flavor_cores", of_flavor.text[1], "flavor_threads",
            of_flavor.text[2], NULL);
    }
    return !too_much;
}

/* What is preferred: any of the image's values replaces all of the flavor's. */
static bool read_preference(const GuestBuild *build, const Triple *limit, Triple *wanted, GError **error)
{
    const NovaImageMetaProps *properties = build->properties;
    Triple image = { { properties->hw_cpu_sockets, properties->hw_cpu_cores, properties->hw_cpu_threads } };
    Triple flavor;
    if (!read_flavor(build->flavor, "", &flavor, error)) {
        return false;
    }
    if (exceeds(&flavor, limit)) {
        flavor = (Triple){ { 0, 0, 0 } };
    }
    if (exceeds(&image, limit)) {
        Texts of_image = texts(&image), of_limit = texts(limit);
        nova_exception_set(error, NOVA_EXC_IMAGE_VCPU_TOPOLOGY_RANGE_EXCEEDED, "image_sockets", of_image.text[0], "image_cores", of_image.text[1],
            "image_threads", of_image.text[2], "max_sockets", of_limit.text[0], "max_cores", of_limit.text[1], "max_threads", of_limit.text[2], NULL);
        return false;
    }
    *wanted = is_empty(&image) ? flavor : image;
    return true;
}

static int score(const Triple *value, const Triple *wanted)
{
    int points = 0;
    for (int i = 0; i < 3; i++) {
        points += wanted->n[i] != 0 && wanted->n[i] == value->n[i];
    }
    return points;
}

/* Whether `a` comes before `b`: nearer to the wish, else few threads, else many sockets. */
static bool is_better(const Triple *a, const Triple *b, const Triple *wanted)
{
    int left = score(a, wanted), right = score(b, wanted);
    if (left != right) {
        return left > right;
    }
    gint64 left_cores = a->n[0] * a->n[1], right_cores = b->n[0] * b->n[1];
    return left_cores != right_cores ? left_cores > right_cores : a->n[0] > b->n[0];
}

bool guest_constraint_topology(const GuestBuild *build, GuestTopology *topology, GError **error)
{
    Triple limit, wanted, best = { { 0, 0, 0 } };
    gint64 vcpus = build->flavor->vcpus;
    if (!read_limits(build, &limit, error) || !read_preference(build, &limit, &wanted, error)) {
        return false;
    }
    for (gint64 sockets = 1; sockets <= MIN(vcpus, limit.n[0]); sockets++) {
        for (gint64 cores = 1; vcpus % sockets == 0 && cores <= MIN(vcpus / sockets, limit.n[1]); cores++) {
            Triple candidate = { { sockets, cores, vcpus / sockets / cores } };
            if (vcpus / sockets % cores != 0 || candidate.n[2] > limit.n[2]) {
                continue;
            }
            if (is_empty(&best) || is_better(&candidate, &best, &wanted)) {
                best = candidate;
            }
        }
    }
    if (is_empty(&best)) {
        Triple clamped = { { MIN(vcpus, limit.n[0]), MIN(vcpus, limit.n[1]), MIN(vcpus, limit.n[2]) } };
        Texts of = texts(&clamped);
        g_autofree char *count = g_strdup_printf("%" G_GINT64_FORMAT, vcpus);
        nova_exception_set(error, NOVA_EXC_IMAGE_VCPU_LIMITS_RANGE_IMPOSSIBLE, "vcpus", count, "sockets", of.text[0], "cores", of.text[1], "threads",
            of.text[2], NULL);
        return false;
    }
    *topology = (GuestTopology){ (unsigned) best.n[0], (unsigned) best.n[1], (unsigned) best.n[2] };
    return true;
}
