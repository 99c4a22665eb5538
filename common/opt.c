/* SPDX-License-Identifier: MIT
 *
 * opt: the command line as a table. See opt.h for the contract; getopt_long(3)
 * does the splitting.
 */
#include "opt.h"

#include "clock.h"

#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The longest table of any program. */
#define MAX_OPTIONS 80

static size_t table_len(const struct opt *table)
{
    size_t n = 0;
    while (table[n].name != NULL)
        n++;
    return n < MAX_OPTIONS ? n : MAX_OPTIONS;
}

/* "--count", for messages. */
static int refuse(struct err *e, const struct opt *o, const char *text,
                  const char *allowed)
{
    return err_set(e, STATUS_USAGE, "--%s '%.64s': %s", o->name, text, allowed);
}

static bool in_bounds(const struct opt *o, uint64_t value)
{
    return value >= o->min && (o->max == 0 || value <= o->max);
}

int opt_flag(const char *text, const struct opt *o, struct err *e)
{
    (void)text, (void)e; /* a flag has no argument that could be wrong */
    *(bool *)o->value = true;
    return 0;
}

int opt_lang(const char *text, const struct opt *o, struct err *e)
{
    (void)o;
    return lang_choose(text, e);
}

int opt_off(const char *text, const struct opt *o, struct err *e)
{
    (void)text, (void)e;
    *(bool *)o->value = false;
    return 0;
}

int opt_text(const char *text, const struct opt *o, struct err *e)
{
    (void)e;
    *(const char **)o->value = text;
    return 0;
}

/* Decimal digits and nothing before them: 0 and *end behind them; 1 if they are
 * too large a number; or -1. */
static int read_digits(const char *text, uint64_t *value, const char **end)
{
    if (!isdigit((unsigned char)text[0]))
        return -1;
    errno = 0;
    char *stop;
    *value = strtoull(text, &stop, 10);
    *end = stop;
    return errno == ERANGE;
}

int opt_parse_number(const char *text, const char *what, uint64_t min,
                     uint64_t max, uint64_t *value, struct err *e)
{
    const char *end;
    if (read_digits(text, value, &end) == 0 && *end == '\0' && *value >= min &&
        *value <= max)
        return 0;
    if (max == UINT64_MAX)
        return err_set(e, STATUS_USAGE,
                       "%s '%.64s': not a number from %" PRIu64 " up", what,
                       text, min);
    return err_set(e, STATUS_USAGE,
                   "%s '%.64s': not a number from %" PRIu64 " to %" PRIu64,
                   what, text, min, max);
}

int opt_number(const char *text, const struct opt *o, struct err *e)
{
    char what[40];
    snprintf(what, sizeof what, "--%s", o->name);
    return opt_parse_number(text, what, o->min,
                            o->max != 0 ? o->max : UINT64_MAX, o->value, e);
}

/* A unit and how much it is. */
struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit size_units[] = {
    {"", 1},          {"K", 1000},       {"M", 1000000},   {"Ki", 1 << 10},
    {"Mi", 1 << 20},  {"G", 1000000000}, {"Gi", 1 << 30},  {"KiB", 1 << 10},
    {"MiB", 1 << 20}, {"B", 1},          {"GiB", 1 << 30}, {NULL, 0},
};
static const struct unit duration_units[] = {
    {"", CLOCK_S},         {"ns", 1},      {"us", CLOCK_US},
    {"ms", CLOCK_MS},      {"s", CLOCK_S}, {"m", 60 * CLOCK_S},
    {"h", 3600 * CLOCK_S}, {NULL, 0},
};
static const struct unit rate_units[] = {
    {"bit", 1},           {"kbit", 1000}, {"mbit", 1000000},
    {"gbit", 1000000000}, {NULL, 0},
};
static const struct unit percent_units[] = {
    {"%", 1000},
    {NULL, 0},
};

/* "1.5" and a unit, exactly: digits, at most nine decimals, a known unit.
 * Returns 0, -1 if it is none of these, or 1 if it is too large. */
static int read_quantity(const char *text, const struct unit *units,
                         uint64_t *value)
{
    uint64_t whole;
    const char *end;
    int digits = read_digits(text, &whole, &end);
    if (digits < 0)
        return -1;
    uint64_t fraction = 0, scale = 1;
    if (*end == '.') {
        end++;
        for (; isdigit((unsigned char)*end); end++) {
            if (scale >= CLOCK_S)
                return -1;
            fraction = fraction * 10 + (uint64_t)(*end - '0');
            scale *= 10;
        }
        if (scale == 1)
            return -1;
    }
    while (units->name != NULL && strcmp(units->name, end) != 0)
        units++;
    if (units->name == NULL)
        return -1;
    if (digits > 0 || whole > UINT64_MAX / 2 / units->factor)
        return 1;
    /* A factor is at most 3.6e12 and a fraction below 1e9: split it so that
     * the product stays in 64 bits. */
    uint64_t part = units->factor / scale * fraction +
                    units->factor % scale * fraction / scale;
    *value = whole * units->factor + part;
    return 0;
}

