/* SPDX-License-Identifier: MIT
 *
 * watch: what the fuzz targets of files share: the bytes as a file with a
 * name, and all that can draw what is in it, whose lines, and whose slide, go
 * nowhere.
 */
#ifndef WIRELAB_WATCH_H
#define WIRELAB_WATCH_H

#include "ladder.h"
#include "lab.h"
#include "layers.h"
#include "list.h"
#include "svg.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct watch {
    struct ladder *ladder;
    struct text *text;
    struct svg *svg;
    struct list list;
    struct layers layers;
    size_t lines;
};

static inline void watch_line(const char *line, void *context)
{
    struct watch *w = context;
    for (const char *c = line; *c != '\0'; c++)
        if ((unsigned char)*c < ' ')
            abort(); /* nothing may steer the terminal */
    w->lines++;
}

static inline void watch_row(const struct row *row, void *context)
{
    struct watch *w = context;
    text_row(row, w->text);
    svg_row(row, w->svg);
    list_row(row, &w->list);
}

static inline void watch_event(const struct event *e, void *context)
{
    struct watch *w = context;
    ladder_event(e, w->ladder);
    layers_event(e, &w->layers);
}

static inline void watch_advance(uint64_t t_ns, void *context)
{
    ladder_advance(((struct watch *)context)->ladder, t_ns);
}

static inline bool watch_is_gone(void *context)
{
    (void)context;
    return false;
}

static inline struct lab_view watch_begin(struct watch *w)
{
    struct ladder_options ladder = {.lanes = LANE_DEFAULT | LANE_OUTPUT,
                                    .calls_all = true,
                                    .explain = true};
    struct text_options text = {.columns = 79, .wire = "fuzz"};
    struct svg_picture slide = {.wire = "fuzz", .explain = true};
    *w = (struct watch){.list = {.line = watch_line, .context = w},
                        .layers = {.line = watch_line, .context = w}};
    w->text = text_new(&text, watch_line, w);
    w->svg = svg_begin("/dev/null", NULL, NULL);
    svg_picture(w->svg, &slide);
    w->ladder = ladder_new(&ladder, watch_row, w);
    return (struct lab_view){.event = watch_event,
                             .advance = watch_advance,
                             .is_gone = watch_is_gone,
                             .input = -1,
                             .context = w};
}

static inline void watch_end(struct watch *w)
{
    ladder_finish(w->ladder);
    ladder_free(w->ladder);
    text_free(w->text);
    if (svg_end(w->svg, NULL) < 0)
        abort();
}

/* The bytes as a file, whose path goes into PATH; its descriptor, to be
 * closed, or -1. */
static inline int watch_file(const uint8_t *data, size_t size, char *path,
                             size_t cap)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
        close(fd);
        return -1;
    }
    snprintf(path, cap, "/proc/self/fd/%d", fd);
    return fd;
}

#endif
