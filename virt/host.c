/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "virt/disk.h"
#include "virt/error.h"
#include "virt/host_private.h"

#include <sys/statvfs.h>

#define GIB ((guint64)1 << 30)
#define MAX_VCPUS 4096

void virt_host_facts_free(VirtHostFacts *facts)
{
    if (facts == NULL)
        return;
    g_free(facts->hypervisor_hostname);
    g_free(facts->hypervisor_type);
    g_free(facts->host_uuid);
    g_free(facts->cpu_arch);
    g_free(facts->cpu_model);
    g_free(facts->cpu_vendor);
    g_free(facts->cpu_info_json);
    g_clear_pointer(&facts->supported_instances, g_ptr_array_unref);
    g_clear_pointer(&facts->numa_cells, g_ptr_array_unref);
    g_free(facts);
}

static void supported_free(gpointer data)
{
    VirtSupportedInstance *supported = data;
    g_free(supported->arch);
    g_free(supported->hypervisor);
    g_free(supported->vm_mode);
    g_free(supported);
}

/* nova's names of architectures (upstream nova/virt/arch.py, fields.Architecture.canonicalize): others are left out. */
static const char *canonical_arch(const char *name)
{
    static const char *const known[] = {"alpha", "armv6", "armv7l", "armv7b", "aarch64", "cris", "i686", "ia64", "lm32", "m68k", "microblaze",
        "microblazeel", "mips", "mipsel", "mips64", "mips64el", "openrisc", "parisc", "parisc64", "ppc", "ppcle", "ppc64", "ppc64le",
        "ppcemb", "s390", "s390x", "sh4", "sh4eb", "sparc", "sparc64", "unicore32", "x86_64", "xtensa", "xtensaeb"};
    static const struct {
        const char *name, *canonical;
    } aliases[] = {{"i386", "i686"}, {"i486", "i686"}, {"i586", "i686"}, {"x86_32", "i686"}, {"x86_32p", "i686"}, {"amd64", "x86_64"}};
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (g_ascii_strcasecmp(name, aliases[i].name) == 0)
            return aliases[i].canonical;
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (g_ascii_strcasecmp(name, known[i]) == 0)
            return known[i];
    return NULL;
}

static GPtrArray *supported_instances(xmlNode *caps)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(supported_free);
    g_autoptr(GPtrArray) guests = nd_xpath_nodes(caps, "guest");
    for (guint i = 0; i < guests->len; i++) {
        xmlNode *guest = g_ptr_array_index(guests, i);
        g_autofree char *arch = nd_xpath_string(guest, "arch/@name"), *mode = nd_xpath_string(guest, "os_type");
        const char *known = arch != NULL ? canonical_arch(arch) : NULL;
        g_auto(GStrv) types = nd_xpath_strings(guest, "arch/domain/@type");
        for (char **type = types; known != NULL && *type != NULL; type++) {
            VirtSupportedInstance *supported = g_new(VirtSupportedInstance, 1);
            *supported = (VirtSupportedInstance){g_strdup(known), g_ascii_strdown(*type, -1), g_strdup(mode)};
            g_ptr_array_add(list, supported);
        }
    }
    return list;
}

/* MemFree + Buffers + Cached of /proc/meminfo in KiB, which is what upstream takes for free. */
static bool available_memory_kib(guint64 *kib, GError **error)
{
    g_autofree char *text = NULL;
    if (!nd_file_read("/proc/meminfo", 0, &text, NULL, error))
        return false;
    static const char *const keys[] = {"MemFree:", "Buffers:", "Cached:"};
    guint64 sum = 0;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        for (size_t i = 0; i < G_N_ELEMENTS(keys); i++)
            if (g_str_has_prefix(*line, keys[i]))
                sum += g_ascii_strtoull(*line + strlen(keys[i]), NULL, 10);
    *kib = sum;
    return true;
}

