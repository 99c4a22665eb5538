/* SPDX-License-Identifier: MIT
 *
 * notes: a walk along the blocks of a pcapng file. See notes.h for the
 * contract. The file is a stranger's: every length is checked before it is
 * used, and a walk that loses its way has come to its end.
 */
#include "notes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_SECTION = 0x0a0d0d0a,
    BLOCK_INTERFACE = 1,
    BLOCK_OLD_PACKET = 2,
    BLOCK_SIMPLE_PACKET = 3,
    BLOCK_PACKET = 6,
    BYTE_ORDER_MAGIC = 0x1a2b3c4d,
    OPTION_COMMENT = 1,
    OPTION_FLAGS = 2,       /* of a packet */
    OPTION_NAME = 2,        /* of an interface */
    OPTION_APPLICATION = 4, /* of a section */
};

/* Larger blocks are refused by libpcap, too. */
#define BLOCK_MAX (16 * 1024 * 1024)
/* Options beyond are left out. */
#define OPTIONS_MAX 4096

struct notes {
    FILE *file;
    bool is_swapped; /* the other byte order than this machine's */
    bool is_ours, is_over;
    int host;
    uint8_t options[OPTIONS_MAX];
};

static uint32_t swap32(uint32_t v)
{
    return v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) | v << 24;
}

static uint32_t order32(const struct notes *n, uint32_t v)
{
    return n->is_swapped ? swap32(v) : v;
}

static uint16_t order16(const struct notes *n, uint16_t v)
{
    return n->is_swapped ? (uint16_t)(v >> 8 | v << 8) : v;
}

static bool read_words(struct notes *n, uint32_t *words, size_t count)
{
    if (fread(words, sizeof *words, count, n->file) != count)
        return false;
    for (size_t i = 0; i < count; i++)
        words[i] = order32(n, words[i]);
    return true;
}

static bool skip(struct notes *n, uint32_t len)
{
    return fseek(n->file, (long)len, SEEK_CUR) == 0;
}

static bool ends_with(const uint8_t *value, size_t len, const char *end)
{
    size_t size = strlen(end);
    return len >= size && memcmp(value + len - size, end, size) == 0;
}

/* An option of a section tells who wrote the file, */
static void take_of_section(struct notes *n, uint16_t code,
                            const uint8_t *value, size_t len)
{
    static const char ours[] = "Wirelab ";
    size_t size = sizeof ours - 1;
    if (code == OPTION_APPLICATION)
        n->is_ours = len >= size && memcmp(value, ours, size) == 0;
}

/* one of an interface, whose it is, as pcapng.c names it, */
static void take_of_interface(struct notes *n, uint16_t code,
                              const uint8_t *value, size_t len)
{
    if (code != OPTION_NAME)
        return;
    n->host = ends_with(value, len, " of client")   ? 0
              : ends_with(value, len, " of server") ? 1
                                                    : -1;
}

/* and those of a packet go into its note. */
static void take_of_packet(struct notes *n, uint16_t code, const uint8_t *value,
                           size_t len, struct note *note)
{
    if (code == OPTION_COMMENT && note->comments < NOTE_COMMENTS) {
        size_t kept = len < NOTE_TEXT - 1 ? len : NOTE_TEXT - 1;
        memcpy(note->comment[note->comments], value, kept);
        note->comment[note->comments++][kept] = '\0';
    } else if (code == OPTION_FLAGS && len == 4) {
        uint32_t flags;
        memcpy(&flags, value, sizeof flags);
        flags = order32(n, flags);
        note->inbound = (flags & 3) == 1;
        note->outbound = (flags & 3) == 2;
    }
}

