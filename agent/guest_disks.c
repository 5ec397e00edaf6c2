/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/guest_disks.h"

#include "agent/guest_image.h"
#include "rpc/exception.h"

#include <string.h>

/* Buses of kvm and qemu guests (upstream blockinfo.py SUPPORTED_DEVICE_BUSES), the prefix of their devices' names, and the bus that a name
 * alone means ("sd" is taken for SCSI). */
static const struct {
    const char *bus, *prefix;
    bool by_name;
} buses[] = {
    { "virtio", "vd", true }, { "scsi", "sd", true }, { "ide", "hd", true }, { "usb", "sd", false }, { "fdc", "fd", true }, { "sata", "sd", false },
};

/* IDE has two channels of two drives. */
#define IDE_DISKS 4

static const char *const device_types[] = { "disk", "cdrom", "floppy", "lun" };

static void disk_free(gpointer data)
{
    GuestDisk *disk = data;
    g_free(disk->name);
    g_free(disk->bus);
    g_free(disk->dev);
    g_free(disk->type);
    g_free(disk->format);
    g_free(disk);
}

void guest_disk_info_free(GuestDiskInfo *info)
{
    if (info == NULL) {
        return;
    }
    g_free(info->disk_bus);
    g_free(info->cdrom_bus);
    g_ptr_array_unref(info->disks);
    guest_block_devices_free(info->devices);
    g_free(info);
}

/* What the functions below share while one guest's disks are decided. */
typedef struct {
    const NdConfig *config;
    const NovaInstance *instance;
    const NovaImageMeta *image;
    const char *virt_type;
    GuestDiskInfo *info;
    GPtrArray *taken; /* char*: names that block devices bring along */
} Mapper;

static const char *strip_dev(const char *name)
{
    return name != NULL && g_str_has_prefix(name, "/dev/") ? name + strlen("/dev/") : name;
}

static bool bus_is_valid(const char *bus)
{
    for (size_t i = 0; bus != NULL && i < G_N_ELEMENTS(buses); i++) {
        if (strcmp(buses[i].bus, bus) == 0) {
            return true;
        }
    }
    return false;
}