/* vCPUs and memory of the running domains. A domain that cannot list its vCPUs counts as one (upstream _get_vcpu_used: QEMU's TCG). */
static bool read_domains(virConnectPtr handle, VirtHostFacts *facts, guint64 *memory_kib, GError **error)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(handle, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (count < 0)
        return virt_error_set_libvirt(error, "list running domains");
    *memory_kib = 0;
    for (int i = 0; i < count; i++) {
        virDomainInfo info;
        bool known = virDomainGetInfo(domains[i], &info) == 0;
        if (known)
            *memory_kib += info.memory;
        int vcpus = -1;
        if (known && info.nrVirtCpu > 0 && info.nrVirtCpu <= MAX_VCPUS) {
            g_autofree virVcpuInfo *raw = g_new0(virVcpuInfo, info.nrVirtCpu);
            vcpus = virDomainGetVcpus(domains[i], raw, info.nrVirtCpu, NULL, 0);
        }
        facts->vcpus_used += vcpus >= 0 ? (unsigned)vcpus : 1;
        virDomainFree(domains[i]);
    }
    facts->running_domains = (unsigned)count;
    free(domains);
    virResetLastError();
    return true;
}

static bool read_identity(virConnectPtr handle, VirtHostFacts *facts, GError **error)
{
    unsigned long version = 0;
    char *hostname = virConnectGetHostname(handle);
    if (hostname == NULL)
        return virt_error_set_libvirt(error, "get the host's name");
    facts->hypervisor_hostname = g_strdup(hostname);
    free(hostname);
    const char *type = virConnectGetType(handle);
    if (type == NULL)
        return virt_error_set_libvirt(error, "get the hypervisor's type");
    facts->hypervisor_type = g_strdup(type);
    if (virConnectGetVersion(handle, &version) < 0)
        return virt_error_set_libvirt(error, "get the hypervisor's version");
    facts->hypervisor_version = version;
    if (virConnectGetLibVersion(handle, &version) < 0)
        return virt_error_set_libvirt(error, "get libvirt's version");
    facts->libvirt_version = version;
    return true;
}

static bool read_memory(virConnectPtr handle, const VirtHostOptions *options, VirtHostFacts *facts, GError **error)
{
    virNodeInfo node;
    guint64 domains_kib = 0, available_kib = 0;
    if (virNodeGetInfo(handle, &node) < 0)
        return virt_error_set_libvirt(error, "get the host's memory");
    if (!read_domains(handle, facts, &domains_kib, error))
        return false;
    if (options->file_backed_memory_mib > 0) {
        facts->memory_mib = (guint64)options->file_backed_memory_mib;
        facts->memory_used_mib = domains_kib / 1024;
        return true;
    }
    facts->memory_mib = node.memory / 1024;
    if (!available_memory_kib(&available_kib, error))
        return false;
    guint64 available_mib = available_kib / 1024;
    facts->memory_used_mib = facts->memory_mib > available_mib ? facts->memory_mib - available_mib : 0;
    return true;
}

static bool read_disk(virConnectPtr handle, const VirtHostOptions *options, VirtHostFacts *facts, GError **error)
{
    struct statvfs space;
    if (g_strcmp0(options->images_type, "rbd") == 0 || g_strcmp0(options->images_type, "lvm") == 0) {
        g_set_error(error, VIRT_ERROR, VIRT_ERROR_NOT_SUPPORTED, "images_type '%s' is not supported yet", options->images_type);
        return false;
    }
    if (statvfs(options->instances_path, &space) < 0)
        return virt_error_set_errno(error, errno, "get the space of '%s'", options->instances_path);
    guint64 block = space.f_frsize;
    guint64 free_bytes = block * space.f_bavail;
    facts->local_gb = block * space.f_blocks / GIB;
    facts->local_gb_used = block * (space.f_blocks - space.f_bfree) / GIB;
    facts->local_gb_free = free_bytes / GIB;
    gint64 over_committed;
    if (!virt_host_disk_over_committed(handle, options->instances_path, &over_committed, error))
        return false;
    /* Upstream divides floats and its caller cuts to an integer: towards zero. */
    facts->disk_available_least_gb = ((gint64)free_bytes - over_committed) / (gint64)GIB;
    return true;
}

