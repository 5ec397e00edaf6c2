/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/file.h"
#include "virt/error.h"
#include "virt/host_private.h"

/* libvirt's CPU feature names and the traits that stand for them (upstream libvirt/utils.py CPU_TRAITS_MAPPING). */
static const struct {
    const char *feature, *trait;
} cpu_traits[] = {
    {"3dnow", "HW_CPU_X86_3DNOW"},
    {"abm", "HW_CPU_X86_ABM"},
    {"aes", "HW_CPU_X86_AESNI"},
    {"avx", "HW_CPU_X86_AVX"},
    {"avx2", "HW_CPU_X86_AVX2"},
    {"avx512bw", "HW_CPU_X86_AVX512BW"},
    {"avx512cd", "HW_CPU_X86_AVX512CD"},
    {"avx512dq", "HW_CPU_X86_AVX512DQ"},
    {"avx512er", "HW_CPU_X86_AVX512ER"},
    {"avx512f", "HW_CPU_X86_AVX512F"},
    {"avx512pf", "HW_CPU_X86_AVX512PF"},
    {"avx512vl", "HW_CPU_X86_AVX512VL"},
    {"avx512vnni", "HW_CPU_X86_AVX512VNNI"},
    {"avx512vbmi", "HW_CPU_X86_AVX512VBMI"},
    {"avx512ifma", "HW_CPU_X86_AVX512IFMA"},
    {"avx512vbmi2", "HW_CPU_X86_AVX512VBMI2"},
    {"avx512bitalg", "HW_CPU_X86_AVX512BITALG"},
    {"vaes", "HW_CPU_X86_AVX512VAES"},
    {"gfni", "HW_CPU_X86_AVX512GFNI"},
    {"vpclmulqdq", "HW_CPU_X86_AVX512VPCLMULQDQ"},
    {"avx512-vpopcntdq", "HW_CPU_X86_AVX512VPOPCNTDQ"},
    {"bmi1", "HW_CPU_X86_BMI"},
    {"bmi2", "HW_CPU_X86_BMI2"},
    {"pclmuldq", "HW_CPU_X86_CLMUL"},
    {"f16c", "HW_CPU_X86_F16C"},
    {"fma", "HW_CPU_X86_FMA3"},
    {"fma4", "HW_CPU_X86_FMA4"},
    {"mmx", "HW_CPU_X86_MMX"},
    {"mpx", "HW_CPU_X86_MPX"},
    {"sha-ni", "HW_CPU_X86_SHA"},
    {"sse", "HW_CPU_X86_SSE"},
    {"sse2", "HW_CPU_X86_SSE2"},
    {"sse3", "HW_CPU_X86_SSE3"},
    {"sse4.1", "HW_CPU_X86_SSE41"},
    {"sse4.2", "HW_CPU_X86_SSE42"},
    {"sse4a", "HW_CPU_X86_SSE4A"},
    {"ssse3", "HW_CPU_X86_SSSE3"},
    {"svm", "HW_CPU_X86_SVM"},
    {"svm", "HW_CPU_X86_AMD_SVM"},
    {"tbm", "HW_CPU_X86_TBM"},
    {"vmx", "HW_CPU_X86_VMX"},
    {"vmx", "HW_CPU_X86_INTEL_VMX"},
    {"xop", "HW_CPU_X86_XOP"},
};

/* What the driver can or cannot do on every host (upstream driver.py capabilities, virt/driver.py CAPABILITY_TRAITS_MAP). */
static const struct {
    const char *trait;
    bool has;
} fixed_traits[] = {
    {"COMPUTE_ACCELERATORS", true},
    {"COMPUTE_DEVICE_TAGGING", true},
    {"COMPUTE_NET_ATTACH_INTERFACE", true},
    {"COMPUTE_NET_ATTACH_INTERFACE_WITH_TAG", true},
    {"COMPUTE_VOLUME_ATTACH_WITH_TAG", true},
    {"COMPUTE_VOLUME_EXTEND", true},
    {"COMPUTE_VOLUME_MULTI_ATTACH", true},
    {"COMPUTE_TRUSTED_CERTS", true},
    {"COMPUTE_RESCUE_BFV", true},
    {"COMPUTE_SOCKET_PCI_NUMA_AFFINITY", true},
    {"COMPUTE_IMAGE_TYPE_AKI", true},
    {"COMPUTE_IMAGE_TYPE_AMI", true},
    {"COMPUTE_IMAGE_TYPE_ARI", true},
    {"COMPUTE_IMAGE_TYPE_ISO", true},
    {"COMPUTE_IMAGE_TYPE_RAW", true},
    {"COMPUTE_IMAGE_TYPE_PLOOP", false},
    {"COMPUTE_SAME_HOST_COLD_MIGRATE", false},
};

