/* SPDX-License-Identifier: MIT
 *
 * settings: wirelab's command line. See settings.h for the contract.
 */
#include "settings.h"

#include "clock.h"
#include "lang.h"
#include "opt.h"
#include "rule.h"

#include <string.h>

int settings_init(struct settings *s, struct err *e)
{
    *s = (struct settings){
        .lab = {.link = {.congestion = "reno"},
                .wait_ns = 10 * CLOCK_S,
                .drain_ns = 3 * CLOCK_S,
                .limit_ns = 60 * CLOCK_S,
                .interactive = -1},
        .mtu = 1500,
        .demo = "tcp",
        .lanes = LANE_DEFAULT,
    };
    s->fault = s->lab.fault = fault_new(e);
    s->expect = expect_new(e);
    return s->fault == NULL || s->expect == NULL ? -1 : 0;
}

void settings_free(struct settings *s)
{
    fault_free(s->fault);
    expect_free(s->expect);
}

/* --- readers of this program's own kinds of argument --------------------- */

static int add_command(struct lab_options *o, enum host_id host,
                       const char *text, struct err *e)
{
    if (*text == '\0')
        return err_set(e, STATUS_USAGE, "--%s: an empty command",
                       host_name(host));
    if (o->commands[host] == LAB_PROGRAMS)
        return err_set(e, STATUS_USAGE, "--%s: at most %d programs",
                       host_name(host), LAB_PROGRAMS);
    o->command[host][o->commands[host]++] = text;
    return 0;
}

static int read_client(const char *text, const struct opt *o, struct err *e)
{
    return add_command(o->value, HOST_CLIENT, text, e);
}

static int read_server(const char *text, const struct opt *o, struct err *e)
{
    return add_command(o->value, HOST_SERVER, text, e);
}

static int read_start(const char *text, const struct opt *o, struct err *e)
{
    bool *together = o->value;
    *together = strcmp(text, "together") == 0;
    if (*together || strcmp(text, "ready") == 0)
        return 0;
    return err_set(e, STATUS_USAGE,
                   "--start '%.64s': either ready (when a server listens) or "
                   "together (at once)",
                   text);
}

static int read_host(const char *text, const struct opt *o, struct err *e)
{
    enum host_id host;
    if (!rule_read_host(text, strlen(text), &host))
        return err_set(e, STATUS_USAGE, "--%s '%.64s': either client or server",
                       o->name, text);
    *(int *)o->value = (int)host;
    return 0;
}

static int read_kill(const char *text, const struct opt *o, struct err *e)
{
    struct lab_options *lab = o->value;
    size_t len = strcspn(text, "@");
    if (lab->kills == LAB_KILLS)
        return err_set(e, STATUS_USAGE, "--kill: at most %d times", LAB_KILLS);
    struct lab_kill *k = &lab->kill[lab->kills];
    if (!rule_read_host(text, len, &k->host) || text[len] == '\0')
        return err_set(e, STATUS_USAGE,
                       "--kill '%.64s': not a host and a time: server@1s",
                       text);
    struct opt time = *o;
    time.value = &k->at_ns;
    if (opt_duration(text + len + 1, &time, e) < 0)
        return -1;
    lab->kills++;
    return 0;
}

/* Words of a table, joined by commas, as a mask. */
struct word {
    const char *name;
    unsigned value;
};

static const struct word lane_words[] = {
    {"calls", LANE_CALLS},
    {"wire", LANE_WIRE},
    {"states", LANE_STATES},
    {"output", LANE_OUTPUT},
};

static int read_lanes(const char *text, const struct opt *o, struct err *e)
{
    struct settings *s = o->value;
    s->lanes = 0;
    for (const char *at = text; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        size_t len = strcspn(at, ","), i = 0;
        while (i < 4 && (strncmp(at, lane_words[i].name, len) != 0 ||
                         lane_words[i].name[len] != '\0'))
            i++;
        if (i == 4)
            return err_set(e, STATUS_USAGE,
                           "--lanes: '%.*s' is not calls, wire, states or "
                           "output",
                           len < 64 ? (int)len : 64, at);
        s->lanes |= lane_words[i].value;
    }
    return 0;
}