static bool type_is_valid(const char *type)
{
    for (size_t i = 0; type != NULL && i < G_N_ELEMENTS(device_types); i++) {
        if (strcmp(device_types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

static void set_internal_error(GError **error, const char *format, const char *value)
{
    g_autofree char *text = g_strdup_printf("%s '%s'", format, value);
    nova_exception_set(error, NOVA_EXC_INTERNAL_ERROR, "err", text, NULL);
}

static const char *bus_prefix(const NdConfig *config, const char *bus, GError **error)
{
    const char *prefix = nd_config_string(config, "libvirt", "disk_prefix");
    if (prefix != NULL && *prefix != '\0') {
        return prefix;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(buses); i++) {
        if (g_strcmp0(buses[i].bus, bus) == 0) {
            return buses[i].prefix;
        }
    }
    set_internal_error(error, "no device name prefix is known for disk bus", bus != NULL ? bus : "none");
    return NULL;
}

/* The bus that a name is taken to be on. */
static const char *bus_of_name(const char *dev, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(buses); i++) {
        if (buses[i].by_name && g_str_has_prefix(dev, buses[i].prefix)) {
            return buses[i].bus;
        }
    }
    set_internal_error(error, "no disk bus is known for device", dev);
    return NULL;
}

/* "vda", "vdb" … "vdz", "vdaa": upstream block_device.py generate_device_name. */
static char *device_name(const char *prefix, guint index)
{
    char letters[16];
    size_t at = sizeof letters - 1;
    letters[at] = '\0';
    for (gint64 left = index; left >= 0; left = left / 26 - 1) {
        letters[--at] = (char) ('a' + left % 26);
    }
    return g_strconcat(prefix, letters + at, NULL);
}

static bool is_taken(const GPtrArray *taken, const char *dev)
{
    return taken != NULL && g_ptr_array_find_with_equal_func((GPtrArray *) taken, dev, g_str_equal, NULL);
}

/* The first name on the bus that is in neither list; either may be NULL. */
static char *next_name(const NdConfig *config, const char *bus, const GPtrArray *used, const GPtrArray *taken, GError **error)
{
    const char *prefix = bus_prefix(config, bus, error);
    if (prefix == NULL) {
        return NULL;
    }
    gint64 limit = strcmp(bus, "ide") == 0 ? IDE_DISKS : nd_config_int(config, "compute", "max_disk_devices_to_attach");
    for (guint i = 0; limit < 0 || i < limit; i++) {
        char *name = device_name(prefix, i);
        if (!is_taken(used, name) && !is_taken(taken, name)) {
            return name;
        }
        g_free(name);
    }
    g_autofree char *maximum = g_strdup_printf("%" G_GINT64_FORMAT, limit);
    nova_exception_set(error, NOVA_EXC_TOO_MANY_DISK_DEVICES, "maximum", maximum, NULL);
    return NULL;
}

char *guest_next_device(const NdConfig *config, const char *bus, const GPtrArray *taken, GError **error)
{
    return next_name(config, bus, taken, NULL, error);
}

/* Names of the disks decided so far. */
static GPtrArray *used_names(const Mapper *mapper)
{
    GPtrArray *names = g_ptr_array_new();
    for (guint i = 0; i < mapper->info->disks->len; i++) {
        const GuestDisk *disk = mapper->info->disks->pdata[i];
        g_ptr_array_add(names, disk->dev);
    }
    return names;
}

/* upstream get_disk_bus_for_device_type: the image's own, else what suits the machine. NULL without error if there is none for the type. */
static bool bus_for_type(const Mapper *mapper, const NovaImageMeta *image, const char *type, const char **bus, GError **error)
{
    const NovaImageMetaProps *properties = guest_image_properties(image);
    const struct {
        const char *type, *wanted, *fallback;
    } rules[] = {
        { "disk", properties->hw_disk_bus, "virtio" },
        { "floppy", properties->hw_floppy_bus, "fdc" },
        { "cdrom", properties->hw_cdrom_bus, NULL },
        { "lun", NULL, NULL },
    };
    static const char *const scsi_cdrom[] = { "ppc", "ppc64", "ppcle", "ppc64le", "s390", "s390x", "aarch64" };
    *bus = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (strcmp(rules[i].type, type) != 0) {
            continue;
        }
        *bus = rules[i].wanted != NULL ? rules[i].wanted : rules[i].fallback;
        if (rules[i].wanted != NULL && !bus_is_valid(rules[i].wanted)) {
            nova_exception_set(error, NOVA_EXC_UNSUPPORTED_HARDWARE, "model", rules[i].wanted, "virt", mapper->virt_type, NULL);
            return false;
        }
    }
    if (*bus != NULL || strcmp(type, "cdrom") != 0) {
        return true;
    }
    const char *arch = guest_image_architecture(image);
    for (size_t i = 0; i < G_N_ELEMENTS(scsi_cdrom); i++) {
        if (strcmp(scsi_cdrom[i], arch) == 0) {
            *bus = "scsi";
            return true;
        }
    }
    *bus = guest_machine_is_q35(guest_image_machine_type(mapper->config, image)) ? "sata" : "ide";
    return true;
}

/* Takes over `dev`. */
static GuestDisk *add_disk(Mapper *mapper, const char *name, const char *bus, char *dev, const char *type, int boot_index)
{
    GuestDisk *disk = g_new0(GuestDisk, 1);
    disk->name = g_strdup(name);
    disk->bus = g_strdup(bus);
    disk->dev = dev;
    disk->type = g_strdup(type);
    disk->boot_index = boot_index;
    g_ptr_array_add(mapper->info->disks, disk);
    return disk;
}

static GuestDisk *add_copy(Mapper *mapper, const char *name, const GuestDisk *disk)
{
    GuestDisk *copy = add_disk(mapper, name, disk->bus, g_strdup(disk->dev), disk->type, disk->boot_index);
    copy->format = g_strdup(disk->format);
    copy->device = disk->device;
    return copy;
}

/* upstream get_next_disk_info; `taken` may be NULL. */
static GuestDisk *add_next(Mapper *mapper, const char *name, const char *bus, const char *type, const GPtrArray *taken, GError **error)
{
    g_autoptr(GPtrArray) used = used_names(mapper);
    char *dev = next_name(mapper->config, bus, used, taken, error);
    return dev != NULL ? add_disk(mapper, name, bus, dev, type, 0) : NULL;
}

/* upstream update_bdm: what was decided goes back to the device, which keeps a name that it had. */
static void update_device(GuestBlockDevice *device, const GuestDisk *disk)
{
    if (device->device_name == NULL) {
        device->device_name = g_strconcat("/dev/", disk->dev, NULL);
    }
    g_free(device->disk_bus);
    device->disk_bus = g_strdup(disk->bus);
    g_free(device->device_type);
    device->device_type = g_strdup(disk->type);
}

/* upstream get_info_from_bdm. name NULL: the disk is called by its device. default_bus and fallback_name may be NULL; avoid_taken: a new name must
 * not be one that another device brings along. */
static GuestDisk *add_device(Mapper *mapper, const char *name, GuestBlockDevice *device, const char *default_bus, const char *fallback_name,
    bool avoid_taken, GError **error)
{
    const char *type = type_is_valid(device->device_type) ? device->device_type : "disk";
    const char *bus = device->disk_bus != NULL && *device->disk_bus != '\0' ? device->disk_bus : default_bus;
    const char *known = strip_dev(device->device_name != NULL ? device->device_name : fallback_name);
    if (!bus_is_valid(bus)) {
        if (known != NULL) {
            bus = bus_of_name(known, error);
            if (bus == NULL) {
                return NULL;
            }
        } else if (!bus_for_type(mapper, mapper->image, type, &bus, error)) {
            return NULL;
        }
    }
    char *dev = g_strdup(known);
    if (dev == NULL) {
        g_autoptr(GPtrArray) used = used_names(mapper);
        dev = next_name(mapper->config, bus, used, avoid_taken ? mapper->taken : NULL, error);
        if (dev == NULL) {
            return NULL;
        }
    }
    g_autofree char *path = g_strconcat("/dev/", dev, NULL);
    int boot_index = device->has_boot_index && device->boot_index >= 0 ? (int) device->boot_index + 1 : 0;
    GuestDisk *disk = add_disk(mapper, name != NULL ? name : path, bus, dev, type, boot_index);
    disk->format = g_strdup(device->guest_format != NULL && *device->guest_format != '\0' ? device->guest_format : NULL);
    disk->device = device;
    update_device(device, disk);
    return disk;
}

static GuestBlockDevice *root_device(const GuestBlockDevices *devices)
{
    if (devices->images->len > 0) {
        return devices->images->pdata[0];
    }
    for (guint i = 0; i < devices->volumes->len; i++) {
        GuestBlockDevice *device = devices->volumes->pdata[i];
        if (device->has_boot_index && device->boot_index == 0) {
            return device;
        }
    }
    return NULL;
}

static bool map_root(Mapper *mapper, GError **error)
{
    GuestDiskInfo *info = mapper->info;
    const GuestBlockDevices *devices = info->devices;
    GuestBlockDevice *device = root_device(devices);
    if (device != NULL) {
        GuestDisk *root = add_device(mapper, "root", device, info->disk_bus, devices->root_device_name, false, error);
        if (root != NULL && devices->images->len > 0) {
            add_copy(mapper, "disk", root);
        }
        return root != NULL;
    }
    bool iso = mapper->image != NULL && g_strcmp0(mapper->image->disk_format, "iso") == 0;
    const char *bus = iso ? info->cdrom_bus : info->disk_bus;
    const char *name = strip_dev(devices->root_device_name);
    char *dev = name != NULL && *name != '\0' ? g_strdup(name) : next_name(mapper->config, bus, NULL, NULL, error);
    if (dev == NULL) {
        return false;
    }
    GuestDisk *root = add_disk(mapper, "root", bus, dev, iso ? "cdrom" : "disk", 1);
    add_copy(mapper, "disk", root);
    return true;
}

/* upstream block_device.py volume_in_mapping. */
static bool name_is_a_device(const GuestBlockDevices *devices, const char *dev)
{
    const GPtrArray *const lists[] = { devices->volumes, devices->ephemerals };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (guint j = 0; j < lists[i]->len; j++) {
            const GuestBlockDevice *device = lists[i]->pdata[j];
            if (g_strcmp0(strip_dev(device->device_name), dev) == 0) {
                return true;
            }
        }
    }
    const GuestBlockDevice *swap = devices->swap;
    return swap != NULL && swap->size > 0 && g_strcmp0(strip_dev(swap->device_name), dev) == 0;
}

/* The flavor's own disks, when no block device stands for them; a name that a block device has leaves them out. */
static bool map_flavor_disk(Mapper *mapper, const char *name, const GPtrArray *taken, GError **error)
{
    const GuestDisk *disk = add_next(mapper, name, mapper->info->disk_bus, "disk", taken, error);
    if (disk == NULL) {
        return false;
    }
    if (name_is_a_device(mapper->info->devices, disk->dev)) {
        g_ptr_array_set_size(mapper->info->disks, (gint) mapper->info->disks->len - 1);
    }
    return true;
}

static bool map_ephemerals(Mapper *mapper, GError **error)
{
    const GPtrArray *ephemerals = mapper->info->devices->ephemerals;
    if (ephemerals->len == 0 && mapper->instance->ephemeral_gb > 0) {
        return map_flavor_disk(mapper, "disk.local", NULL, error);
    }
    for (guint i = 0; i < ephemerals->len; i++) {
        g_autofree char *name = g_strdup_printf("disk.eph%u", i);
        if (add_device(mapper, name, ephemerals->pdata[i], mapper->info->disk_bus, NULL, true, error) == NULL) {
            return false;
        }
    }
    return true;
}

static bool map_swap(Mapper *mapper, GError **error)
{
    GuestBlockDevice *swap = mapper->info->devices->swap;
    if (swap != NULL && swap->size > 0) {
        return add_device(mapper, "disk.swap", swap, mapper->info->disk_bus, NULL, false, error) != NULL;
    }
    const NovaFlavor *flavor = mapper->instance->flavor;
    if (flavor != NULL && flavor->swap > 0) {
        return map_flavor_disk(mapper, "disk.swap", mapper->taken, error);
    }
    return true;
}

static bool map_volumes(Mapper *mapper, GError **error)
{
    const GPtrArray *volumes = mapper->info->devices->volumes;
    for (guint i = 0; i < volumes->len; i++) {
        if (add_device(mapper, NULL, volumes->pdata[i], NULL, NULL, true, error) == NULL) {
            return false;
        }
    }
    return true;
}

bool guest_needs_config_drive(const NdConfig *config, const NovaInstance *instance)
{
    if (instance->config_drive != NULL && *instance->config_drive != '\0') {
        return true;
    }
    if (nd_config_bool(config, "DEFAULT", "force_config_drive") && !nova_object_has(instance, NOVA_INSTANCE_LAUNCHED_AT)) {
        return true;
    }
    const char *policy = nova_object_dict_get(instance, NOVA_INSTANCE_SYSTEM_METADATA, "image_img_config_drive");
    return g_strcmp0(policy, "mandatory") == 0;
}

static bool map_config_drive(Mapper *mapper, const char *name, GError **error)
{
    if (!guest_needs_config_drive(mapper->config, mapper->instance)) {
        return true;
    }
    const char *format = nd_config_string(mapper->config, "DEFAULT", "config_drive_format");
    const char *type = g_strcmp0(format, "vfat") == 0 ? "disk" : "cdrom";
    if (g_strcmp0(format, "vfat") != 0 && g_strcmp0(format, "iso9660") != 0) {
        nova_exception_set(error, NOVA_EXC_CONFIG_DRIVE_UNKNOWN_FORMAT, "format", format, NULL);
        return false;
    }
    const char *bus;
    return bus_for_type(mapper, mapper->image, type, &bus, error) && add_next(mapper, name, bus, type, NULL, error) != NULL;
}

/* The rescue disk in front of the instance's own (upstream _get_rescue_disk_mapping). */
static bool map_plain_rescue(Mapper *mapper, GError **error)
{
    const char *bus = mapper->info->disk_bus;
    GuestDisk *rescue = add_next(mapper, "disk.rescue", bus, "disk", NULL, error);
    if (rescue == NULL) {
        return false;
    }
    rescue->boot_index = 1;
    add_copy(mapper, "root", rescue);
    return add_next(mapper, "disk", bus, "disk", NULL, error) != NULL && map_config_drive(mapper, "disk.config.rescue", error);
}

static bool map_disks(Mapper *mapper, GError **error)
{
    return map_root(mapper, error) && map_ephemerals(mapper, error) && map_swap(mapper, error) && map_volumes(mapper, error) &&
           map_config_drive(mapper, "disk.config", error);
}

/* The instance's disks with the rescue disk behind them (upstream _get_stable_device_rescue_mapping). */
static bool map_stable_rescue(Mapper *mapper, const NovaImageMeta *image, GError **error)
{
    const NovaImageMetaProps *properties = guest_image_properties(image);
    const char *type = properties->hw_rescue_device != NULL ? properties->hw_rescue_device : "disk";
    if (!map_disks(mapper, error)) {
        return false;
    }
    if (!type_is_valid(type)) {
        nova_exception_set(error, NOVA_EXC_UNSUPPORTED_RESCUE_DEVICE, "device", type, NULL);
        return false;
    }
    const char *bus = properties->hw_rescue_bus;
    if (bus != NULL && !bus_is_valid(bus)) {
        nova_exception_set(error, NOVA_EXC_UNSUPPORTED_RESCUE_BUS, "bus", bus, "virt", mapper->virt_type, NULL);
        return false;
    }
    if (bus == NULL && !bus_for_type(mapper, image, type, &bus, error)) {
        return false;
    }
    return add_next(mapper, "disk.rescue", bus, type, NULL, error) != NULL;
}

/* Names that block devices bring along; the strings are copies, as update_device() may not be seen here. */
static GPtrArray *taken_names(const GuestBlockDevices *devices)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const GPtrArray *const lists[] = { devices->images, devices->ephemerals, devices->volumes };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        for (guint j = 0; j < lists[i]->len; j++) {
            const GuestBlockDevice *device = lists[i]->pdata[j];
            if (device->device_name != NULL) {
                g_ptr_array_add(names, g_strdup(strip_dev(device->device_name)));
            }
        }
    }
    if (devices->swap != NULL && devices->swap->device_name != NULL) {
        g_ptr_array_add(names, g_strdup(strip_dev(devices->swap->device_name)));
    }
    return names;
}