#define VIF_KVM 1
#define VIF_QEMU 2
static const struct {
    const char *trait;
    int virt_types;
} vif_traits[] = {
    {"COMPUTE_NET_VIF_MODEL_VIRTIO", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_NE2K_PCI", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_PCNET", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_RTL8139", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_E1000", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_E1000E", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_LAN9118", VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_SPAPR_VLAN", VIF_KVM | VIF_QEMU},
    {"COMPUTE_NET_VIF_MODEL_VMXNET3", VIF_KVM | VIF_QEMU},
};

/* libvirt's names and their traits. */
typedef struct {
    const char *name, *trait;
} NamedTrait;

static const NamedTrait bus_traits[] = {
    {"virtio", "COMPUTE_STORAGE_BUS_VIRTIO"},
    {"scsi", "COMPUTE_STORAGE_BUS_SCSI"},
    {"ide", "COMPUTE_STORAGE_BUS_IDE"},
    {"usb", "COMPUTE_STORAGE_BUS_USB"},
    {"fdc", "COMPUTE_STORAGE_BUS_FDC"},
    {"sata", "COMPUTE_STORAGE_BUS_SATA"},
    {"lxc", "COMPUTE_STORAGE_BUS_LXC"},
    {"xen", "COMPUTE_STORAGE_BUS_XEN"},
    {"uml", "COMPUTE_STORAGE_BUS_UML"},
};

static const NamedTrait video_traits[] = {
    {"cirrus", "COMPUTE_GRAPHICS_MODEL_CIRRUS"},
    {"qxl", "COMPUTE_GRAPHICS_MODEL_QXL"},
    {"vga", "COMPUTE_GRAPHICS_MODEL_VGA"},
    {"vmvga", "COMPUTE_GRAPHICS_MODEL_VMVGA"},
    {"xen", "COMPUTE_GRAPHICS_MODEL_XEN"},
    {"virtio", "COMPUTE_GRAPHICS_MODEL_VIRTIO"},
    {"gop", "COMPUTE_GRAPHICS_MODEL_GOP"},
    {"none", "COMPUTE_GRAPHICS_MODEL_NONE"},
    {"bochs", "COMPUTE_GRAPHICS_MODEL_BOCHS"},
};

/* What the domain capabilities of one architecture say, over all machine types asked for. */
typedef struct {
    GHashTable *machines, *buses, *videos; /* sets of names */
    bool secure_boot, sev;
} ArchCaps;

static void arch_caps_free(gpointer data)
{
    ArchCaps *caps = data;
    g_hash_table_unref(caps->machines);
    g_hash_table_unref(caps->buses);
    g_hash_table_unref(caps->videos);
    g_free(caps);
}

static ArchCaps *arch_caps_new(void)
{
    ArchCaps *caps = g_new0(ArchCaps, 1);
    caps->machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    caps->buses = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    caps->videos = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return caps;
}

static void put(GHashTable *traits, const char *trait, bool has)
{
    g_hash_table_insert(traits, g_strdup(trait), GINT_TO_POINTER(has ? 1 : 0));
}

static void add_all(GHashTable *set, char **names)
{
    for (char **name = names; *name != NULL; name++)
        g_hash_table_add(set, g_strdup(*name));
}

/* The machine type that nova takes when nothing says another; NULL: none known (upstream utils.py get_default_machine_type). */
static const char *default_machine(const VirtHostOptions *options, const char *arch)
{
    static const struct {
        const char *arch, *machine;
    } defaults[] = {{"armv7l", "virt"}, {"aarch64", "virt"}, {"ppc64le", "pseries"}, {"s390", "s390-ccw-virtio"}, {"s390x", "s390-ccw-virtio"},
        {"i686", "pc"}, {"x86_64", "pc"}};
    for (const char *const *item = options->hw_machine_type; item != NULL && *item != NULL; item++) {
        const char *equals = strchr(*item, '=');
        if (equals != NULL && equals[1] != '\0' && strlen(arch) == (size_t)(equals - *item) && strncmp(*item, arch, equals - *item) == 0)
            return equals + 1;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++)
        if (strcmp(arch, defaults[i].arch) == 0)
            return defaults[i].machine;
    return NULL;
}

static void read_domain_caps(xmlNode *root, ArchCaps *caps)
{
    g_autofree char *machine = nd_xpath_string(root, "machine");
    if (machine != NULL)
        g_hash_table_add(caps->machines, g_steal_pointer(&machine));
    g_auto(GStrv) buses = nd_xpath_strings(root, "//enum[@name='bus']/value"), videos = nd_xpath_strings(root, "//enum[@name='modelType']/value");
    add_all(caps->buses, buses);
    add_all(caps->videos, videos);
    caps->secure_boot |= nd_xpath_exists(root, "os/loader/enum[@name='secure']/value[.='yes']");
    caps->sev |= nd_xpath_exists(root, "features/sev[@supported='yes']");
}

/* Asks for one machine type. A failure takes the whole architecture out again, as upstream does (a foreign one under KVM). */
static void ask_domain_caps(virConnectPtr handle, const char *virt_type, const char *emulator, const char *arch, const char *machine,
    GHashTable *all)
{
    ArchCaps *caps = g_hash_table_lookup(all, arch);
    if (caps != NULL && machine != NULL && g_hash_table_contains(caps->machines, machine))
        return;
    char *text = virConnectGetDomainCapabilities(handle, emulator, arch, machine, virt_type, 0);
    g_autoptr(xmlDoc) document = text != NULL ? nd_xml_parse(text, -1, NULL) : NULL;
    xmlNode *root = document != NULL ? nd_xml_root(document, "domainCapabilities", NULL) : NULL;
    free(text);
    if (root == NULL) {
        g_hash_table_remove(all, arch);
        virResetLastError();
        return;
    }
    if (caps == NULL) {
        caps = arch_caps_new();
        g_hash_table_insert(all, g_strdup(arch), caps);
    }
    read_domain_caps(root, caps);
}

/* The element that holds emulator and machines of a virt type: its own <domain> if that has children, else <arch>. */
static xmlNode *domain_element(xmlNode *guest, const char *virt_type)
{
    g_autofree char *expression = g_strdup_printf("arch/domain[@type='%s'][*]", virt_type);
    xmlNode *node = nd_xpath_node(guest, expression);
    return node != NULL ? node : nd_xpath_node(guest, "arch");
}

/* arch -> ArchCaps, for the default machine type of each architecture and every alias ("pc", "q35", "virt"). */
static GHashTable *all_domain_caps(virConnectPtr handle, xmlNode *caps, const VirtHostOptions *options)
{
    GHashTable *all = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, arch_caps_free);
    g_autoptr(GPtrArray) guests = nd_xpath_nodes(caps, "guest");
    for (guint i = 0; i < guests->len; i++) {
        xmlNode *guest = g_ptr_array_index(guests, i), *domain = domain_element(guest, options->virt_type);
        g_autofree char *arch = nd_xpath_string(guest, "arch/@name"), *emulator = nd_xpath_string(domain, "emulator");
        if (arch == NULL)
            continue;
        const char *preferred = default_machine(options, arch);
        ask_domain_caps(handle, options->virt_type, emulator, arch, preferred, all);
        g_auto(GStrv) aliases = nd_xpath_strings(domain, "machine[@canonical]");
        for (char **alias = aliases; *alias != NULL; alias++)
            if (g_strcmp0(*alias, preferred) != 0)
                ask_domain_caps(handle, options->virt_type, emulator, arch, *alias, all);
    }
    return all;
}

