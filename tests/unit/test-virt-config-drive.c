/* SPDX-License-Identifier: Apache-2.0 */
/* The config drive's image, read back with libarchive; its content is checked against upstream in tests/oracle/config_drive.py. */
#include "config.h"

#include "agent/instance_metadata.h"
#include "base/error.h"
#include "base/file.h"
#include "virt/config_drive.h"
#include "virt/error.h"
#include "virt/image.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static void add(GPtrArray *files, const char *path, const char *content)
{
    g_autoptr(GBytes) bytes = g_bytes_new(content, strlen(content));
    g_ptr_array_add(files, virt_file_new(path, bytes));
}

static GPtrArray *new_files(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)virt_file_free);
}

/* path -> content of the regular files. */
static GHashTable *read_iso(const char *path)
{
    GHashTable *found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    struct archive *archive = archive_read_new();
    struct archive_entry *entry;
    archive_read_support_format_iso9660(archive);
    g_assert_cmpint(archive_read_open_filename(archive, path, 10240), ==, ARCHIVE_OK);
    while (archive_read_next_header(archive, &entry) == ARCHIVE_OK) {
        if (archive_entry_filetype(entry) != AE_IFREG)
            continue;
        size_t size = (size_t)archive_entry_size(entry);
        char *content = g_malloc0(size + 1);
        g_assert_cmpint(archive_read_data(archive, content, size), ==, (la_ssize_t)size);
        g_assert_cmpint(archive_entry_perm(entry), ==, 0444);
        g_hash_table_insert(found, g_strdup(archive_entry_pathname(entry)), content);
    }
    archive_read_free(archive);
    return found;
}

static void test_iso(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("novad-drive-XXXXXX", NULL), *path = g_build_filename(directory, "disk.config", NULL);
    g_autoptr(GPtrArray) files = new_files();
    g_autofree char *large = g_strnfill(300000, 'x');
    add(files, "openstack/latest/meta_data.json", "{}");
    add(files, "openstack/latest/a-rather-long-name.with.several.dots-and-more-than-31-characters", "long");
    add(files, "openstack/content/0000", "");
    add(files, "ec2/latest/user-data", large);
    for (int i = 0; i < 2; i++) { /* the second one replaces the first */
        g_assert_true(virt_config_drive_write(path, VIRT_CONFIG_DRIVE_ISO9660, files, "OpenStack Nova 26.2.2", &error));
        g_assert_no_error(error);
    }
    g_autoptr(GHashTable) found = read_iso(path);
    g_assert_cmpuint(g_hash_table_size(found), ==, files->len);
    for (guint i = 0; i < files->len; i++) {
        const VirtFile *file = g_ptr_array_index(files, i);
        gsize length;
        const char *bytes = g_bytes_get_data(file->content, &length);
        const char *there = g_hash_table_lookup(found, file->path);
        g_assert_nonnull(there);
        g_assert_cmpmem(there, strlen(there), bytes, length);
    }
    g_auto(VirtImageInfo) info = {0};
    g_assert_true(virt_image_inspect(path, &info, &error));
    g_assert_cmpint(info.format, ==, VIRT_IMAGE_ISO);
    g_autofree char *raw = NULL;
    g_assert_true(g_file_get_contents(path, &raw, NULL, NULL));
    g_assert_cmpmem(raw + 32768 + 40, 9, "config-2 ", 9);
    g_assert_cmpmem(raw + 32768 + 318, 22, "OpenStack Nova 26.2.2 ", 22);
    g_assert_true(nd_tree_remove(directory, NULL));
}

static void test_paths(void)
{
    static const char *const bad[] = {"/etc/passwd", "../x", "a/../x", "a//b", "", "a/.", "a/"};
    g_autofree char *directory = g_dir_make_tmp("novad-drive-XXXXXX", NULL), *path = g_build_filename(directory, "disk.config", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) files = new_files();
        add(files, bad[i], "x");
        g_assert_false(virt_config_drive_write(path, VIRT_CONFIG_DRIVE_ISO9660, files, NULL, &error));
        g_assert_error(error, VIRT_ERROR, VIRT_ERROR_ARGUMENT);
    }
    g_assert_true(nd_tree_remove(directory, NULL));
}