static int read_only(const char *text, const struct opt *o, struct err *e)
{
    static const struct word words[] = {{"handshake", SECTION_HANDSHAKE},
                                        {"data", SECTION_DATA},
                                        {"close", SECTION_CLOSE}};
    struct settings *s = o->value;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(text, words[i].name) == 0) {
            s->has_only = true;
            s->only = (enum section)words[i].value;
            return 0;
        }
    return err_set(e, STATUS_USAGE,
                   "--only '%.64s': one of handshake, data, close", text);
}

static int read_calls(const char *text, const struct opt *o, struct err *e)
{
    if (strcmp(text, "all") != 0)
        return err_set(e, STATUS_USAGE,
                       "--calls '%.64s': all; --lanes chooses whether calls "
                       "are shown",
                       text);
    *(bool *)o->value = true;
    return 0;
}

static int read_flow(const char *text, const struct opt *o, struct err *e)
{
    if (strcmp(text, "all") != 0)
        return opt_number(text, o, e);
    *(uint64_t *)o->value = FLOW_ALL;
    return 0;
}

static int read_expect(const char *text, const struct opt *o, struct err *e)
{
    struct settings *s = o->value;
    struct opt own = *o;
    own.value = s->expect;
    s->expects = true;
    return strcmp(o->name, "expect") == 0 ? expect_read_option(text, &own, e)
                                          : expect_read_file(text, &own, e);
}

/* --- the table ----------------------------------------------------------- */

static const char usage[] =
    N_("Usage: wirelab [OPTION]... --server CMD --client CMD\n"
       "       wirelab [OPTION]... demo [tcp|udp]\n"
       "       wirelab [VIEW OPTION]... view FILE [FILE]\n"
       "       wirelab layers | doctor\n"
       "       wirelab check [OPTION]... FILE.lab...\n"
       "Two hosts, the wire between them, and a picture of what happens.\n"
       "Their names are client and server: --client 'curl server:9000'.\n\n");

/* The rows are for this one function: it reads ARGV by them or, with HELP,
 * prints them. Their columns: name, letter, metavar, reader, value, least,
 * most, help. */
