/* SPDX-License-Identifier: MIT
 *
 * fuzz_pair: any bytes as both captures of one run, one behind the other: the
 * second begins where the head of a pcapng section stands again. They are
 * opened as the command line opens them, in either order, joined, and drawn.
 * Read next: fuzz_record.c.
 */
#include "settings.h"
#include "view.h"
#include "watch.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(struct view *v)
{
    struct watch w;
    struct lab_result result;
    struct err e = {.text = ""};
    struct lab_view view = watch_begin(&w);
    if (view_run(v, &view, &result, &e) < 0 && e.text[0] == '\0')
        abort();
    watch_end(&w);
}

static void show(const char *first, const char *second)
{
    struct settings s;
    struct err e = {.text = ""};
    if (settings_init(&s, &e) == 0) {
        s.view = first;
        s.view_other = second;
        s.flow = FLOW_ALL;
        struct view *v = view_open(&s, &e);
        if (v != NULL)
            draw(v);
        else if (e.text[0] == '\0')
            abort();
        view_close(v);
    }
    settings_free(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t section[] = {0x0a, 0x0d, 0x0d, 0x0a};
    char path[2][40];
    int fd[2];
    const uint8_t *second =
        size > 4 ? memmem(data + 4, size - 4, section, sizeof section) : NULL;
    if (second == NULL)
        return 0;
    size_t cut = (size_t)(second - data);
    fd[0] = watch_file(data, cut, path[0], sizeof path[0]);
    fd[1] = watch_file(second, size - cut, path[1], sizeof path[1]);
    if (fd[0] >= 0 && fd[1] >= 0) {
        show(path[0], path[1]);
        show(path[1], path[0]);
    }
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0)
            close(fd[i]);
    return 0;
}
