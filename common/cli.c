/* SPDX-License-Identifier: MIT
 *
 * cli: how every program begins and ends. See cli.h for the contract.
 */
#include "cli.h"

#include "call.h"
#include "lang.h"
#include "sock.h"
#include "stop.h"

#include <stdarg.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* -v: one line a call, as it returns; --explain: why, below it. */
static void show_call(const struct call *call, void *context)
{
    struct cli *c = context;
    struct out *o = &c->out;
    char text[CALL_TEXT], args[CALL_TEXT], why[CALL_TEXT] = "";
    if (c->common.explain)
        snprintf(why, sizeof why, "\n    %s%s%s", o->colour ? "\033[2m" : "",
                 _(call_explain(call)), o->colour ? "\033[0m" : "");
    out_begin(o, "call");
    out_text(o, "host", "local");
    out_int(o, "pid", getpid());
    out_text(o, "name", call_name(call));
    out_text(o, "args", call_args(call, args, sizeof args));
    out_int(o, "result", call->result);
    if (call->error != 0)
        out_text(o, "errno", call_errno_name(call->error));
    else
        out_null(o, "errno");
    out_uint(o, "begin_ns", call->begin_ns - o->start_ns);
    out_uint(o, "end_ns", call->end_ns - o->start_ns);
    if (c->common.explain)
        out_text(o, "explain", call_explain(call));
    out_end_talk(o, "%s%s", call_format(call, text, sizeof text), why);
}

static void print_help(const struct cli *c, const struct opt *table)
{
    printf(_("Usage: %s [OPTION]... %s\n%s\n\n"), c->program, c->operands,
           _(c->summary));
    opt_help(table, stdout);
    printf(_("\nSizes: K M G = 1000, Ki Mi Gi = 1024. Durations: us ms s m h.\n"
             "More: man %s\n"),
           c->program);
}

bool cli_begin(struct cli *c, const struct opt *table, int argc, char **argv,
               int *status)
{
    struct err e;
    out_fill_standard();
    lang_start();
    int first = opt_parse(table, argc, argv, &e);
    out_init(&c->out, c->program, first >= 0 && c->common.json,
             c->common.quiet);
    stop_init();
    *status = STATUS_OK;
    if (first < 0) {
        *status = cli_fail(c, &e);
        return false;
    }
    if (c->common.help) {
        print_help(c, table);
        *status = cli_end(c, STATUS_OK);
        return false;
    }
    if (c->common.version) {
        printf(_("%s (Wirelab) %s\nLicense MIT. There is no warranty.\n"),
               c->program, WIRELAB_VERSION);
        *status = cli_end(c, STATUS_OK);
        return false;
    }
    if (c->common.ipv4 && c->common.ipv6) {
        *status = cli_usage(c, "-4 and -6 exclude each other");
        return false;
    }
    if (c->common.calls || c->common.explain)
        sock_observe(show_call, c);
    c->argc = argc - first;
    c->argv = argv + first;
    return true;
}

/* The kernel's default, or "" where it does not say. */
static void congestion_control(char *buf, size_t cap)
{
    buf[0] = '\0';
    FILE *f = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "r");
    if (f == NULL)
        return;
    if (fgets(buf, (int)cap, f) == NULL)
        buf[0] = '\0';
    buf[strcspn(buf, "\n")] = '\0';
    fclose(f);
}

/* "idle-timeout" as a field: "idle_timeout_ns"; "bytes" has its unit. */
static void option_field(struct out *out, const struct opt *o)
{
    char key[48];
    const char *unit = o->read == opt_duration ? "_ns"
                       : o->read == opt_size   ? "_bytes"
                       : o->read == opt_rate   ? "_bps"
                                               : "";
    bool has_unit = strcmp(o->name, "bytes") == 0;
    snprintf(key, sizeof key, "%s%s", o->name, has_unit ? "" : unit);
    for (char *p = key; *p != '\0'; p++)
        if (*p == '-')
            *p = '_';
    if (o->read == opt_flag || o->read == opt_off)
        out_bool(out, key, *(bool *)o->value);
    else if (o->read == opt_text && *(const char **)o->value != NULL)
        out_text(out, key, *(const char **)o->value);
    else if (o->read == opt_text)
        out_null(out, key);
    else if (o->read == opt_percent)
        out_uint(out, key, *(uint32_t *)o->value);
    else if (o->read == opt_number || *unit != '\0')
        out_uint(out, key, *(uint64_t *)o->value);
}

void cli_start(struct cli *c, const struct opt *table, char **argv)
{
    struct out *o = &c->out;
    struct utsname kernel;
    char congestion[64];
    size_t args = 0;
    if (!o->json)
        return;
    while (argv[args] != NULL)
        args++;
    congestion_control(congestion, sizeof congestion);
    out_begin(o, "start");
    out_text(o, "program", c->program);
    out_text(o, "version", WIRELAB_VERSION);
    out_list(o, "args", (const char *const *)argv, args);
    if (uname(&kernel) == 0)
        out_text(o, "kernel", kernel.release);
    out_text(o, "congestion_control", congestion);
    for (; table->name != NULL; table++)
        if (table->value != &c->common.help &&
            table->value != &c->common.version)
            option_field(o, table);
    out_end(o, NULL);
}

int cli_fail(struct cli *c, const struct err *e)
{
    out_error(&c->out, e);
    if (e->status == STATUS_USAGE)
        out_say(&c->out, "try '%s --help'", c->program);
    return e->status;
}

int cli_usage(struct cli *c, const char *format, ...)
{
    struct err e;
    char text[256];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, _(format), ap);
    va_end(ap);
    err_set(&e, STATUS_USAGE, "%s", text);
    return cli_fail(c, &e);
}

int cli_family(const struct cli *c)
{
    return c->common.ipv4 ? AF_INET : c->common.ipv6 ? AF_INET6 : AF_UNSPEC;
}

int cli_end(struct cli *c, int status)
{
    struct err e;
    if (status != STATUS_OK) /* one error is enough to say */
        return status;
    if (out_check(&c->out, &e) < 0)
        return cli_fail(c, &e);
    if (fflush(stdout) == 0 && !ferror(stdout)) /* --help, --models */
        return STATUS_OK;
    err_sys(&e, "write stdout");
    return cli_fail(c, &e);
}