/* --- CPU --------------------------------------------------------------------------------------------------------------------------------- */

static void add_extra_flags(const VirtHostOptions *options, GHashTable *features)
{
    for (const char *const *flag = options->cpu_model_extra_flags; flag != NULL && *flag != NULL; flag++) {
        const char *name = *flag;
        /* Upstream counts a flag that is switched off ("-pcid") as there, too. */
        while (*name == '+' || *name == '-')
            name++;
        g_hash_table_add(features, g_ascii_strdown(name, -1));
    }
}

/* libvirt's spelling of a model name, new text; NULL with VIRT_ERROR_ARGUMENT when it knows none such (x86 and ppc; others are passed through). */
static char *model_name(virConnectPtr handle, const char *arch, const char *wanted, GError **error)
{
    static const char *const checked[] = {"i686", "x86_64", "ppc", "ppc64", "ppc64le", NULL};
    if (!g_strv_contains(checked, arch))
        return g_strdup(wanted);
    char **names = NULL, *found = NULL;
    int count = virConnectGetCPUModelNames(handle, arch, &names, 0);
    for (int i = 0; i < count; i++) {
        if (found == NULL && g_ascii_strcasecmp(names[i], wanted) == 0)
            found = g_strdup(names[i]);
        free(names[i]);
    }
    free(names);
    if (found == NULL)
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT, "configured CPU model '%s' is not known for %s", wanted, arch);
    return found;
}