/* LEN bytes of options of a block, at which the file stands. */
static bool read_options(struct notes *n, uint32_t type, uint32_t len,
                         struct note *note)
{
    size_t kept = len < OPTIONS_MAX ? len : OPTIONS_MAX, at = 0;
    if (fread(n->options, 1, kept, n->file) != kept)
        return false;
    while (kept - at >= 4) {
        uint16_t head[2];
        memcpy(head, n->options + at, sizeof head);
        uint16_t code = order16(n, head[0]);
        size_t size = order16(n, head[1]), padded = (size + 3) / 4 * 4;
        at += 4;
        if (code == 0 || padded > kept - at)
            break;
        const uint8_t *value = n->options + at;
        if (type == BLOCK_SECTION)
            take_of_section(n, code, value, size);
        else if (type == BLOCK_INTERFACE)
            take_of_interface(n, code, value, size);
        else
            take_of_packet(n, code, value, size, note);
        at += padded;
    }
    return skip(n, len - (uint32_t)kept);
}

/* The head of a block, whose LEN bytes of body follow. The byte order is known
 * only behind the head of a section. */
static bool read_head(struct notes *n, uint32_t *type, uint32_t *len)
{
    uint32_t head[2], magic;
    if (!read_words(n, head, 2))
        return false;
    if (head[0] == BLOCK_SECTION) {
        if (fread(&magic, sizeof magic, 1, n->file) != 1)
            return false;
        head[1] = order32(n, head[1]); /* as it stood */
        n->is_swapped = magic == swap32(BYTE_ORDER_MAGIC);
        if (!n->is_swapped && magic != BYTE_ORDER_MAGIC)
            return false;
        head[1] = order32(n, head[1]);
    }
    if (head[1] < 12 || head[1] > BLOCK_MAX || head[1] % 4 != 0)
        return false;
    *type = head[0];
    *len = head[1] - 12;
    return true;
}

static bool read_section(struct notes *n, uint32_t len)
{
    n->is_ours = false;
    n->host = -1;
    if (len < 16) /* the magic, which was read, a version and a length */
        return false;
    return skip(n, 12) && read_options(n, BLOCK_SECTION, len - 16, NULL) &&
           skip(n, 4);
}

static bool read_interface(struct notes *n, uint32_t len)
{
    if (len < 8) /* its link type, and how much of a packet it keeps */
        return false;
    return skip(n, 8) && read_options(n, BLOCK_INTERFACE, len - 8, NULL) &&
           skip(n, 4);
}

static bool read_packet(struct notes *n, uint32_t len, struct note *note)
{
    uint32_t fixed[5]; /* interface, time, captured and original length */
    if (len < sizeof fixed || !read_words(n, fixed, 5))
        return false;
    uint32_t padded = fixed[3] > BLOCK_MAX ? BLOCK_MAX : (fixed[3] + 3) / 4 * 4;
    len -= sizeof fixed;
    return padded <= len && skip(n, padded) &&
           read_options(n, BLOCK_PACKET, len - padded, note) && skip(n, 4);
}

/* Goes over blocks up to and with the next packet; false: there is none. */
static bool walk(struct notes *n, struct note *note)
{
    uint32_t type, len;
    while (read_head(n, &type, &len)) {
        if (type == BLOCK_PACKET)
            return read_packet(n, len, note);
        if (type == BLOCK_SECTION || type == BLOCK_INTERFACE) {
            if (!(type == BLOCK_SECTION ? read_section(n, len)
                                        : read_interface(n, len)))
                return false;
            continue;
        }
        if (!skip(n, len + 4))
            return false;
        if (type == BLOCK_OLD_PACKET || type == BLOCK_SIMPLE_PACKET)
            return true;
    }
    return false;
}

void notes_next(struct notes *n, struct note *note)
{
    *note = (struct note){.host = -1};
    if (n == NULL || n->is_over)
        return;
    n->is_over = !walk(n, note);
    note->is_ours = n->is_ours;
    note->host = n->is_ours ? n->host : -1;
}

struct notes *notes_open(const char *path)
{
    uint32_t type = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    struct notes *n = NULL;
    if (fread(&type, sizeof type, 1, file) == 1 && type == BLOCK_SECTION)
        n = calloc(1, sizeof *n);
    if (n == NULL) {
        fclose(file);
        return NULL;
    }
    rewind(file);
    n->file = file;
    return n;
}

void notes_close(struct notes *n)
{
    if (n == NULL)
        return;
    fclose(n->file);
    free(n);
}