static bool map_all(Mapper *mapper, const GuestRescue *rescue, GError **error)
{
    const char *disk_bus, *cdrom_bus;
    if (!bus_for_type(mapper, mapper->image, "disk", &disk_bus, error) || !bus_for_type(mapper, mapper->image, "cdrom", &cdrom_bus, error)) {
        return false;
    }
    mapper->info->disk_bus = g_strdup(disk_bus);
    mapper->info->cdrom_bus = g_strdup(cdrom_bus);
    if (rescue == NULL) {
        return map_disks(mapper, error);
    }
    mapper->info->rescue = true;
    mapper->info->stable_rescue = rescue->image != NULL;
    return rescue->image != NULL ? map_stable_rescue(mapper, rescue->image, error) : map_plain_rescue(mapper, error);
}

GuestDiskInfo *guest_disk_info(const NdConfig *config, const NovaInstance *instance, const NovaImageMeta *image, GuestBlockDevices *devices,
    const GuestRescue *rescue, GError **error)
{
    g_autoptr(GuestDiskInfo) info = g_new0(GuestDiskInfo, 1);
    info->disks = g_ptr_array_new_with_free_func(disk_free);
    info->devices = devices != NULL ? devices : guest_block_devices_new();
    const char *virt_type = guest_virt_type(config, error);
    if (virt_type == NULL) {
        return NULL;
    }
    g_autoptr(GPtrArray) taken = taken_names(info->devices);
    Mapper mapper = { config, instance, image, virt_type, info, taken };
    return map_all(&mapper, rescue, error) ? g_steal_pointer(&info) : NULL;
}

