/* SPDX-License-Identifier: MIT
 *
 * msg: numbered messages. See msg.h for the contract and the layout.
 */
#include "msg.h"

#include "clock.h"

#include <endian.h>
#include <pthread.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

enum { VERSION = 1, AT_TOKEN = 8, AT_NUMBER = 16, AT_TIME = 24, AT_LEN = 32 };
static const unsigned char magic[5] = {'W', 'L', 'A', 'B', VERSION};

static void put64(unsigned char *p, uint64_t value)
{
    value = htobe64(value);
    memcpy(p, &value, sizeof value);
}

static uint64_t get64(const unsigned char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return be64toh(value);
}

void msg_write(void *buf, const struct msg *m)
{
    unsigned char *p = buf;
    uint32_t len = htobe32(m->len);
    memcpy(p, magic, sizeof magic);
    p[5] = (unsigned char)m->type;
    p[6] = p[7] = 0;
    put64(p + AT_TOKEN, m->token);
    put64(p + AT_NUMBER, m->number);
    put64(p + AT_TIME, m->time_ns);
    memcpy(p + AT_LEN, &len, sizeof len);
}

void msg_renumber(void *buf, uint64_t number, uint64_t time_ns)
{
    unsigned char *p = buf;
    put64(p + AT_NUMBER, number);
    put64(p + AT_TIME, time_ns);
}

int msg_read(const void *buf, size_t len, struct msg *m)
{
    const unsigned char *p = buf;
    uint32_t total;
    if (memcmp(p, magic, len < sizeof magic ? len : sizeof magic) != 0)
        return -1;
    if (len < MSG_HEADER)
        return 0;
    memcpy(&total, p + AT_LEN, sizeof total);
    *m = (struct msg){.type = (enum msg_type)p[5],
                      .token = get64(p + AT_TOKEN),
                      .number = get64(p + AT_NUMBER),
                      .time_ns = get64(p + AT_TIME),
                      .len = be32toh(total)};
    bool known = p[5] >= MSG_PING && p[5] <= MSG_BUSY;
    return known && m->len >= MSG_HEADER && m->len <= MSG_MAX ? 1 : -1;
}

bool msg_datagram(const void *buf, size_t len, struct msg *m)
{
    return msg_read(buf, len, m) == 1 && m->len == len;
}

void msg_write_control(void *buf, const struct msg *m, const void *fields,
                       size_t count)
{
    uint64_t values[MSG_FIELDS] = {0};
    unsigned char *p = buf;
    struct msg whole = *m;
    whole.len = MSG_CONTROL;
    msg_write(p, &whole);
    memset(p + MSG_HEADER, 0, MSG_CONTROL - MSG_HEADER);
    if (count > 0)
        memcpy(values, fields, count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        put64(p + MSG_HEADER + 8 * i, values[i]);
}

void msg_fields(const void *buf, const struct msg *m, void *fields,
                size_t count)
{
    const unsigned char *p = buf;
    uint64_t values[MSG_FIELDS] = {0};
    for (size_t i = 0; i < count; i++) {
        size_t at = MSG_HEADER + 8 * i;
        values[i] = at + 8 <= m->len ? get64(p + at) : 0;
    }
    memcpy(fields, values, count * sizeof *values);
}

/* PERIOD bytes, and again from any of them on: enough for one memcpy or memcmp
 * of up to SPAN bytes wherever it begins. */
enum { PERIOD = 251, SPAN = 4096 };

static unsigned char pattern_bytes[PERIOD + SPAN];

static void make_pattern(void)
{
    for (size_t i = 0; i < sizeof pattern_bytes; i++)
        pattern_bytes[i] = (unsigned char)(i % PERIOD * 37 + 11);
}

static const unsigned char *pattern(size_t offset)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_pattern);
    return pattern_bytes + offset % PERIOD;
}

void msg_fill(void *buf, size_t offset, size_t len)
{
    unsigned char *p = buf;
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < SPAN ? len - done : SPAN;
        memcpy(p + done, pattern(offset + done), n);
    }
}

bool msg_check(const void *buf, size_t offset, size_t len)
{
    const unsigned char *p = buf;
    for (size_t done = 0, n; done < len; done += n) {
        n = len - done < SPAN ? len - done : SPAN;
        if (memcmp(p + done, pattern(offset + done), n) != 0)
            return false;
    }
    return true;
}

uint64_t msg_token(void)
{
    uint64_t token = 0;
    if (getrandom(&token, sizeof token, GRND_NONBLOCK) != sizeof token)
        token = clock_real_ns() ^ (uint64_t)getpid() << 40;
    return token != 0 ? token : 1;
}
