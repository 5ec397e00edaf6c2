/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_config_private.h"
#include "rpc/exception.h"

#include <errno.h>
#include <string.h>

static bool text_is_one_of(const char *text, const char *const *list)
{
    return g_strv_contains(list, text);
}

/* Python's int() of a text: decimal, blanks around it allowed. */
static bool parse_integer(const char *text, gint64 *value)
{
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    char *end;
    errno = 0;
    gint64 number = g_ascii_strtoll(stripped, &end, 10);
    if (end == stripped || *end != '\0' || errno == ERANGE) {
        return false;
    }
    *value = number;
    return true;
}

bool guest_flavor_integer(const NovaFlavor *flavor, const char *key, gint64 fallback, gint64 *value, GError **error)
{
    const char *text = guest_flavor_spec(flavor, key);
    *value = fallback;
    if (text == NULL || parse_integer(text, value)) {
        return true;
    }
    g_autofree char *message = g_strdup_printf("extra spec '%s' of the flavor is no integer: '%s'", key, text);
    nova_exception_set_text(error, NOVA_EXC_VALUE_ERROR, message, NULL);
    return false;
}

static void set_conflict(const GuestBuild *build, const char *setting, const char *flavor_value, const char *image_value, GError **error)
{
    nova_exception_set(error, NOVA_EXC_FLAVOR_IMAGE_CONFLICT, "setting", setting, "flavor_val", flavor_value, "image_val", image_value, "flavor_name",
        build->flavor->name, "image_name", build->image != NULL ? build->image->name : NULL, NULL);
}

static const char *boolean_text(bool value)
{
    return value ? "True" : "False";
}

/* A boolean that flavor and image must agree on if both give it. */
static bool agreed_choice(const GuestBuild *build, const char *spec, guint field, bool image_value, GuestChoice *choice, GError **error)
{
    const char *text = guest_flavor_spec(build->flavor, spec);
    bool in_image = nova_object_has(build->properties, field);
    bool flavor_value = guest_text_is_true(text);
    if (text != NULL && in_image && flavor_value != image_value) {
        set_conflict(build, spec, boolean_text(flavor_value), boolean_text(image_value), error);
        return false;
    }
    choice->set = text != NULL || in_image;
    choice->value = text != NULL ? flavor_value : in_image && image_value;
    return true;
}

bool guest_constraint_pmu(const GuestBuild *build, GuestChoice *pmu, GError **error)
{
    return agreed_choice(build, "hw:pmu", NOVA_IMAGE_META_PROPS_HW_PMU, build->properties->hw_pmu, pmu, error);
}

bool guest_constraint_multiqueue(const GuestBuild *build, bool *enabled, GError **error)
{
    GuestChoice choice = { false, false };
    *enabled = false;
    if (build->flavor->vcpus < 2) {
        return true;
    }
    if (!agreed_choice(build, "hw:vif_multiqueue_enabled", NOVA_IMAGE_META_PROPS_HW_VIF_MULTIQUEUE_ENABLED,
            build->properties->hw_vif_multiqueue_enabled, &choice, error)) {
        return false;
    }
    *enabled = choice.value;
    return true;
}

bool guest_constraint_locked_memory(const GuestBuild *build, bool *locked, GError **error)
{
    const NovaImageMetaProps *properties = build->properties;
    const char *text = guest_flavor_spec(build->flavor, "hw:locked_memory");
    bool in_image = nova_object_has(properties, NOVA_IMAGE_META_PROPS_HW_LOCKED_MEMORY);
    bool wanted = guest_text_is_true(text);
    if (text != NULL && in_image && wanted != properties->hw_locked_memory) {
        nova_exception_set_text(error, NOVA_EXC_FLAVOR_IMAGE_LOCKED_MEMORY_CONFLICT, "locked memory of the flavor and of the image contradict each other",
            "image", boolean_text(properties->hw_locked_memory), "flavor", boolean_text(wanted), NULL);
        return false;
    }
    *locked = text != NULL ? wanted : properties->hw_locked_memory;
    const char *page_size = guest_flavor_spec(build->flavor, "hw:mem_page_size");
    bool has_page_size = (page_size != NULL && *page_size != '\0') || (properties->hw_mem_page_size != NULL && *properties->hw_mem_page_size != '\0');
    if (*locked && !has_page_size) {
        nova_exception_set_text(error, NOVA_EXC_LOCK_MEMORY_FORBIDDEN, "locked memory needs a memory page size as well", NULL);
        return false;
    }
    return true;
}

