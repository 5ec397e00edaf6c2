/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/image_meta.h"
#include "objects/network_model.h"
#include "objects/objects.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* Any JSON as an object: either it is refused, or what we write of it reads back as the same, in every clamp, and copies are equal. The
 * same JSON is tried as updates, as an image and as a network_info. */

const char *const fuzz_seeds[] = {"tests/golden/objects/zed-life.jsonl", "tests/golden/objects/hostile.jsonl", NULL};

static void must(bool truth)
{
    if (!truth)
        abort();
}

static void check_object(const NovaObject *object)
{
    for (unsigned clamp = ND_RELEASE_ZED; clamp <= NOVA_UNCLAMPED; clamp += NOVA_UNCLAMPED) {
        g_autoptr(NdJson) first = nova_object_to_json(object, clamp);
        g_autoptr(NovaObject) again = nova_object_from_json(first, NULL, NULL);
        must(again != NULL);
        g_autoptr(NdJson) second = nova_object_to_json(again, clamp);
        must(nd_json_equal(first, second));
    }
    g_autoptr(NovaObject) copy = nova_object_clone(object);
    must(nova_object_equal(object, copy));
    g_autoptr(NdJson) save = nova_object_to_json_for_save(copy, ND_RELEASE_ZED);
    g_autoptr(NovaObject) saved = nova_object_from_json(save, NULL, NULL);
    must(saved != NULL);
    g_auto(GStrv) differences = nova_object_diff(object, copy);
    must(differences[0] == NULL);
    nova_object_set_defaults(copy);
    nova_object_reset_changes(copy);
    must(!nova_object_has_changes(copy));
}

static void try_updates(NovaObject *object, NdJson *json)
{
    g_autoptr(NovaObject) copy = nova_object_clone(object);
    if (!nova_object_apply_updates(copy, nd_json_member(json, "nova_object.data"), NULL, NULL))
        must(nova_object_equal(copy, object));
}

static void try_image(NdJson *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaImageMeta) meta = nova_image_meta_from_dict(json, &error);
    must((meta != NULL) == (error == NULL));
    g_autoptr(GHashTable) kept = nova_image_dict_to_system_metadata(json, NULL);
    g_autoptr(NdJson) back = nova_image_dict_from_system_metadata(kept);
    must(nd_json_object(back, "properties") != NULL);
}

static void try_network(NdJson *json)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaVif) vif = nova_vif_from_json(json, &error);
    must((vif != NULL) == (error == NULL));
    if (!vif)
        return;
    g_autoptr(NovaVif) copy = nova_vif_clone(vif);
    must(nova_vif_equal(vif, copy));
    g_autoptr(GPtrArray) ips = nova_vif_fixed_ips(vif);
    must(vif->network != NULL || ips->len == 0);
    nova_vif_has_allocation(vif);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(NdJson) json = NULL;
    if (!nd_json_parse((const char *)data, size, NULL, &json, NULL))
        return 0;
    g_autoptr(GError) error = NULL;
    g_autoptr(NovaObject) object = nova_object_from_json(json, NULL, &error);
    must((object != NULL) == (error == NULL));
    if (object) {
        check_object(object);
        try_updates(object, json);
    }
    try_image(json);
    try_network(json);
    return 0;
}