static int use_table(struct settings *s, bool view, int argc, char **argv,
                     FILE *help, struct err *e)
{
    struct lab_options *lab = &s->lab;
    const uint64_t hour = 3600 * CLOCK_S;
    const struct opt table[] = {
        {"server", 's', "CMD", read_server, lab, 0, 0,
         N_("a program for the server; may be repeated")},
        {"client", 'c', "CMD", read_client, lab, 0, 0,
         N_("a program for the client; may be repeated")},
        {"start", 0, "WHEN", read_start, &lab->together, 0, 0,
         N_("ready: when a server listens; or together")},
        {"wait", 0, "DUR", opt_duration, &lab->wait_ns, 0, hour,
         N_("how long for a server to listen (10s)")},
        {"drain", 0, "DUR", opt_duration, &lab->drain_ns, 0, hour,
         N_("how long until the line must be quiet (3s)")},
        {"limit", 0, "DUR", opt_duration, &lab->limit_ns, 1, 24 * hour,
         N_("how long for all of it (60s)")},
        {"kill", 0, "HOST@TIME", read_kill, lab, 0, 24 * hour,
         N_("SIGKILL to its programs at that time")},
        {"interactive", 0, "HOST", read_host, &lab->interactive, 0, 0,
         N_("its first program reads this terminal")},
        {"loopback", 0, NULL, opt_flag, &lab->loopback, 0, 0,
         N_("no hosts, no wire: calls and states on 127.0.0.1")},
        {"ipv6", '6', NULL, opt_flag, &lab->link.ipv6, 0, 0,
         N_("client and server name IPv6 addresses")},
        {"congestion", 0, "NAME", opt_text, &lab->link.congestion, 0, 0,
         N_("TCP's congestion control (reno)")},
        {"mtu", 0, "N", opt_number, &s->mtu, 68, 65535,
         N_("the largest packet that the wire takes (1500)")},
        FAULT_OPTIONS(s->fault),
        {"lanes", 0, "LIST", read_lanes, s, 0, 0,
         N_("of calls,wire,states,output (the first three)")},
        {"only", 0, "PART", read_only, s, 0, 0,
         N_("show handshake, data or close alone")},
        {"relative", 0, NULL, opt_flag, &s->relative, 0, 0,
         N_("seq=7 instead of seq=x+7")},
        {"absolute", 0, NULL, opt_flag, &s->absolute, 0, 0,
         N_("the real sequence numbers")},
        {"calls", 0, "all", read_calls, &lab->calls_all, 0, 0,
         N_("also poll, fcntl, setsockopt and their kin")},
        {"explain", 0, NULL, opt_flag, &s->explain, 0, 0,
         N_("say why each call is made")},
        {"layers", 0, NULL, opt_flag, &s->layers, 0, 0,
         N_("each frame by layer, byte by byte, no picture")},
        {"list", 0, NULL, opt_flag, &s->list, 0, 0,
         N_("a sentence an event, for screen readers")},
        {"step", 0, NULL, opt_flag, &s->step, 0, 0,
         N_("a row a key, and before each arrow a question")},
        {"utf8", 0, NULL, opt_flag, &s->utf8, 0, 0,
         N_("lines and arrows not of ASCII")},
        {"json", 0, NULL, opt_flag, &s->json, 0, 0,
         N_("NDJSON events on stdout, no picture")},
        {"quiet", 'q', NULL, opt_flag, &s->quiet, 0, 0, N_("no picture")},
        {"svg", 0, "FILE", opt_text, &s->svg, 0, 0,
         N_("the picture as a slide, too")},
        {"png", 0, "FILE", opt_text, &s->png, 0, 0,
         N_("the slide as an image, by rsvg-convert")},
        {"record", 0, "FILE", opt_text, &s->record, 0, 0,
         N_("keep the run, to be shown again")},
        {"pcap", 0, "PREFIX", opt_text, &s->pcap, 0, 0,
         N_("PREFIX-client.pcapng and PREFIX-server.pcapng")},
        {"flow", 0, "N", read_flow, &s->flow, 1, 65535,
         N_("view: the conversation to draw; or all")},
        {"expect", 0, "EXPR", read_expect, s, 0, 0,
         N_("what must happen; else the status is 7")},
        {"expect-file", 0, "FILE", read_expect, s, 0, 0,
         N_("the same from a file")},
        {"lang", 0, "NAME", opt_lang, NULL, 0, 0,
         N_("the language of what people read: en, zh_CN")},
        {"help", 'h', NULL, opt_flag, &s->help, 0, 0,
         N_("print this help and exit")},
        {"version", 0, NULL, opt_flag, &s->version, 0, 0,
         N_("print the version and exit")},
        OPT_END,
    };
    const struct opt *rows = table;
    while (view && strcmp(rows->name, "lanes") != 0)
        rows++; /* what is behind the options of a run */
    if (help == NULL)
        return opt_parse(rows, argc, argv, e);
    fputs(_(usage), help);
    opt_help(table, help);
    return 0;
}

/* Once more, by the rows that a file can be shown with. */
static int parse_view(struct settings *s, int argc, char **argv, struct err *e)
{
    settings_free(s);
    if (settings_init(s, e) < 0)
        return -1;
    int first = use_table(s, true, argc, argv, NULL, e);
    if (first < 0)
        return err_advise(e, "view shows what is in a file: nothing runs, "
                             "and there is no link");
    return first;
}

int settings_parse(struct settings *s, int argc, char **argv, int *first,
                   struct err *e)
{
    *first = use_table(s, false, argc, argv, NULL, e);
    if (*first >= 0 && *first < argc && strcmp(argv[*first], "view") == 0)
        *first = parse_view(s, argc, argv, e);
    return *first < 0 ? -1 : 0;
}

void settings_help(struct settings *s, FILE *to)
{
    use_table(s, false, 0, NULL, to, NULL);
}

/* --- what follows -------------------------------------------------------- */

