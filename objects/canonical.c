/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "objects/generated/enums.h"
#include "objects/walker.h"

#include <arpa/inet.h>

/* What upstream's field types make of a string when it is read or assigned (oslo.versionedobjects fields, nova.objects.fields): checks, and
 * the one spelling it is held in. */

/* Matches a string against a tiny pattern: 'h' a hexadecimal digit, 'o' an octal one, 'b' 0 or 1, anything else itself. */
static bool matches(const char *text, const char *pattern)
{
    for (; *pattern; pattern++, text++) {
        bool fits = *text == *pattern;
        if (*pattern == 'h')
            fits = g_ascii_isxdigit(*text);
        else if (*pattern == 'o')
            fits = *text >= '0' && *text <= '7';
        else if (*pattern == 'b')
            fits = *text == '0' || *text == '1';
        else if (*pattern == '?')
            fits = *text != '\0';
        if (!fits)
            return false;
    }
    return *text == '\0';
}

/* Moves past lower-case hexadecimal digits; false if there is none. */
static bool skip_hex(const char **text)
{
    const char *start = *text;
    *text += strspn(*text, "0123456789abcdef");
    return *text > start;
}

/* True if the text is hexadecimal numbers with these separators between them: "::" for "a:b:c". */
static bool numbers_between(const char *text, const char *separators)
{
    if (!skip_hex(&text))
        return false;
    for (; *separators; separators++)
        if (*text++ != *separators || !skip_hex(&text))
            return false;
    return *text == '\0';
}

static char *canonical_mac(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    g_strdelimit(lower, "-", ':');
    return matches(lower, "hh:hh:hh:hh:hh:hh") ? g_steal_pointer(&lower) : NULL;
}

static char *canonical_pci_address(const char *text)
{
    g_autofree char *lower = g_ascii_strdown(text, -1);
    return matches(lower, "hhhh:hh:bh?o") ? g_steal_pointer(&lower) : NULL;
}

static char *canonical_usb_address(const char *text)
{
    return numbers_between(text, ":") ? g_strdup(text) : NULL;
}

static char *canonical_scsi_address(const char *text)
{
    return numbers_between(text, ":::") ? g_strdup(text) : NULL;
}

static char *canonical_ide_address(const char *text)
{
    return matches(text, "b:b") ? g_strdup(text) : NULL;
}

/* 00dd00, or a number of two digits or more. */
static char *canonical_xen_address(const char *text)
{
    size_t length = strlen(text);
    if (length < 2 || strspn(text, "0123456789") != length)
        return NULL;
    bool padded = length == 6 && g_str_has_prefix(text, "00") && g_str_has_suffix(text, "00");
    return padded || *text != '0' ? g_strdup(text) : NULL;
}

static char *canonical_resource_class(const char *text)
{
    g_autofree char *upper = g_ascii_strup(text, -1);
    bool valid = *upper && strspn(upper, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(upper);
    return valid ? g_steal_pointer(&upper) : NULL;
}

static bool skip_digits(const char **text)
{
    const char *start = *text;
    *text += strspn(*text, "0123456789");
    return *text > start;
}

/* "1.0", "1.0.3", "1.2a1", "1.2.3b4": a strict version of distutils. */
static bool is_strict_version(const char *text)
{
    if (!skip_digits(&text) || *text++ != '.' || !skip_digits(&text))
        return false;
    if (*text == '.') {
        text++;
        if (!skip_digits(&text))
            return false;
    }
    if (*text == 'a' || *text == 'b') {
        text++;
        if (!skip_digits(&text))
            return false;
    }
    return *text == '\0';
}

/* ">=1.0,!=1.3": comparisons with strict versions (distutils' version predicate). */
static char *canonical_version_predicate(const char *text)
{
    static const char *const operators[] = {"<", "<=", ">", ">=", "==", "!=", NULL};
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **part = parts; *part; part++) {
        char *version = g_strstrip(*part);
        g_autofree char *sign = g_strndup(version, strspn(version, "<>=!"));
        if (!g_strv_contains(operators, sign) || !is_strict_version(g_strchug(version + strlen(sign))))
            return NULL;
    }
    return *parts ? g_strdup(text) : NULL;
}

static char *canonical_ip_of(int family, const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    char buffer[INET6_ADDRSTRLEN];
    if (inet_pton(family, text, address) != 1 || !inet_ntop(family, address, buffer, sizeof(buffer)))
        return NULL;
    return g_strdup(buffer);
}

static char *canonical_ip4(const char *text)
{
    return canonical_ip_of(AF_INET, text);
}

static char *canonical_ip6(const char *text)
{
    return canonical_ip_of(AF_INET6, text);
}

