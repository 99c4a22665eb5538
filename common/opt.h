/* SPDX-License-Identifier: MIT
 *
 * opt: the command line. An option is a row of a table; its type is the
 * function that reads its argument, within the row's bounds. There is no atoi:
 * trailing junk, a sign, a blank or a number out of range is refused by name.
 * Read next: out.h.
 */
#ifndef WIRELAB_OPT_H
#define WIRELAB_OPT_H

#include "err.h"
#include "lang.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct opt;

/* Reads TEXT (NULL for an option without argument) into *opt->value.
 * Returns 0, or -1 and *e, which says what is allowed. */
typedef int opt_read_fn(const char *text, const struct opt *opt, struct err *e);

struct opt {
    const char *name;    /* long name, without "--" */
    char letter;         /* short name, or 0 */
    const char *metavar; /* what the argument is called in --help, or NULL */
    opt_read_fn *read;
    void *value;       /* what *read fills; its type is below */
    uint64_t min, max; /* bounds, both allowed; max 0 means no bound */
    const char *help;  /* one line for --help; NULL hides the row */
};

opt_read_fn opt_flag;   /* bool: set to true */
opt_read_fn opt_off;    /* bool: set to false */
opt_read_fn opt_text;   /* const char *, which points into argv */
opt_read_fn opt_number; /* uint64_t: decimal digits */
opt_read_fn opt_size;   /* uint64_t bytes: 64, 64K (1000), 64Ki, M, G, Mi, Gi */
opt_read_fn opt_duration; /* uint64_t ns: 250us, 10ms, 1.5s, 2m, 1h; 2 is 2 s */
opt_read_fn opt_rate;     /* uint64_t bit/s: 10mbit, 1gbit, 800kbit, 9600bit */
opt_read_fn opt_lang;     /* no value: from this option on, lang_choose */
opt_read_fn opt_percent;  /* uint32_t: 1000 = 1 %; "5%", "0.1%" */

/* Ends a table. */
#define OPT_END                                                                \
    {                                                                          \
        0                                                                      \
    }

/* The options that every program has, as rows of its own table. */
struct opt_common {
    bool ipv4, ipv6; /* -4, -6; both false: either */
    bool calls;      /* -v: show each system call */
    bool explain;    /* --explain: show it and say why */
    bool json, quiet;
    bool help, version;
};
#define OPT_COMMON(c)                                                          \
    {.name = "ipv4",                                                           \
     .letter = '4',                                                            \
     .read = opt_flag,                                                         \
     .value = &(c)->ipv4,                                                      \
     .help = N_("use IPv4 only")},                                             \
        {.name = "ipv6",                                                       \
         .letter = '6',                                                        \
         .read = opt_flag,                                                     \
         .value = &(c)->ipv6,                                                  \
         .help = N_("use IPv6 only")},                                         \
        {.name = "verbose",                                                    \
         .letter = 'v',                                                        \
         .read = opt_flag,                                                     \
         .value = &(c)->calls,                                                 \
         .help = N_("show each system call")},                                 \
        {.name = "explain",                                                    \
         .read = opt_flag,                                                     \
         .value = &(c)->explain,                                               \
         .help = N_("show each system call and say why")},                     \
        {.name = "json",                                                       \
         .read = opt_flag,                                                     \
         .value = &(c)->json,                                                  \
         .help = N_("print NDJSON events on stdout")},                         \
        {.name = "quiet",                                                      \
         .read = opt_flag,                                                     \
         .value = &(c)->quiet,                                                 \
         .help = N_("print no event log and no remarks")},                     \
        {.name = "lang",                                                       \
         .metavar = "NAME",                                                    \
         .read = opt_lang,                                                     \
         .help = N_("the language of what people read: en, zh_CN")},           \
        {.name = "help",                                                       \
         .letter = 'h',                                                        \
         .read = opt_flag,                                                     \
         .value = &(c)->help,                                                  \
         .help = N_("print this help and exit")},                              \
    {                                                                          \
        .name = "version", .read = opt_flag, .value = &(c)->version,           \
        .help = N_("print the version and exit")                               \
    }

/* Reads argv by the table (getopt_long(3): operands may stand anywhere, "--"
 * ends the options). Returns the index of the first operand; argv is
 * permuted. On failure -1 and *e with STATUS_USAGE. */
int opt_parse(const struct opt *table, int argc, char **argv, struct err *e);

/* Prints the table as --help does, one option a row, to the stream TO. */
void opt_help(const struct opt *table, FILE *to);

/* One number out of TEXT, without a table: 0, or -1 and *e. WHAT names it. */
int opt_parse_number(const char *text, const char *what, uint64_t min,
                     uint64_t max, uint64_t *value, struct err *e);

#endif