void settings_demo(struct settings *s, const char *protocol)
{
    /* By protocol; then between hosts and on loopback. */
    static const char *const demo[2][2][HOST_COUNT] = {
        {{"tcp_client --ask hello server 9000",
          "tcp_server -n 1 --close-delay 100ms server 9000"},
         {"tcp_client --ask hello 127.0.0.1 9000",
          "tcp_server -n 1 --close-delay 100ms 9000"}},
        {{"udp_client --unconnected --ask hello server 9000",
          "udp_server -n 1 server 9000"},
         {"udp_client --unconnected --ask hello 127.0.0.1 9000",
          "udp_server -n 1 9000"}},
    };
    struct lab_options *o = &s->lab;
    bool udp = strcmp(protocol, "udp") == 0;
    for (int host = 0; host < HOST_COUNT; host++) {
        o->commands[host] = 1;
        o->command[host][0] = demo[udp][o->loopback][host];
    }
}

/* Without a wire there is nothing that could do what LINK asks for. */
static int check_loopback(const struct settings *s, struct err *e)
{
    const struct lab_options *o = &s->lab;
    struct fault *plain = fault_new(e);
    if (plain == NULL)
        return -1;
    bool same = memcmp(plain->link, s->fault->link, sizeof plain->link) == 0 &&
                memcmp(plain->blackhole_ns, s->fault->blackhole_ns,
                       sizeof plain->blackhole_ns) == 0 &&
                s->fault->rules == 0 && s->mtu == 1500 && !o->link.ipv6 &&
                strcmp(o->link.congestion, "reno") == 0;
    fault_free(plain);
    if (same)
        return 0;
    return err_set(e, STATUS_USAGE,
                   "--loopback has no wire: options for the "
                   "link do nothing there");
}

static int check_view(const struct settings *s, struct err *e)
{
    if (s->view == NULL && s->flow != FLOW_NONE)
        return err_set(e, STATUS_USAGE, "--flow is for view FILE");
    if (s->view != NULL && s->record != NULL)
        return err_set(e, STATUS_USAGE, "--record is for a run");
    return 0;
}

int settings_finish(struct settings *s, struct err *e)
{
    struct lab_options *o = &s->lab;
    if (s->relative && s->absolute)
        return err_set(e, STATUS_USAGE, "either --relative or --absolute");
    if (s->layers && (s->list || s->step || s->has_only || s->json || s->quiet))
        return err_set(e, STATUS_USAGE,
                       "--layers stands for the picture, so without --list, "
                       "--step, --only, --json and --quiet");
    if (s->step && (s->json || s->quiet))
        return err_set(e, STATUS_USAGE,
                       "--step shows a picture, so neither "
                       "--json nor --quiet");
    if (s->step && o->interactive >= 0)
        return err_set(e, STATUS_USAGE,
                       "--step and --interactive both want "
                       "this terminal");
    if (s->demo != NULL && strcmp(s->demo, "both") == 0 &&
        (s->json || s->record != NULL || s->pcap != NULL || s->expects))
        return err_set(e, STATUS_USAGE,
                       "--json, --record, --pcap and --expect are of one "
                       "run: either demo tcp or demo udp");
    if (o->link.ipv6 && s->mtu < 1280)
        return err_set(e, STATUS_USAGE,
                       "--mtu %u: IPv6 needs 1280 (RFC 8200, section 5)",
                       (unsigned)s->mtu);
    if (check_view(s, e) < 0 || fault_check(s->fault, e) < 0 ||
        (o->loopback && check_loopback(s, e) < 0))
        return -1;
    if (o->commands[HOST_CLIENT] + o->commands[HOST_SERVER] > 0 ||
        s->view != NULL)
        s->demo = NULL;
    if (s->demo != NULL)
        settings_demo(s, s->demo);
    o->link.mtu = (uint32_t)s->mtu;
    o->calls = s->lanes & LANE_CALLS;
    /* What is expected is looked for also where nobody looks; but tracing
     * calls changes what it watches, so that has to be asked for. */
    o->wire = s->expects || s->lanes & LANE_WIRE;
    o->states = s->expects || s->lanes & LANE_STATES;
    return 0;
}
