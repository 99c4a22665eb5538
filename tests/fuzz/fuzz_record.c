/* SPDX-License-Identifier: MIT
 *
 * fuzz_record: any bytes as a recording of the lab's. Most are none, and must
 * say so; what can be played is drawn.
 * Read next: fuzz_addr.c.
 */
#include "record.h"
#include "watch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[40];
    struct record_head head;
    struct watch w;
    struct err e = {.text = ""};
    uint64_t end_ns;
    int fd = watch_file(data, size, path, sizeof path);
    if (fd < 0)
        return 0;
    struct record *r = record_open(path, &head, &e);
    if (r != NULL) {
        struct lab_view view = watch_begin(&w);
        if (record_run(r, &view, &end_ns, &e) < 0 && e.text[0] == '\0')
            abort();
        watch_end(&w);
    } else if (e.text[0] == '\0') {
        abort();
    }
    record_close(r);
    close(fd);
    return 0;
}
