/* SPDX-License-Identifier: MIT
 *
 * layers: the layers of a network, twice. From the book: the three models side
 * by side, with their protocols and devices. Measured: the bytes of a real
 * frame, each layer's by itself, with its place in the three models.
 * Sources: ISO/IEC 7498-1 (OSI's seven), RFC 1122 (TCP/IP's four).
 * Read next: frame.h, where the layers are taken apart.
 */
#ifndef WIRELAB_LAYERS_H
#define WIRELAB_LAYERS_H

#include "canvas.h"
#include "event.h"
#include "words.h"

struct layers {
    struct words words;
    canvas_line_fn *line;
    void *context; /* of *line */
    bool begun;    /* a frame was shown, the first at: */
    uint64_t zero_ns;
};

/* The models, from the book; 79 columns. */
void layers_book(canvas_line_fn *line, void *context);

/* How the blocks that follow are read. */
void layers_head(const struct layers *l);

/* One block for each frame, as it left; an event_sink_fn whose context is a
 * struct layers. */
void layers_event(const struct event *e, void *layers);

#endif
