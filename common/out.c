/* SPDX-License-Identifier: MIT
 *
 * out: events as text or NDJSON. See out.h for the contract. JSON is built by
 * jansson; lines are written with write(2), not stdio, so that a fork never
 * inherits half a line.
 */
#include "out.h"

#include "clock.h"
#include "lang.h"
#include "stop.h"
#include "width.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void out_fill_standard(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)!open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY);
}

void out_init(struct out *o, const char *program, bool json, bool quiet)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    *o = (struct out){.program = program, .json = json, .quiet = quiet};
    o->start_ns = clock_now_ns();
    o->colour = isatty(STDERR_FILENO) && (no_color == NULL || *no_color == 0) &&
                term != NULL && strcmp(term, "dumb") != 0;
}

uint64_t out_now_ns(const struct out *o)
{
    return clock_now_ns() - o->start_ns;
}

/* All of it: 0, or an errno. A descriptor that somebody made non-blocking is
 * waited for. After a stop signal, which interrupts every 50 ms (stop.h), a
 * reader that takes nothing is waited for a second more, and then given up. */
static int write_all(int fd, const char *data, size_t len)
{
    static atomic_bool given_up[3];
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int patience = 20;
    while (len > 0 && !given_up[fd]) {
        ssize_t n = write(fd, data, len);
        if (n >= 0) {
            data += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN) {
            poll(&p, 1, -1); /* what it says, the next write says too */
        } else if (errno != EINTR) {
            return errno;
        }
        if (n < 0 && stop_signal() != 0 && --patience == 0)
            given_up[fd] = true;
    }
    return len > 0 ? EINTR : 0;
}

static void write_stdout(struct out *o, const char *data, size_t len)
{
    int failed = write_all(STDOUT_FILENO, data, len);
    if (failed != 0 && o->failed == 0)
        o->failed = failed;
}

/* One event at a time, whichever thread it comes from. */
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

void out_begin(struct out *o, const char *name)
{
    pthread_mutex_lock(&writing);
    if (!o->json)
        return;
    o->event = json_object();
    out_int(o, "schema", OUT_SCHEMA);
    out_text(o, "event", name);
}

static void set(struct out *o, const char *key, json_t *value)
{
    if (o->event != NULL)
        json_object_set_new(o->event, key, value);
    else
        json_decref(value);
}

void out_text(struct out *o, const char *key, const char *value)
{
    if (o->event == NULL)
        return;
    json_t *text = json_string(value);
    if (text == NULL) { /* not UTF-8 */
        char escaped[1024];
        text = json_string(
            out_escape(value, strlen(value), "", escaped, sizeof escaped));
    }
    set(o, key, text);
}

/* JSON's integers are signed; nanoseconds and bytes stay far below. */
void out_uint(struct out *o, const char *key, uint64_t value)
{
    out_int(o, key, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void out_int(struct out *o, const char *key, int64_t value)
{
    if (o->event != NULL)
        set(o, key, json_integer(value));
}

void out_bool(struct out *o, const char *key, bool value)
{
    if (o->event != NULL)
        set(o, key, json_boolean(value));
}

void out_null(struct out *o, const char *key)
{
    if (o->event != NULL)
        set(o, key, json_null());
}

void out_list(struct out *o, const char *key, const char *const *values,
              size_t count)
{
    if (o->event == NULL)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char escaped[1024];
        json_t *text = json_string(values[i]);
        if (text == NULL)
            text = json_string(out_escape(values[i], strlen(values[i]), "",
                                          escaped, sizeof escaped));
        json_array_append_new(list, text);
    }
    set(o, key, list);
}

void out_pairs(struct out *o, const char *key, const uint64_t pairs[][2],
               size_t count)
{
    if (o->event == NULL)
        return;
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_pack("[I, I]", (json_int_t)pairs[i][0],
                                              (json_int_t)pairs[i][1]));
    set(o, key, list);
}