static const char *default_cpu_model(const char *arch)
{
    static const struct {
        const char *arch, *model;
    } models[] = {{"i686", "qemu32"}, {"ppc64le", "POWER8"}, {"aarch64", "max"}};
    for (size_t i = 0; i < G_N_ELEMENTS(models); i++)
        if (strcmp(arch, models[i].arch) == 0)
            return models[i].model;
    return "qemu64";
}

/* The features that guests get by the configured CPU mode; NULL features and true: this driver reports no CPU traits. */
static bool guest_cpu_features(virConnectPtr handle, const VirtHostCpu *host, const VirtHostOptions *options, GHashTable **features,
    GError **error)
{
    bool qemu = strcmp(options->virt_type, "kvm") == 0 || strcmp(options->virt_type, "qemu") == 0;
    bool aarch64 = strcmp(host->arch, "aarch64") == 0;
    const char *mode = options->cpu_mode;
    *features = NULL;
    if (!qemu && (mode == NULL || strcmp(mode, "none") == 0))
        return true;
    if (mode == NULL)
        mode = aarch64 ? "host-passthrough" : "host-model";
    g_autoptr(GHashTable) set = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (strcmp(mode, "none") == 0) {
        if (!virt_host_cpu_model_features(handle, host, default_cpu_model(host->arch), set, error))
            return false;
    } else if (strcmp(mode, "custom") == 0) {
        const char *const fallback[] = {aarch64 ? "max" : NULL, NULL};
        const char *const *models = options->cpu_models != NULL && *options->cpu_models != NULL ? options->cpu_models : fallback;
        for (; *models != NULL; models++) {
            g_autofree char *name = model_name(handle, host->arch, *models, error);
            if (name == NULL || !virt_host_cpu_model_features(handle, host, name, set, error))
                return false;
        }
        add_extra_flags(options, set);
    } else {
        GHashTableIter iter;
        gpointer name;
        g_hash_table_iter_init(&iter, host->features);
        while (g_hash_table_iter_next(&iter, &name, NULL))
            g_hash_table_add(set, g_strdup(name));
        add_extra_flags(options, set);
    }
    *features = g_steal_pointer(&set);
    return true;
}

/* --- the whole --------------------------------------------------------------------------------------------------------------------------- */

static bool kernel_has_sev(void)
{
    g_autofree char *text = NULL;
    if (!nd_file_read("/sys/module/kvm_amd/parameters/sev", 64, &text, NULL, NULL))
        return false;
    g_strstrip(text);
    return g_ascii_strcasecmp(text, "Y") == 0 || strcmp(text, "1") == 0;
}

static bool set_has_in_any(GHashTable *all, const char *name, bool videos)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        ArchCaps *caps = value;
        if (g_hash_table_contains(videos ? caps->videos : caps->buses, name))
            return true;
    }
    return false;
}

static bool any_sev(GHashTable *all)
{
    GHashTableIter iter;
    gpointer value;
    g_hash_table_iter_init(&iter, all);
    while (g_hash_table_iter_next(&iter, NULL, &value))
        if (((ArchCaps *)value)->sev)
            return true;
    return false;
}