static bool read_cpus(virConnectPtr handle, xmlNode *caps, const VirtHostOptions *options, VirtHostFacts *facts, GError **error)
{
    g_auto(VirtHostCpu) cpu = {0};
    g_autoptr(GArray) shared = NULL, dedicated = NULL;
    if (!virt_host_cpu_read(handle, caps, &cpu, error) || !virt_host_cpu_sets(handle, options, &shared, &dedicated, error))
        return false;
    g_autoptr(GPtrArray) cells = nd_xpath_nodes(caps, "host/topology/cells/cell");
    facts->cpu_info_json = virt_host_cpu_info_json(&cpu, cells->len > 0 ? cells->len : 1);
    facts->cpu_arch = g_steal_pointer(&cpu.arch);
    facts->cpu_model = g_steal_pointer(&cpu.model);
    facts->cpu_vendor = g_steal_pointer(&cpu.vendor);
    facts->has_hyperthreading = virt_host_has_hyperthreading(caps);
    facts->vcpus = shared->len;
    facts->pcpus = dedicated->len;
    facts->numa_cells = virt_host_numa_cells(handle, caps, options, shared, dedicated);
    return true;
}

static bool read_facts(virConnectPtr handle, const VirtHostOptions *options, VirtHostFacts *facts, GError **error)
{
    char *text = virConnectGetCapabilities(handle);
    if (text == NULL)
        return virt_error_set_libvirt(error, "get libvirt's capabilities");
    g_autoptr(xmlDoc) document = nd_xml_parse(text, -1, error);
    free(text);
    xmlNode *caps = document != NULL ? nd_xml_root(document, "capabilities", error) : NULL;
    if (caps == NULL)
        return false;
    facts->host_uuid = nd_xpath_string(caps, "host/uuid");
    facts->supported_instances = supported_instances(caps);
    return read_identity(handle, facts, error) && read_cpus(handle, caps, options, facts, error) &&
        read_memory(handle, options, facts, error) && read_disk(handle, options, facts, error);
}

VirtHostFacts *virt_host_facts(VirtConnection *connection, const VirtHostOptions *options, GError **error)
{
    virConnectPtr handle = virt_connection_acquire(connection, error);
    if (handle == NULL)
        return NULL;
    g_autoptr(VirtHostFacts) facts = g_new0(VirtHostFacts, 1);
    bool read = read_facts(handle, options, facts, error);
    virt_connection_release(connection, handle);
    return read ? g_steal_pointer(&facts) : NULL;
}

/* One disk of a domain; files that went away or may not be read do not count (upstream warns and goes on). */
static gint64 disk_over_commit(xmlNode *disk, const char *instances_path)
{
    g_autofree char *path = nd_xpath_string(disk, "source/@file"), *format = nd_xpath_string(disk, "driver/@type");
    g_autofree char *prefix = g_strconcat(instances_path, "/", NULL);
    VirtDiskUsage usage = {0};
    /* A file outside the instances path is a volume's (NFS ...), which is Cinder's space. */
    if (path == NULL || !g_str_has_prefix(path, prefix) || !virt_disk_usage(path, format != NULL ? format : "raw", &usage, NULL))
        return 0;
    gint64 bytes = usage.over_committed;
    virt_disk_usage_clear(&usage);
    return bytes;
}

bool virt_host_disk_over_committed(virConnectPtr handle, const char *instances_path, gint64 *bytes, GError **error)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(handle, &domains, 0);
    if (count < 0)
        return virt_error_set_libvirt(error, "list domains");
    *bytes = 0;
    for (int i = 0; i < count; i++) {
        char *xml = virDomainGetXMLDesc(domains[i], 0);
        g_autoptr(xmlDoc) document = xml != NULL ? nd_xml_parse(xml, -1, NULL) : NULL;
        xmlNode *root = document != NULL ? nd_xml_root(document, "domain", NULL) : NULL;
        g_autoptr(GPtrArray) disks = nd_xpath_nodes(root, "devices/disk[@type='file']");
        for (guint j = 0; j < disks->len; j++)
            *bytes += disk_over_commit(g_ptr_array_index(disks, j), instances_path);
        free(xml);
        virDomainFree(domains[i]);
    }
    free(domains);
    virResetLastError();
    return true;
}

char *virt_host_uptime(GError **error)
{
    const char *argv[] = {"uptime", NULL};
    char *text = NULL;
    return nd_subprocess_output(argv, 10, &text, error) ? text : NULL;
}