/* RFC 4648, section 4. */
void out_base64(struct out *o, const char *key, const void *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    if (o->event == NULL)
        return;
    const unsigned char *in = data;
    char *text = malloc((len + 2) / 3 * 4 + 1), *p = text;
    if (text == NULL)
        return;
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i;
        uint32_t bits = (uint32_t)in[i] << 16;
        if (n > 1)
            bits |= (uint32_t)in[i + 1] << 8;
        if (n > 2)
            bits |= in[i + 2];
        *p++ = digits[bits >> 18];
        *p++ = digits[bits >> 12 & 63];
        *p++ = n > 1 ? digits[bits >> 6 & 63] : '=';
        *p++ = n > 2 ? digits[bits & 63] : '=';
    }
    set(o, key, json_stringn(text, (size_t)(p - text)));
    free(text);
}

static void end_json(struct out *o)
{
    char *line = json_dumps(o->event, JSON_COMPACT);
    json_decref(o->event);
    o->event = NULL;
    if (line == NULL) {
        o->failed = ENOMEM;
        return;
    }
    size_t len = strlen(line);
    line[len] = '\n'; /* in place of the NUL: one line, one write */
    write_stdout(o, line, len + 1);
    free(line);
}

/* FORMAT and its arguments with a newline, cut at CAP. */
static size_t make_line(char *buf, size_t cap, const char *format, va_list ap)
{
    int n = vsnprintf(buf, cap - 1, _(format), ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len > cap - 2) {
        width_mend(buf);
        len = strlen(buf);
    }
    buf[len++] = '\n';
    return len;
}

static void end_event(struct out *o, int fd, const char *format, va_list ap)
{
    char line[2048];
    if (o->event != NULL)
        end_json(o);
    else if (!o->json && format != NULL) {
        size_t len = make_line(line, sizeof line, format, ap);
        if (fd == STDOUT_FILENO)
            write_stdout(o, line, len);
        else
            write_all(fd, line, len); /* nowhere to report that stderr failed */
    }
    pthread_mutex_unlock(&writing);
}

void out_end(struct out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    end_event(o, STDOUT_FILENO, o->quiet ? NULL : format, ap);
    va_end(ap);
}

void out_end_always(struct out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    end_event(o, STDOUT_FILENO, format, ap);
    va_end(ap);
}

void out_end_talk(struct out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    end_event(o, STDERR_FILENO, format, ap);
    va_end(ap);
}

void out_progress(const struct out *o, const char *format, ...)
{
    char text[256] = "\r", *words = text + 1;
    va_list ap;
    if (o->json || o->quiet || !isatty(STDERR_FILENO))
        return;
    va_start(ap, format);
    if (format != NULL)
        vsnprintf(words, sizeof text - 8, _(format), ap);
    va_end(ap);
    width_mend(words);
    strcat(text, "\033[K"); /* and nothing of a longer one behind it */
    write_all(STDERR_FILENO, text, strlen(text));
}

/* One byte as C writes it, at most 4 characters. */
static size_t escape_byte(unsigned char c, const char *keep, char *buf)
{
    static const char named[] = "\aa\bb\ff\nn\rr\tt\vv\\\\\"\"";
    if (c != '\0' && strchr(keep, c) != NULL) {
        buf[0] = (char)c;
        return 1;
    }
    for (const char *p = named; *p != '\0'; p += 2)
        if (*p == (char)c) {
            buf[0] = '\\';
            buf[1] = p[1];
            return 2;
        }
    if (c >= 0x20 && c < 0x7f) {
        buf[0] = (char)c;
        return 1;
    }
    static const char hex[] = "0123456789abcdef";
    memcpy(buf, "\\x", 2);
    buf[2] = hex[c >> 4];
    buf[3] = hex[c & 15];
    return 4;
}

/* How many bytes a UTF-8 character at P takes if a terminal may see it; 0 if
 * it is not UTF-8, or a control (C1) or a mark that turns the direction of
 * text. A character that LEN cuts is not UTF-8 here. RFC 3629. */
static size_t printable_utf8(const unsigned char *p, size_t len)
{
    size_t n = *p >= 0xf0 && *p < 0xf5 ? 4 : *p >= 0xe0 ? 3 : 2;
    if (*p < 0xc2 || *p > 0xf4 || n > len)
        return 0;
    uint32_t c = *p & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3f);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    bool turns = c == 0x61c || c == 0x200e || c == 0x200f ||
                 (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
    bool bad = c < smallest[n] || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff;
    return c < 0xa0 || turns || bad ? 0 : n;
}

