/* SPDX-License-Identifier: MIT
 *
 * pcapng: events to packets with comments. See pcapng.h for the contract.
 *
 * A block is put together in memory and written at once: its length stands at
 * both of its ends. What the lab remarks belongs to the host's next packet (a
 * program is killed, then its FIN leaves), and after the last one to that; so
 * a packet waits for the next one before it is written.
 */
#include "pcapng.h"

#include "keep.h"
#include "out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_PACKET = 6,
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    OPTION_FLAGS = 2, /* of a packet */
    OPTION_NAME = 2,  /* of an interface */
    OPTION_OS = 3,
    OPTION_APPLICATION = 4,
    OPTION_TIME_RESOLUTION = 9,
    LINK_ETHERNET = 1,
    INBOUND = 1,
    OUTBOUND = 2,
};

/* The largest frame, with room for its options. */
#define BLOCK_MAX (72 * 1024)
#define REMARKS 8
#define COMMENT_MAX 512

struct block {
    size_t len;
    uint8_t bytes[BLOCK_MAX];
};

struct capture {
    struct keep keep;
    struct event *last; /* the packet that waits */
    char *remark[REMARKS];
    size_t remarks;
    size_t of_last; /* so many of them are for that packet, the rest for the
                       next */
};

struct pcapng {
    uint64_t start_ns;
    struct capture of[HOST_COUNT];
    struct block block; /* that is put together */
};

/* --- blocks -------------------------------------------------------------- */

/* Fields are in this machine's order: the first block tells the reader which
 * that is. Each ends on a multiple of four bytes. */
static void put(struct block *b, const void *data, size_t len)
{
    size_t padded = (len + 3) / 4 * 4;
    if (padded > sizeof b->bytes - b->len)
        return;
    memset(b->bytes + b->len, 0, padded);
    if (len > 0)
        memcpy(b->bytes + b->len, data, len);
    b->len += padded;
}

static void put32(struct block *b, uint32_t value)
{
    put(b, &value, sizeof value);
}

static void put_option(struct block *b, uint16_t code, const void *data,
                       size_t len)
{
    uint16_t head[2] = {code, (uint16_t)len};
    put(b, head, sizeof head);
    put(b, data, len);
}

static void put_text(struct block *b, uint16_t code, const char *text)
{
    put_option(b, code, text, strlen(text));
}

static void begin_block(struct block *b, uint32_t type)
{
    b->len = 0;
    put32(b, type);
    put32(b, 0); /* its length, when that is known */
}

static void end_block(struct block *b, struct keep *keep)
{
    put_option(b, OPTION_END, NULL, 0);
    uint32_t len = (uint32_t)b->len + 4;
    put32(b, len);
    memcpy(b->bytes + 4, &len, sizeof len);
    fwrite(b->bytes, 1, b->len, keep->file);
    keep_check(keep); /* keep_close tells */
}

static void write_head(struct block *b, enum host_id host, struct keep *keep)
{
    static const uint16_t version[2] = {1, 0};
    static const uint8_t nanoseconds = 9;
    struct utsname kernel;
    char text[256];
    uname(&kernel); /* cannot fail: the buffer is ours */
    begin_block(b, BLOCK_SECTION);
    put32(b, 0x1a2b3c4d);
    put(b, version, sizeof version);
    put32(b, UINT32_MAX); /* how long the section is: 64 bits of -1 */
    put32(b, UINT32_MAX);
    snprintf(text, sizeof text, "%s %s", kernel.sysname, kernel.release);
    put_text(b, OPTION_OS, text);
    put_text(b, OPTION_APPLICATION, "Wirelab " WIRELAB_VERSION);
    end_block(b, keep);

    begin_block(b, BLOCK_INTERFACE);
    put32(b, LINK_ETHERNET);
    put32(b, 0); /* frames are never cut */
    snprintf(text, sizeof text, "eth0 of %s", host_name(host));
    put_text(b, OPTION_NAME, text);
    put_option(b, OPTION_TIME_RESOLUTION, &nanoseconds, 1);
    end_block(b, keep);
}

/* --- comments ------------------------------------------------------------ */

/* One of a stranger's recording may be too long: there is room for REMARKS of
 * this size behind the largest frame. */
static void comment(struct block *b, const char *text)
{
    size_t len = strlen(text);
    if (len > COMMENT_MAX) {
        len = COMMENT_MAX;
        while ((text[len] & 0xc0) == 0x80)
            len--; /* not within a character */
    }
    put_option(b, OPTION_COMMENT, text, len);
}

static const char *const fates[] = {
    [FATE_DELIVERED] = "out of turn",
    [FATE_LOST] = "lost",
    [FATE_DUPLICATED] = "duplicated",
    [FATE_CORRUPTED] = "corrupted",
};

static const char *const agains[] = {
    [AGAIN_NO] = "",
    [AGAIN_TIMEOUT] = "sent again: timeout",
    [AGAIN_ACKS] = "sent again: later data was acknowledged",
    [AGAIN_UNKNOWN] = "sent again",
};

static const char second[] = "wire: the second of two";
static const char damaged[] =
    "the checksum is wrong: dropped silently; nobody tells the sender";