static char *canonical_ip(const char *text)
{
    char *address = canonical_ip4(text);
    return address ? address : canonical_ip6(text);
}

static const struct {
    char *(*canonical)(const char *text);
    const char *reason;
} formats[] = {
    [NOVA_FORMAT_MAC] = {canonical_mac, "is no MAC address"},
    [NOVA_FORMAT_PCI_ADDRESS] = {canonical_pci_address, "is no PCI address"},
    [NOVA_FORMAT_USB_ADDRESS] = {canonical_usb_address, "is no USB address"},
    [NOVA_FORMAT_SCSI_ADDRESS] = {canonical_scsi_address, "is no SCSI address"},
    [NOVA_FORMAT_IDE_ADDRESS] = {canonical_ide_address, "is no IDE address"},
    [NOVA_FORMAT_XEN_ADDRESS] = {canonical_xen_address, "is no Xen device address"},
    [NOVA_FORMAT_RESOURCE_CLASS] = {canonical_resource_class, "is no resource class"},
    [NOVA_FORMAT_VERSION_PREDICATE] = {canonical_version_predicate, "is no version predicate"},
    [NOVA_FORMAT_IP] = {canonical_ip, "is no IP address"},
    [NOVA_FORMAT_IP4] = {canonical_ip4, "is no IPv4 address"},
    [NOVA_FORMAT_IP6] = {canonical_ip6, "is no IPv6 address"},
    [NOVA_FORMAT_VIF] = {NULL, NULL}, /* the last one: gives the table its size */
};

/* Other spellings that upstream reads. Enums in `lower_case` are read in any case. */
static const struct {
    const NovaEnum *enumeration;
    const char *from;
    const char *to;
} aliases[] = {
    {&nova_enum_architecture, "i386", "i686"},
    {&nova_enum_architecture, "i486", "i686"},
    {&nova_enum_architecture, "i586", "i686"},
    {&nova_enum_architecture, "x86_32", "i686"},
    {&nova_enum_architecture, "x86_32p", "i686"},
    {&nova_enum_architecture, "amd64", "x86_64"},
    {&nova_enum_hv_type, "xapi", "xen"},
    {&nova_enum_vm_mode, "pv", "xen"},
    {&nova_enum_vm_mode, "hv", "hvm"},
    {&nova_enum_vm_mode, "baremetal", "hvm"},
    {&nova_enum_scsi_model, "lsilogicsas", "lsisas1068"},
    {&nova_enum_scsi_model, "paravirtual", "vmpvscsi"},
    {&nova_enum_vif_model, "virtuale1000", "e1000"},
    {&nova_enum_vif_model, "virtuale1000e", "e1000e"},
    {&nova_enum_vif_model, "virtualpcnet32", "pcnet"},
    {&nova_enum_vif_model, "virtualsriovethernetcard", "sriov"},
    {&nova_enum_vif_model, "virtualvmxnet", "vmxnet"},
    {&nova_enum_vif_model, "virtualvmxnet3", "vmxnet3"},
    {&nova_enum_instance_power_state, "0", "pending"},
    {&nova_enum_instance_power_state, "1", "running"},
    {&nova_enum_instance_power_state, "3", "paused"},
    {&nova_enum_instance_power_state, "4", "shutdown"},
    {&nova_enum_instance_power_state, "6", "crashed"},
    {&nova_enum_instance_power_state, "7", "suspended"},
};

static const NovaEnum *const lower_case[] = {
    &nova_enum_architecture, &nova_enum_hv_type, &nova_enum_vm_mode, &nova_enum_scsi_model, &nova_enum_vif_model, &nova_enum_os_type,
};

static char *canonical_enum(const NovaEnum *enumeration, const char *text, bool newer)
{
    g_autofree char *value = g_strdup(text);
    for (guint i = 0; i < G_N_ELEMENTS(lower_case); i++) {
        if (lower_case[i] == enumeration) {
            g_free(value);
            value = g_ascii_strdown(text, -1);
        }
    }
    for (guint i = 0; i < G_N_ELEMENTS(aliases); i++)
        if (aliases[i].enumeration == enumeration && strcmp(aliases[i].from, value) == 0)
            return g_strdup(aliases[i].to);
    if (nova_enum_contains(enumeration, value, ND_RELEASE_LAST))
        return g_steal_pointer(&value);
    return newer ? g_strdup(text) : NULL;
}

char *nova_string_canonical(const NovaType *type, const char *text, bool newer, const char **reason)
{
    if (type->enumeration) {
        *reason = "is not one of its values";
        return canonical_enum(type->enumeration, text, newer);
    }
    if (!formats[type->format].canonical)
        return g_strdup(text);
    *reason = formats[type->format].reason;
    return formats[type->format].canonical(text);
}