GuestDisk *guest_disk_info_find(const GuestDiskInfo *info, const char *name)
{
    for (guint i = 0; i < info->disks->len; i++) {
        GuestDisk *disk = info->disks->pdata[i];
        if (strcmp(disk->name, name) == 0) {
            return disk;
        }
    }
    return NULL;
}

static int compare_boot_index(gconstpointer a, gconstpointer b)
{
    const GuestDisk *const *left = a;
    const GuestDisk *const *right = b;
    return (*left)->boot_index - (*right)->boot_index;
}

GPtrArray *guest_disk_info_boot_order(const GuestDiskInfo *info)
{
    /* Upstream's table has no lun, and fails for one that is to be booted; it is a disk to the firmware. */
    static const char *const names[][2] = { { "disk", "hd" }, { "cdrom", "cdrom" }, { "floppy", "fd" }, { "lun", "hd" } };
    g_autoptr(GPtrArray) bootable = g_ptr_array_new();
    for (guint i = 0; i < info->disks->len; i++) {
        const GuestDisk *disk = info->disks->pdata[i];
        if (disk->boot_index > 0 && strcmp(disk->name, "root") != 0) {
            g_ptr_array_add(bootable, (gpointer) disk);
        }
    }
    g_ptr_array_sort(bootable, compare_boot_index);
    GPtrArray *order = g_ptr_array_new();
    for (guint i = 0; i < bootable->len; i++) {
        const GuestDisk *disk = bootable->pdata[i];
        for (size_t j = 0; j < G_N_ELEMENTS(names); j++) {
            if (strcmp(names[j][0], disk->type) == 0 && !g_ptr_array_find(order, names[j][1], NULL)) {
                g_ptr_array_add(order, (gpointer) names[j][1]);
            }
        }
    }
    return order;
}
