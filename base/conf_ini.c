/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "base/conf_ini.h"

#include "base/error.h"

/* Where the parser stands. */
typedef struct {
    NdIniFile *file;
    char *section; /* NULL before the first one; owned */
    char *key;     /* of the assignment that may still be continued, or NULL */
    GString *value;
    int key_line;
    int line;
} Parser;

/* The white space of Python's str.strip(). */
static bool is_space(gunichar c)
{
    return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

static const char *skip_space(const char *from, const char *end)
{
    while (from < end && is_space(g_utf8_get_char(from)))
        from = g_utf8_next_char(from);
    return from;
}

static const char *cut_space(const char *from, const char *end)
{
    while (end > from && is_space(g_utf8_get_char(g_utf8_prev_char(end))))
        end = g_utf8_prev_char(end);
    return end;
}

char *nd_ini_strip(const char *text, gssize length)
{
    const char *end = text + (length < 0 ? (gssize)strlen(text) : length);
    const char *start = skip_space(text, end);
    end = cut_space(start, end);
    return g_strndup(start, (size_t)(end - start));
}

char *nd_ini_normalise_section(const char *section)
{
    return g_str_equal(section, "DEFAULT") ? g_strdup(section) : g_utf8_strdown(section, -1);
}

static void entry_free(NdIniEntry *entry)
{
    g_free(entry->section);
    g_free(entry->key);
    g_free(entry->value);
    g_free(entry);
}

static char *index_key(const char *section, const char *key)
{
    return g_strconcat(section, "\037", key, NULL);
}

static NdIniFile *ini_new(const char *path)
{
    NdIniFile *file = g_new0(NdIniFile, 1);
    file->path = g_strdup(path);
    file->entries = g_ptr_array_new_with_free_func((GDestroyNotify)entry_free);
    file->sections = g_ptr_array_new_with_free_func(g_free);
    file->index = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    return file;
}

void nd_ini_free(NdIniFile *file)
{
    if (file == NULL)
        return;
    g_free(file->path);
    g_ptr_array_unref(file->entries);
    g_ptr_array_unref(file->sections);
    g_hash_table_unref(file->index);
    g_free(file);
}

const GPtrArray *nd_ini_values(const NdIniFile *file, const char *section, const char *key)
{
    g_autofree char *name = index_key(section, key);
    return g_hash_table_lookup(file->index, name);
}

static bool fail(const Parser *parser, const char *why, GError **error)
{
    g_set_error(error, ND_ERROR, ND_ERROR_CONFIG, "%s:%d: %s", parser->file->path, parser->line, why);
    return false;
}

/* Stores the assignment that was read so far, if there is one. */
static bool flush(Parser *parser, GError **error)
{
    if (parser->key == NULL)
        return true;
    if (parser->section == NULL)
        return fail(parser, "a section must be started before the first assignment", error);
    NdIniEntry *entry = g_new0(NdIniEntry, 1);
    entry->section = g_strdup(parser->section);
    entry->key = g_steal_pointer(&parser->key);
    entry->value = g_strdup(parser->value->str);
    entry->line = parser->key_line;
    g_ptr_array_add(parser->file->entries, entry);

    char *name = index_key(entry->section, entry->key);
    GPtrArray *values = g_hash_table_lookup(parser->file->index, name);
    if (values == NULL) {
        values = g_ptr_array_new();
        g_hash_table_insert(parser->file->index, name, values);
    } else {
        g_free(name);
    }
    g_ptr_array_add(values, entry);
    return true;
}

static bool start_section(Parser *parser, const char *line, const char *end, GError **error)
{
    if (end[-1] != ']')
        return fail(parser, "a section must end with ']'", error);
    if (end - line <= 2)
        return fail(parser, "the section's name is empty", error);
    g_autofree char *name = g_strndup(line + 1, (size_t)(end - line) - 2);
    g_free(parser->section);
    parser->section = nd_ini_normalise_section(name);
    if (!g_ptr_array_find_with_equal_func(parser->file->sections, parser->section, g_str_equal, NULL))
        g_ptr_array_add(parser->file->sections, g_strdup(parser->section));
    return true;
}

static bool start_assignment(Parser *parser, const char *line, const char *end, GError **error)
{
    const char *split = line;
    while (split < end && *split != '=' && *split != ':')
        split++;
    if (split == end)
        return fail(parser, "no '=' or ':' in an assignment", error);

    g_autofree char *key = nd_ini_strip(line, split - line);
    if (*key == '\0')
        return fail(parser, "the key of an assignment is empty", error);
    g_autofree char *value = nd_ini_strip(split + 1, end - split - 1);
    size_t length = strlen(value);
    /* One pair of quotes goes; a lone quote is its own pair. */
    bool quoted = length > 0 && (value[0] == '"' || value[0] == '\'') && value[length - 1] == value[0];

    parser->key = g_steal_pointer(&key);
    parser->key_line = parser->line;
    g_string_truncate(parser->value, 0);
    if (!quoted)
        g_string_append(parser->value, value);
    else if (length > 2)
        g_string_append_len(parser->value, value + 1, (gssize)length - 2);
    return true;
}

static bool parse_line(Parser *parser, const char *line, const char *end, GError **error)
{
    end = cut_space(line, end);
    if (line == end)
        return flush(parser, error);
    if (*line == ' ' || *line == '\t') {
        if (parser->key == NULL)
            return fail(parser, "a continuation line that continues nothing", error);
        line = skip_space(line, end);
        g_string_append_c(parser->value, '\n');
        g_string_append_len(parser->value, line, end - line);
        return true;
    }
    if (!flush(parser, error))
        return false;
    if (*line == '[')
        return start_section(parser, line, end, error);
    if (*line == '#' || *line == ';')
        return true;
    return start_assignment(parser, line, end, error);
}

/* Lines end as Python's universal newlines do: \n, \r\n or \r. */
static bool parse_lines(Parser *parser, const char *text, const char *text_end, GError **error)
{
    while (text < text_end) {
        const char *end = text;
        while (end < text_end && *end != '\n' && *end != '\r')
            end++;
        parser->line++;
        if (!parse_line(parser, text, end, error))
            return false;
        if (end < text_end)
            end += end[0] == '\r' && end + 1 < text_end && end[1] == '\n' ? 2 : 1;
        text = end;
    }
    return flush(parser, error);
}

NdIniFile *nd_ini_parse(const char *path, const char *text, size_t length, int *line, GError **error)
{
    g_autoptr(NdIniFile) file = ini_new(path);
    g_autoptr(GString) value = g_string_new(NULL);
    Parser parser = {.file = file, .value = value};
    const char *bad = NULL;
    bool ok;
    if (g_utf8_validate_len(text, length, &bad)) {
        ok = parse_lines(&parser, text, text + length, error);
    } else {
        for (const char *c = text; c < bad; c++)
            parser.line += *c == '\n';
        parser.line++;
        ok = fail(&parser, "not UTF-8 text", error);
    }
    g_free(parser.section);
    g_free(parser.key);
    if (line != NULL)
        *line = parser.line;
    return ok ? g_steal_pointer(&file) : NULL;
}