static void test_full(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *directory = g_dir_make_tmp("novad-drive-XXXXXX", NULL), *path = g_build_filename(directory, "disk.config", NULL);
    if (mount("none", directory, "tmpfs", 0, "size=128k") < 0) {
        g_test_skip("may not mount a tmpfs");
        g_assert_true(nd_tree_remove(directory, NULL));
        return;
    }
    g_autoptr(GPtrArray) files = new_files();
    g_autofree char *large = g_strnfill(300000, 'x');
    add(files, "openstack/latest/user_data", large);
    g_assert_false(virt_config_drive_write(path, VIRT_CONFIG_DRIVE_ISO9660, files, NULL, &error));
    g_assert_error(error, VIRT_ERROR, VIRT_ERROR_NO_SPACE);
    g_autoptr(GDir) left = g_dir_open(directory, 0, NULL);
    g_assert_null(g_dir_read_name(left));
    g_clear_pointer(&left, g_dir_close);
    umount2(directory, MNT_DETACH);
    g_assert_true(nd_tree_remove(directory, NULL));
}

static void test_bad_metadata(void)
{
    g_autoptr(NdJson) network_info = NULL, injected = NULL;
    static const char vifs[] = "[{\"id\": \"p\", \"network\": {\"id\": \"n\", \"subnets\": [{\"cidr\": \"10.0.0.0/99\", \"version\": 4, \"ips\": [{\"address\": "
                               "\"10.0.0.1\", \"version\": 4}], \"meta\": {}}]}}]";
    g_assert_true(nd_json_parse(vifs, strlen(vifs), NULL, &network_info, NULL));
    g_assert_true(nd_json_parse("[[\"/etc/motd\"]]", 15, NULL, &injected, NULL));
    const AgentMetadataInput inputs[] = {
        {.uuid = "u", .user_data = "!"},
        {.uuid = "u", .network_info = network_info},
        {.uuid = "u", .injected_files = injected},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(inputs); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(agent_instance_metadata_files(&inputs[i], &error));
        g_assert_error(error, ND_ERROR, ND_ERROR_PARSE);
    }
}

/* Which files there are; nothing but the uuid is needed. */
static void test_files(void)
{
    static const char *const wanted[] = {"ec2/2009-04-04/meta-data.json", "ec2/latest/meta-data.json", "openstack/2012-08-10/meta_data.json",
        "openstack/2013-04-04/meta_data.json", "openstack/2013-10-17/meta_data.json", "openstack/2013-10-17/vendor_data.json",
        "openstack/2015-10-15/meta_data.json", "openstack/2015-10-15/network_data.json", "openstack/2015-10-15/vendor_data.json",
        "openstack/2016-06-30/meta_data.json", "openstack/2016-06-30/network_data.json", "openstack/2016-06-30/vendor_data.json",
        "openstack/2016-10-06/meta_data.json", "openstack/2016-10-06/network_data.json", "openstack/2016-10-06/vendor_data.json",
        "openstack/2016-10-06/vendor_data2.json", "openstack/2017-02-22/meta_data.json", "openstack/2017-02-22/network_data.json",
        "openstack/2017-02-22/vendor_data.json", "openstack/2017-02-22/vendor_data2.json", "openstack/2018-08-27/meta_data.json",
        "openstack/2018-08-27/network_data.json", "openstack/2018-08-27/vendor_data.json", "openstack/2018-08-27/vendor_data2.json",
        "openstack/2020-10-14/meta_data.json", "openstack/2020-10-14/network_data.json", "openstack/2020-10-14/vendor_data.json",
        "openstack/2020-10-14/vendor_data2.json", "openstack/latest/meta_data.json", "openstack/latest/network_data.json",
        "openstack/latest/vendor_data.json", "openstack/latest/vendor_data2.json"};
    g_autoptr(GError) error = NULL;
    AgentMetadataInput input = {.uuid = "u"};
    g_autoptr(GPtrArray) files = agent_instance_metadata_files(&input, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(files->len, ==, G_N_ELEMENTS(wanted));
    for (guint i = 0; i < files->len; i++)
        g_assert_cmpstr(((const VirtFile *)g_ptr_array_index(files, i))->path, ==, wanted[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/virt/config-drive/iso", test_iso);
    g_test_add_func("/virt/config-drive/paths", test_paths);
    g_test_add_func("/virt/config-drive/full", test_full);
    g_test_add_func("/virt/config-drive/bad-metadata", test_bad_metadata);
    g_test_add_func("/virt/config-drive/files", test_files);
    return g_test_run();
}