/* The value as its option writes it, for messages about bounds. */
static void write_quantity(uint64_t value, const struct unit *units, char *buf,
                           size_t cap)
{
    const struct unit *best = NULL;
    for (; units->name != NULL; units++)
        if (units->name[0] != '\0' && value % units->factor == 0 &&
            (best == NULL || units->factor > best->factor) &&
            (units->factor == 1 || value != 0))
            best = units;
    if (best == NULL)
        snprintf(buf, cap, "%" PRIu64, value);
    else
        snprintf(buf, cap, "%" PRIu64 "%s", value / best->factor,
                 strcmp(best->name, "B") == 0 ? "" : best->name);
}

static int read_unit_option(const char *text, const struct opt *o,
                            const struct unit *units, const char *allowed,
                            uint64_t *value, struct err *e)
{
    int read = read_quantity(text, units, value);
    if (read != 0)
        return refuse(e, o, text, read < 0 ? allowed : _("too large"));
    if (in_bounds(o, *value))
        return 0;
    char min[32], max[32];
    write_quantity(o->min, units, min, sizeof min);
    write_quantity(o->max, units, max, sizeof max);
    if (o->max == 0)
        return err_set(e, STATUS_USAGE, "--%s '%.64s': must be at least %s",
                       o->name, text, min);
    return err_set(e, STATUS_USAGE, "--%s '%.64s': must be from %s to %s",
                   o->name, text, min, max);
}

int opt_size(const char *text, const struct opt *o, struct err *e)
{
    return read_unit_option(text, o, size_units,
                            _("not a size such as 1400, 64K, 64Ki or 2M"),
                            o->value, e);
}

int opt_duration(const char *text, const struct opt *o, struct err *e)
{
    return read_unit_option(text, o, duration_units,
                            _("not a duration such as 250us, 20ms, 1.5s or 2m"),
                            o->value, e);
}

int opt_rate(const char *text, const struct opt *o, struct err *e)
{
    return read_unit_option(text, o, rate_units,
                            _("not a rate such as 800kbit, 10mbit or 1gbit"),
                            o->value, e);
}

int opt_percent(const char *text, const struct opt *o, struct err *e)
{
    uint64_t value;
    const char *allowed = _("not a percentage such as 5%, from 0% to 100%");
    if (read_unit_option(text, o, percent_units, allowed, &value, e) < 0)
        return -1;
    if (value > 100000)
        return refuse(e, o, text, allowed);
    *(uint32_t *)o->value = (uint32_t)value;
    return 0;
}

/* getopt_long(3)'s two descriptions of the table. An option's val is its
 * letter, or 256 and its index. */
static void describe(const struct opt *table, size_t n, struct option *longs,
                     char *shorts)
{
    *shorts++ = ':'; /* a missing argument is told apart; we print it */
    for (size_t i = 0; i < n; i++) {
        bool has_arg = table[i].metavar != NULL;
        longs[i] = (struct option){.name = table[i].name,
                                   .has_arg = has_arg ? required_argument
                                                      : no_argument,
                                   .val = 256 + (int)i};
        if (table[i].letter == 0)
            continue;
        *shorts++ = table[i].letter;
        if (has_arg)
            *shorts++ = ':';
    }
    longs[n] = (struct option){0};
    *shorts = '\0';
}

static const struct opt *find_letter(const struct opt *table, int letter)
{
    for (; table->name != NULL; table++)
        if (table->letter != 0 && table->letter == letter)
            return table;
    return NULL;
}

int opt_parse(const struct opt *table, int argc, char **argv, struct err *e)
{
    struct option longs[MAX_OPTIONS + 1];
    char shorts[2 * MAX_OPTIONS + 2];
    size_t n = table_len(table);
    describe(table, n, longs, shorts);

    optind = 0; /* not 1: it also forgets a line read before (getopt(3)) */
    opterr = 0;
    int c;
    while ((c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (c == ':')
            return err_set(e, STATUS_USAGE, "option '%.64s' needs an argument",
                           argv[optind - 1]);
        const struct opt *o =
            c >= 256 ? &table[c - 256] : find_letter(table, c);
        if (o == NULL && optopt >= 256)
            return err_set(e, STATUS_USAGE, "option '--%s' takes no argument",
                           table[optopt - 256].name);
        if (o == NULL && optopt != 0)
            return err_set(e, STATUS_USAGE, "unknown option '-%c'", optopt);
        if (o == NULL)
            return err_set(e, STATUS_USAGE, "unknown option '%.64s'",
                           argv[optind - 1]);
        if (o->read(optarg, o, e) < 0)
            return -1;
    }
    return optind;
}

void opt_help(const struct opt *table, FILE *to)
{
    for (; table->name != NULL; table++) {
        if (table->help == NULL)
            continue;
        char left[48], letter[6] = "    ";
        if (table->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", table->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, table->name,
                 table->metavar != NULL ? " " : "",
                 table->metavar != NULL ? table->metavar : "");
        fprintf(to, "  %-29s %s\n", left, _(table->help));
    }
}
