/* SPDX-License-Identifier: MIT
 *
 * fuzz_capture: any bytes as a capture: surveyed, then each of the first few
 * conversations drawn, and all of them at once. What cannot be read must say
 * why.
 * Read next: fuzz_record.c.
 */
#include "replay.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(const char *path, const struct survey *s,
                 const struct conversation *only)
{
    struct watch w;
    struct lab_view view = watch_begin(&w);
    struct replay_options o = {.path = path, .survey = s, .only = only};
    struct err e = {.text = ""};
    uint64_t end_ns;
    if (replay_run(&o, &view, &end_ns, &e) < 0 && e.text[0] == '\0')
        abort();
    watch_end(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[40];
    struct survey s;
    struct err e = {.text = ""};
    int fd = watch_file(data, size, path, sizeof path);
    if (fd < 0)
        return 0;
    if (survey_read(&s, path, &e) == 0) {
        for (size_t i = 0; i < s.count && i < 3; i++)
            draw(path, &s, &s.at[i]);
        if (s.count > 1)
            draw(path, &s, NULL);
        survey_free(&s);
    } else if (e.text[0] == '\0') {
        abort();
    }
    close(fd);
    return 0;
}