/* A text that flavor and image must agree on if both give it; empty texts do not count. */
static bool agreed_text(const GuestBuild *build, const char *spec, const char *image_value, const char **value, GError **error)
{
    const char *flavor_value = guest_flavor_spec(build->flavor, spec);
    bool in_flavor = flavor_value != NULL && *flavor_value != '\0';
    bool in_image = image_value != NULL && *image_value != '\0';
    if (in_flavor && in_image && strcmp(flavor_value, image_value) != 0) {
        set_conflict(build, spec, flavor_value, image_value, error);
        return false;
    }
    *value = in_flavor ? flavor_value : image_value;
    return true;
}

static bool set_invalid(GError **error, const char *what, const char *value)
{
    g_autofree char *text = g_strdup_printf("%s '%s' is not valid", what, value);
    nova_exception_set_text(error, NOVA_EXC_INVALID, text, NULL);
    return false;
}

bool guest_constraint_secure_boot(const GuestBuild *build, const char **policy, GError **error)
{
    static const char *const known[] = { "required", "disabled", "optional", NULL };
    if (!agreed_text(build, "os:secure_boot", build->properties->os_secure_boot, policy, error)) {
        return false;
    }
    return *policy == NULL || text_is_one_of(*policy, known) || set_invalid(error, "secure boot policy", *policy);
}

bool guest_constraint_tpm(const GuestBuild *build, const char **version, const char **model, GError **error)
{
    static const char *const versions[] = { "1.2", "2.0", NULL };
    static const char *const models[] = { "tpm-tis", "tpm-crb", NULL };
    if (!agreed_text(build, "hw:tpm_version", build->properties->hw_tpm_version, version, error)) {
        return false;
    }
    if (*version == NULL) {
        return true;
    }
    if (!text_is_one_of(*version, versions)) {
        return set_invalid(error, "TPM version", *version);
    }
    if (!agreed_text(build, "hw:tpm_model", build->properties->hw_tpm_model, model, error)) {
        return false;
    }
    if (*model == NULL) {
        *model = models[0];
    }
    if (!text_is_one_of(*model, models)) {
        return set_invalid(error, "TPM model", *model);
    }
    if (strcmp(*model, "tpm-crb") == 0 && strcmp(*version, "2.0") != 0) {
        return set_invalid(error, "with TPM model tpm-crb, TPM version", *version);
    }
    return true;
}

bool guest_constraint_serial_ports(const GuestBuild *build, gint64 *count, GError **error)
{
    const char *text = guest_flavor_spec(build->flavor, "hw:serial_port_count");
    gint64 flavor_count = 0, image_count = build->properties->hw_serial_port_count;
    if (text != NULL && *text != '\0' && !parse_integer(text, &flavor_count)) {
        nova_exception_set(error, NOVA_EXC_IMAGE_SERIAL_PORT_NUMBER_INVALID, "num_ports", text, NULL);
        return false;
    }
    if (flavor_count != 0 && image_count > flavor_count) {
        nova_exception_set(error, NOVA_EXC_IMAGE_SERIAL_PORT_NUMBER_EXCEED_FLAVOR_VALUE, NULL);
        return false;
    }
    *count = image_count != 0 ? image_count : flavor_count != 0 ? flavor_count : 1;
    return true;
}