/* As many bytes as fit into TEXT, safe for a terminal; returns how many
 * characters TEXT got, and in *taken how many bytes that was. */
static size_t terminal_text(const unsigned char *in, size_t len, char *text,
                            size_t cap, size_t *taken)
{
    size_t used = 0, i = 0;
    while (i < len && used + 4 <= cap) {
        size_t n = in[i] >= 0x80 ? printable_utf8(in + i, len - i) : 0;
        if (n > 0) {
            memcpy(text + used, in + i, n);
            used += n;
            i += n;
        } else {
            used += escape_byte(in[i++], "\n\t\"\\", text + used);
        }
    }
    *taken = i;
    return used;
}

/* What came from outside, a command line too, must not steer the terminal. */
static void say(const struct out *o, const char *format, va_list ap)
{
    char text[1024], line[4200];
    size_t taken;
    vsnprintf(text, sizeof text, _(format), ap);
    width_mend(text);
    size_t len = (size_t)snprintf(line, 64, "%.60s: ", o->program);
    len += terminal_text((const unsigned char *)text, strlen(text), line + len,
                         sizeof line - len - 1, &taken);
    line[len++] = '\n';
    write_all(STDERR_FILENO, line, len);
}

void out_say(const struct out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    say(o, format, ap);
    va_end(ap);
}

void out_remark(const struct out *o, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    if (!o->quiet)
        say(o, format, ap);
    va_end(ap);
}

void out_error(const struct out *o, const struct err *e)
{
    out_say(o, "%s", e->text);
    if (e->advice[0] != '\0')
        out_say(o, "%s", e->advice);
}

int out_bytes(struct out *o, const void *data, size_t len, bool escape,
              struct err *e)
{
    const unsigned char *in = data;
    while (len > 0 && o->failed == 0) {
        char text[4096];
        size_t taken = len;
        if (escape) {
            size_t n = terminal_text(in, len, text, sizeof text, &taken);
            write_stdout(o, text, n);
        } else {
            write_stdout(o, data, len);
        }
        in += taken;
        len -= taken;
    }
    return out_check(o, e);
}

char *out_printable(const char *text, char *buf, size_t cap)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t len = strlen(text), used = 0, dots_at = 0;
    for (size_t i = 0, taken; i < len; i += taken) {
        char c[4];
        size_t n = lang_is_foreign() ? printable_utf8(in + i, len - i) : 0;
        taken = n > 0 ? n : 1;
        if (n > 0)
            memcpy(c, in + i, n);
        else
            n = escape_byte(in[i], "\"\\", c);
        if (used + n >= cap) {
            snprintf(buf + dots_at, cap - dots_at, "...");
            return buf;
        }
        memcpy(buf + used, c, n);
        used += n;
        if (used + 3 < cap)
            dots_at = used;
    }
    buf[used] = '\0';
    return buf;
}

char *out_escape(const void *data, size_t len, const char *keep, char *buf,
                 size_t cap)
{
    const unsigned char *in = data;
    size_t used = 0;
    size_t dots_at = 0; /* the last place where "..." would still fit */
    for (size_t i = 0; i < len; i++) {
        char c[4];
        size_t n = escape_byte(in[i], keep, c);
        if (used + n >= cap) {
            snprintf(buf + dots_at, cap - dots_at, "...");
            return buf;
        }
        memcpy(buf + used, c, n);
        used += n;
        if (used + 3 < cap)
            dots_at = used;
    }
    buf[used] = '\0';
    return buf;
}

int out_check(const struct out *o, struct err *e)
{
    if (o->failed == 0)
        return 0;
    errno = o->failed;
    if (o->failed == EINTR)
        err_set(e, STATUS_FAILED,
                "write stdout: nobody reads it; the rest was not printed");
    else
        err_sys(e, "write stdout");
    if (e != NULL)
        e->status = STATUS_FAILED;
    return -1;
}
