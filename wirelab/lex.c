/* SPDX-License-Identifier: MIT
 *
 * lex: the words of an expectation. See lex.h for the contract.
 */
#include "lex.h"

#include "lang.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r";
static const char word_bytes[] = "abcdefghijklmnopqrstuvwxyz"
                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_+-.";

static void skip_blanks(struct lex *l)
{
    l->rest += strspn(l->rest, blanks);
    if (*l->rest == '#')
        l->rest += strcspn(l->rest, "\n");
}

/* How long the string is whose opening quote is at AT, with both quotes; 0 if
 * it has no end on its line. */
static size_t string_len(const char *at)
{
    const char *end = at + 1;
    while (*end != '"' && *end != '\0' && *end != '\n')
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    return *end == '"' ? (size_t)(end - at) + 1 : 0;
}

static struct token token_at(const char *at)
{
    size_t n;
    switch (*at) {
    case '\0':
        return (struct token){TOKEN_END, at, 0};
    case ';':
    case '\n':
        return (struct token){TOKEN_SEPARATOR, at, 1};
    case ',':
        return (struct token){TOKEN_COMMA, at, 1};
    case '&':
        return (struct token){TOKEN_AND, at, 1};
    case ':':
        return (struct token){TOKEN_COLON, at, 1};
    case '=':
        return (struct token){TOKEN_COMPARE, at, 1};
    case '<':
    case '>':
        return (struct token){TOKEN_COMPARE, at, at[1] == '=' ? 2 : 1};
    case '!':
        if (at[1] == '=')
            return (struct token){TOKEN_COMPARE, at, 2};
        break;
    case '"':
        n = string_len(at);
        return n > 0 ? (struct token){TOKEN_STRING, at, n}
                     : (struct token){TOKEN_BAD, at, strcspn(at, "\n")};
    default:
        n = strspn(at, word_bytes);
        if (n > 0)
            return (struct token){TOKEN_WORD, at, n};
    }
    return (struct token){TOKEN_BAD, at, 1};
}

void lex_next(struct lex *l)
{
    l->last = l->now.at + l->now.len;
    if (l->now.kind == TOKEN_SEPARATOR && *l->now.at == '\n')
        l->line++;
    skip_blanks(l);
    l->now = token_at(l->rest);
    l->rest += l->now.len;
}

void lex_begin(struct lex *l, const char *name, const char *text)
{
    *l = (struct lex){.now = {.at = text},
                      .rest = text,
                      .name = name,
                      .line = 1,
                      .many_lines = strchr(text, '\n') != NULL};
    lex_next(l);
}

bool lex_is(const struct lex *l, const char *word)
{
    return l->now.kind == TOKEN_WORD && strlen(word) == l->now.len &&
           memcmp(word, l->now.at, l->now.len) == 0;
}

bool lex_take(struct lex *l, const char *word)
{
    if (!lex_is(l, word))
        return false;
    lex_next(l);
    return true;
}

bool lex_number(struct lex *l, uint64_t *n)
{
    if (l->now.kind != TOKEN_WORD || l->now.len > 18)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < l->now.len; i++) {
        if (!isdigit((unsigned char)l->now.at[i]))
            return false;
        value = value * 10 + (uint64_t)(l->now.at[i] - '0');
    }
    *n = value;
    lex_next(l);
    return true;
}

/* Reads what stands behind a backslash; false if it is no escape. */
static bool unescape(const char **at, char *byte)
{
    static const char letters[] = "ntr0\\\"";
    static const char bytes[] = "\n\t\r\0\\\"";
    char c = *(*at)++;
    const char *found = memchr(letters, c, sizeof letters - 1);
    if (found != NULL) {
        *byte = bytes[found - letters];
        return true;
    }
    if (c != 'x' || !isxdigit((unsigned char)(*at)[0]) ||
        !isxdigit((unsigned char)(*at)[1]))
        return false;
    char hex[3] = {(*at)[0], (*at)[1], '\0'};
    *byte = (char)strtoul(hex, NULL, 16);
    *at += 2;
    return true;
}

int lex_string(struct lex *l, char *buf, size_t cap, size_t *len, struct err *e)
{
    if (l->now.kind != TOKEN_STRING)
        return lex_refuse(l, e, N_("a text in quotes: \"hello\\n\""));
    const char *at = l->now.at + 1, *end = l->now.at + l->now.len - 1;
    *len = 0;
    while (at < end) {
        char byte = *at++;
        if (byte == '\\' && !unescape(&at, &byte))
            return lex_refuse(l, e,
                              N_("a text: its escapes are \\n \\t \\r \\0 \\\\ "
                                 "\\\" \\xNN"));
        if (*len == cap)
            return lex_refuse(l, e, N_("a text that is short enough"));
        buf[(*len)++] = byte;
    }
    lex_next(l);
    return 0;
}

int lex_refuse(const struct lex *l, struct err *e, const char *allowed)
{
    char where[128];
    if (l->many_lines)
        snprintf(where, sizeof where, _("%.100s: line %u"), l->name, l->line);
    else
        snprintf(where, sizeof where, "%.100s", l->name);
    bool is_end = l->now.kind == TOKEN_END || l->now.kind == TOKEN_SEPARATOR;
    if (is_end)
        return err_set(e, STATUS_USAGE, "%s: missing at the end: %s", where,
                       _(allowed));
    return err_set(e, STATUS_USAGE, "%s: '%.*s' is not %s", where,
                   (int)(l->now.len < 40 ? l->now.len : 40), l->now.at,
                   _(allowed));
}