static void comment_sent(struct block *b, const struct event_frame *f)
{
    char text[64];
    if (f->by[0] != '\0') {
        snprintf(text, sizeof text, "wire: %s by %s", fates[f->fate], f->by);
        comment(b, text);
    }
    if (f->again != AGAIN_NO)
        comment(b, agains[f->again]);
}

static void comment_received(struct block *b, const struct event_frame *f)
{
    if (f->copy != 0)
        comment(b, second);
    if (f->frame.transport_checksum == CHECKSUM_BAD ||
        f->frame.ip_checksum == CHECKSUM_BAD)
        comment(b, damaged);
}

/* "wire: lost by rule 1". */
static bool read_fate(const char *text, struct event_frame *f)
{
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
        char head[32];
        int len = snprintf(head, sizeof head, "wire: %s by ", fates[i]);
        if (strncmp(text, head, (size_t)len) != 0)
            continue;
        f->fate = (enum fate)i;
        out_printable(text + len, f->by, sizeof f->by);
        return true;
    }
    return false;
}

bool pcapng_read_comment(const char *text, struct event_frame *f,
                         bool *is_second)
{
    if (read_fate(text, f) || strcmp(text, damaged) == 0)
        return true; /* of damage the checksum tells */
    if (strcmp(text, second) == 0)
        return *is_second = true;
    for (size_t i = AGAIN_TIMEOUT; i < sizeof agains / sizeof *agains; i++)
        if (strcmp(text, agains[i]) == 0) {
            f->again = (enum again)i;
            return true;
        }
    return false;
}

/* --- packets ------------------------------------------------------------- */

/* The first N. */
static void forget_remarks(struct capture *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(c->remark[i]);
    c->remarks -= n;
    memmove(c->remark, c->remark + n, c->remarks * sizeof *c->remark);
    c->of_last = 0;
}

static void write_last(struct pcapng *p, struct capture *c)
{
    struct block *b = &p->block;
    const struct event *e = c->last;
    if (e == NULL)
        return;
    bool sent = e->kind == EVENT_SENT;
    uint32_t flags = sent ? OUTBOUND : INBOUND;
    uint64_t t_ns = p->start_ns + e->t_ns;
    begin_block(b, BLOCK_PACKET);
    put32(b, 0); /* the interface */
    put32(b, (uint32_t)(t_ns >> 32));
    put32(b, (uint32_t)t_ns);
    put32(b, (uint32_t)e->frame.len);
    put32(b, (uint32_t)e->frame.wire_len);
    put(b, e->frame.bytes, e->frame.len);
    put_option(b, OPTION_FLAGS, &flags, sizeof flags);
    if (sent)
        comment_sent(b, &e->frame);
    else
        comment_received(b, &e->frame);
    for (size_t i = 0; i < c->of_last; i++)
        comment(b, c->remark[i]);
    forget_remarks(c, c->of_last);
    end_block(b, &c->keep);
    event_discard(c->last);
    c->last = NULL;
}

void pcapng_event(const struct event *e, void *pcapng)
{
    struct pcapng *p = pcapng;
    struct capture *c = &p->of[e->host];
    if (e->kind == EVENT_REMARK) {
        if (c->remarks < REMARKS &&
            (c->remark[c->remarks] = strdup(e->remark)) != NULL)
            c->remarks++;
    } else if (e->kind == EVENT_SENT || e->kind == EVENT_RECEIVED) {
        write_last(p, c);
        c->last = event_copy(e);
        c->of_last = c->remarks;
    }
}

/* --- the files ----------------------------------------------------------- */

struct pcapng *pcapng_begin(const char *prefix, uint64_t start_ns,
                            struct err *e)
{
    struct pcapng *p = calloc(1, sizeof *p);
    size_t size = strlen(prefix) + sizeof "-server.pcapng";
    char *path = malloc(size);
    if (p == NULL || path == NULL)
        goto fail;
    p->start_ns = start_ns;
    for (int i = 0; i < HOST_COUNT; i++) {
        snprintf(path, size, "%s-%s.pcapng", prefix, host_name(i));
        if (keep_open(&p->of[i].keep, path, e) < 0)
            goto fail_with_words;
        write_head(&p->block, i, &p->of[i].keep);
    }
    free(path);
    return p;
fail:
    err_sys(e, "%s", prefix);
fail_with_words:
    free(path);
    pcapng_discard(p);
    return NULL;
}

int pcapng_end(struct pcapng *p, struct err *e)
{
    int result = 0;
    for (int i = 0; i < HOST_COUNT; i++) {
        p->of[i].of_last = p->of[i].remarks;
        write_last(p, &p->of[i]);
        if (result < 0)
            keep_discard(&p->of[i].keep);
        else
            result = keep_close(&p->of[i].keep, e);
    }
    pcapng_discard(p);
    return result;
}

void pcapng_discard(struct pcapng *p)
{
    if (p == NULL)
        return;
    for (int i = 0; i < HOST_COUNT; i++) {
        struct capture *c = &p->of[i];
        keep_discard(&c->keep);
        event_discard(c->last);
        forget_remarks(c, c->remarks);
    }
    free(p);
}