static void put_device_traits(GHashTable *traits, GHashTable *all, const VirtHostOptions *options, unsigned long libvirt)
{
    int virt_type = strcmp(options->virt_type, "kvm") == 0 ? VIF_KVM : strcmp(options->virt_type, "qemu") == 0 ? VIF_QEMU : 0;
    for (size_t i = 0; i < G_N_ELEMENTS(vif_traits); i++)
        put(traits, vif_traits[i].trait, (vif_traits[i].virt_types & virt_type) != 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bus_traits); i++)
        put(traits, bus_traits[i].trait, set_has_in_any(all, bus_traits[i].name, false));
    for (size_t i = 0; i < G_N_ELEMENTS(video_traits); i++)
        put(traits, video_traits[i].trait, set_has_in_any(all, video_traits[i].name, true));
    put(traits, "COMPUTE_VIOMMU_MODEL_AUTO", true);
    put(traits, "COMPUTE_VIOMMU_MODEL_SMMUV3", g_hash_table_contains(all, "aarch64"));
    put(traits, "COMPUTE_VIOMMU_MODEL_INTEL", g_hash_table_contains(all, "x86_64"));
    put(traits, "COMPUTE_VIOMMU_MODEL_VIRTIO", libvirt >= 8003000);
    put(traits, "COMPUTE_SECURITY_TPM_2_0", options->swtpm_enabled);
    put(traits, "COMPUTE_SECURITY_TPM_1_2", options->swtpm_enabled);
}

static void put_fixed_traits(GHashTable *traits, const VirtHostOptions *options, const ArchCaps *host_caps)
{
    for (size_t i = 0; i < G_N_ELEMENTS(fixed_traits); i++)
        put(traits, fixed_traits[i].trait, fixed_traits[i].has);
    bool raw_only = g_strcmp0(options->images_type, "rbd") == 0 || g_strcmp0(options->images_type, "lvm") == 0;
    put(traits, "COMPUTE_IMAGE_TYPE_QCOW2", !raw_only || options->force_raw_images);
    put(traits, "COMPUTE_SECURITY_UEFI_SECURE_BOOT", host_caps != NULL && host_caps->secure_boot);
    /* Upstream's tracker shows it only with a PCI device that is tagged remote_managed; novad manages none yet. */
    put(traits, "COMPUTE_REMOTE_MANAGED_PORTS", false);
    for (const char *const *type = options->image_type_exclude_list; type != NULL && *type != NULL; type++) {
        g_autofree char *upper = g_ascii_strup(*type, -1), *trait = g_strconcat("COMPUTE_IMAGE_TYPE_", upper, NULL);
        if (g_hash_table_contains(traits, trait))
            put(traits, trait, false);
    }
}

static bool read_traits(virConnectPtr handle, const VirtHostOptions *options, GHashTable *traits, GError **error)
{
    char *text = virConnectGetCapabilities(handle);
    if (text == NULL)
        return virt_error_set_libvirt(error, "get libvirt's capabilities");
    g_autoptr(xmlDoc) document = nd_xml_parse(text, -1, error);
    free(text);
    xmlNode *caps = document != NULL ? nd_xml_root(document, "capabilities", error) : NULL;
    g_auto(VirtHostCpu) cpu = {0};
    g_autoptr(GHashTable) features = NULL;
    unsigned long libvirt = 0;
    if (caps == NULL || !virt_host_cpu_read(handle, caps, &cpu, error) || !guest_cpu_features(handle, &cpu, options, &features, error))
        return false;
    if (virConnectGetLibVersion(handle, &libvirt) < 0)
        return virt_error_set_libvirt(error, "get libvirt's version");

    g_autoptr(GHashTable) all = all_domain_caps(handle, caps, options);
    for (size_t i = 0; features != NULL && i < G_N_ELEMENTS(cpu_traits); i++)
        put(traits, cpu_traits[i].trait, g_hash_table_contains(features, cpu_traits[i].feature));
    put(traits, "HW_CPU_X86_AMD_SEV", strcmp(cpu.arch, "x86_64") == 0 && kernel_has_sev() && any_sev(all));
    put(traits, "HW_CPU_HYPERTHREADING", virt_host_has_hyperthreading(caps));
    put_device_traits(traits, all, options, libvirt);
    put_fixed_traits(traits, options, g_hash_table_lookup(all, cpu.arch));
    return true;
}

GHashTable *virt_host_traits(VirtConnection *connection, const VirtHostOptions *options, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(connection, error);
    if (handle == NULL)
        return NULL;
    g_autoptr(GHashTable) traits = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool read = read_traits(handle, options, traits, error);
    virt_connection_release(connection, handle);
    return read ? g_steal_pointer(&traits) : NULL;
}

const char *virt_cpu_feature_of_trait(const char *trait)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cpu_traits); i++) {
        if (g_str_equal(cpu_traits[i].trait, trait) && !g_str_equal(cpu_traits[i].feature, "svm") && !g_str_equal(cpu_traits[i].feature, "vmx"))
            return cpu_traits[i].feature;
    }
    return NULL;
}
