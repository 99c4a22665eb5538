/* SPDX-License-Identifier: MIT
 *
 * vary: numbers of each student's own. See vary.h for the contract.
 */
#include "vary.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VARY_MAX 16
#define NAME_LEN 31

struct number {
    char name[NAME_LEN + 1];
    uint64_t value;
};

struct vary {
    const char *path, *lab, *student;
    struct number number[VARY_MAX];
    size_t numbers;
    struct err *e;
};

/* FNV-1a: the IETF's draft-eastlake-fnv. */
static uint64_t hash(uint64_t h, const char *text)
{
    for (const char *c = text;; c++) {
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
        if (*c == '\0')
            return h; /* the end counts too: "a", "bc" is not "ab", "c" */
    }
}

static uint64_t draw(const struct vary *v, const char *name, uint64_t low,
                     uint64_t high)
{
    if (v->student == NULL)
        return low;
    uint64_t h = hash(UINT64_C(0xcbf29ce484222325), v->student);
    h = hash(hash(h, v->lab), name);
    h ^= h >> 32; /* its low bits alone are a poor draw */
    return low + h % (high - low + 1);
}

/* "vary NAME LOW-HIGH", in line LINE. */
static int read_number(struct vary *v, const char *at, unsigned line)
{
    char name[NAME_LEN + 1];
    uint64_t low, high;
    int end = 0;
    if (sscanf(at, "vary %31[a-z] %9" SCNu64 "-%9" SCNu64 " %n", name, &low,
               &high, &end) != 3 ||
        high < low || (at[end - 1] != '\n' && at[end] != '\0'))
        return err_set(v->e, STATUS_USAGE,
                       "%s: line %u: '%.*s' is not as in 'vary lost 2-5': a "
                       "word of small letters, the lowest number, the highest",
                       v->path, line, (int)strcspn(at, "\n"), at);
    if (v->numbers == VARY_MAX)
        return err_set(v->e, STATUS_USAGE, "%s: line %u: at most %d of these",
                       v->path, line, VARY_MAX);
    struct number *n = &v->number[v->numbers++];
    memcpy(n->name, name, sizeof name);
    n->value = draw(v, name, low, high);
    return 0;
}

static int read_numbers(struct vary *v, const char *text)
{
    unsigned line = 1;
    for (const char *at = text; *at != '\0'; line++) {
        if (strncmp(at, "vary ", 5) == 0 && read_number(v, at, line) < 0)
            return -1;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    return 0;
}

/* Is this a {NAME} or {NAME+NUMBER}? Its length, else 0: braces are the
 * shell's too. */
static size_t reference(const char *at, char *name, uint64_t *plus)
{
    int end = 0;
    *plus = 0;
    if (sscanf(at, "{%31[a-z]}%n", name, &end) == 1 && end > 0)
        return (size_t)end;
    if (sscanf(at, "{%31[a-z]+%9" SCNu64 "}%n", name, plus, &end) == 2 &&
        end > 0)
        return (size_t)end;
    return 0;
}

static int fill_in(struct vary *v, const char *text, FILE *to)
{
    unsigned line = 1;
    for (const char *at = text; *at != '\0';) {
        char name[NAME_LEN + 1];
        uint64_t plus;
        size_t len = *at == '{' ? reference(at, name, &plus) : 0, i = 0;
        line += *at == '\n';
        if (len == 0) {
            fputc(*at++, to);
            continue;
        }
        while (i < v->numbers && strcmp(v->number[i].name, name) != 0)
            i++;
        if (i == v->numbers)
            return err_set(v->e, STATUS_USAGE,
                           "%s: line %u: '%.*s' is not explained by a line "
                           "such as 'vary %s 2-5'",
                           v->path, line, (int)len, at, name);
        fprintf(to, "%" PRIu64, v->number[i].value + plus);
        at += len;
    }
    return 0;
}

char *vary_text(const char *text, const char *path, const char *lab,
                const char *student, struct err *e)
{
    struct vary v = {.path = path, .lab = lab, .student = student, .e = e};
    char *filled = NULL;
    size_t size;
    if (read_numbers(&v, text) < 0)
        return NULL;
    FILE *to = open_memstream(&filled, &size);
    if (to == NULL) {
        err_sys(e, "memory for %s", path);
        return NULL;
    }
    int good = fill_in(&v, text, to);
    if (fclose(to) == EOF && good == 0)
        good = err_sys(e, "memory for %s", path);
    if (good == 0)
        return filled;
    free(filled);
    return NULL;
}
