/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_image.h"

#include "rpc/exception.h"

#include <string.h>
#include <sys/utsname.h>

const NovaImageMetaProps *guest_image_properties(const NovaImageMeta *image)
{
    static gsize empty = 0;
    if (image != NULL && image->properties != NULL) {
        return image->properties;
    }
    if (g_once_init_enter(&empty)) {
        g_once_init_leave(&empty, (gsize) nova_image_meta_props_new());
    }
    return (const NovaImageMetaProps *) empty;
}

const char *guest_host_architecture(void)
{
    static gsize architecture = 0;
    if (g_once_init_enter(&architecture)) {
        /* nova.objects.fields.Architecture.canonicalize */
        static const char *const names[][2] = {
            { "i386", "i686" }, { "i486", "i686" }, { "i586", "i686" }, { "amd64", "x86_64" },
        };
        struct utsname system;
        const char *machine = uname(&system) == 0 ? system.machine : "x86_64";
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
            if (strcmp(machine, names[i][0]) == 0) {
                machine = names[i][1];
                break;
            }
        }
        g_once_init_leave(&architecture, (gsize) g_intern_string(machine));
    }
    return (const char *) architecture;
}

const char *guest_image_architecture(const NovaImageMeta *image)
{
    const char *arch = guest_image_properties(image)->hw_architecture;
    return arch != NULL ? arch : guest_host_architecture();
}

const char *guest_image_emulated_architecture(const NovaImageMeta *image)
{
    const char *arch = guest_image_properties(image)->hw_emulation_architecture;
    return arch != NULL ? arch : guest_image_architecture(image);
}

static const char *default_machine_type(const NdConfig *config, const char *arch)
{
    static const struct {
        const char *arch, *machine;
    } defaults[] = {
        { "armv7l", "virt" },        { "aarch64", "virt" },          { "ppc64le", "pseries" }, { "s390", "s390-ccw-virtio" },
        { "s390x", "s390-ccw-virtio" }, { "i686", "pc" }, { "x86_64", "pc" },
    };
    for (const char *const *entry = nd_config_list(config, "libvirt", "hw_machine_type"); *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals != NULL && equals[1] != '\0' && strlen(arch) == (size_t) (equals - *entry) && g_str_has_prefix(*entry, arch)) {
            return equals + 1;
        }
    }
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) {
        if (strcmp(defaults[i].arch, arch) == 0) {
            return defaults[i].machine;
        }
    }
    return NULL;
}

const char *guest_image_machine_type(const NdConfig *config, const NovaImageMeta *image)
{
    const char *machine = guest_image_properties(image)->hw_machine_type;
    return machine != NULL ? machine : default_machine_type(config, guest_image_architecture(image));
}

bool guest_architecture_is_x86(const char *arch)
{
    return strcmp(arch, "x86_64") == 0 || strcmp(arch, "i686") == 0;
}

bool guest_machine_is_q35(const char *machine_type)
{
    return machine_type != NULL && strstr(machine_type, "q35") != NULL;
}

const char *guest_flavor_spec(const NovaFlavor *flavor, const char *key)
{
    return nova_object_dict_get(flavor, NOVA_FLAVOR_EXTRA_SPECS, key);
}

bool guest_text_is_true(const char *text)
{
    static const char *const words[] = { "1", "t", "true", "on", "y", "yes" };
    if (text == NULL) {
        return false;
    }
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_ascii_strcasecmp(stripped, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *guest_virt_type(const NdConfig *config, GError **error)
{
    const char *type = nd_config_string(config, "libvirt", "virt_type");
    if (type != NULL && (strcmp(type, "kvm") == 0 || strcmp(type, "qemu") == 0)) {
        return type;
    }
    nova_exception_set(error, NOVA_EXC_UNSUPPORTED_VIRT_TYPE, "virt", type, NULL);
    return NULL;
}
